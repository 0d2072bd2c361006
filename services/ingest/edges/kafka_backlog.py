"""How far embed is behind: what a source that plays as fast as the pipeline takes it waits for."""

from __future__ import annotations

import threading

from services.ingest.core.backlog import unread
from services.runtime.kafka.admin import Admin, admin, end_offsets, first_offsets
from services.runtime.kafka.broker import BrokerError
from services.runtime.kafka.config import Connection
from services.runtime.kafka.group import GroupOffsets, group_offsets
from services.runtime.kafka.types import Partition

# Short against the second or so that a full backlog lasts; each look costs the broker a few small requests.
_LOOK_EVERY_S = 0.2
_ANSWER_S = 5.0


class KafkaBacklog:
    """Looks on a thread of its own from `start` to `close`; `room` may be asked by any.

    By partition, so that the cameras of a slow reader do not hold up those of a fast one. Until the first
    answer, and while Kafka does not answer, there is no room: nobody knows who would read.
    """

    def __init__(self, connection: Connection, *, topic: str, group: str, max_records: int) -> None:
        self._connection = connection
        self._topic = topic
        self._group = group
        self._max = max_records
        self._lock = threading.Lock()
        # What may still go out until the next look: without it a look that finds room would let go of as many
        # frames as there are, and the pictures of a second would be taken in a moment.
        self._room: dict[int, int] = {}
        # Where partitions ended at the first look: what lay there before is not ours to wait for.
        self._began: dict[int, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="signpost-ingest-backlog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """The thread has ended on return."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def room(self, partition: int) -> bool:
        """Whether one more frame of this partition may go out; if so it counts as on its way."""
        with self._lock:
            if self._room.get(partition, 0) <= 0:
                return False
            self._room[partition] -= 1
            return True

    def _look(self) -> None:
        watched = group_offsets(self._connection, self._group, "read_uncommitted")
        with admin(self._connection) as client, watched as group:
            while not self._stop.is_set():
                try:
                    behind = self._count(client, group)
                except BrokerError:
                    behind = {}
                with self._lock:
                    self._room = {partition: self._max - records for partition, records in behind.items()}
                self._stop.wait(_LOOK_EVERY_S)

    def _count(self, client: Admin, group: GroupOffsets) -> dict[int, int]:
        numbers = client.list_topics(self._topic, timeout=_ANSWER_S).topics[self._topic].partitions
        partitions = [Partition(self._topic, number) for number in numbers]
        if not partitions:  # the topic is still to be made
            return {}
        firsts = first_offsets(client, partitions, timeout_s=_ANSWER_S)
        ends = end_offsets(client, partitions, timeout_s=_ANSWER_S)
        committed = group.committed(partitions, timeout_s=_ANSWER_S)
        behind = {}
        for partition, end in ends.items():
            # A partition nobody has committed in yet begins where it ended at our first look.
            began = self._began.setdefault(partition.number, end)
            next_read = committed.get(partition, began)
            behind[partition.number] = unread(first=firsts[partition], end=end, next_read=next_read)
        return behind

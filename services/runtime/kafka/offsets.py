"""What delivery needs of the consumer, asked for across threads: who we are in the group, and commits.

confluent-kafka lets one thread at a time into a consumer, and one that waits starves behind the poll (or
behind a rebalance callback that waits for the delivery itself). So the poll thread makes these calls too.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from services.runtime.clock import Clock
from services.runtime.kafka.broker import ConsumerPort, GroupMetadata, Retriable
from services.runtime.kafka.types import Next, Partition

# How old the group metadata may be; asked anew in every round, a busy loop would ask a thousand times a second.
_METADATA_S = 0.02

# The longest that the poll thread is waited for. It comes round within half a second unless the broker keeps
# it; at 0 every commit would fail; it stays below the drain's deadline.
_ERRAND_S = 10.0


class Offsets:
    """`group_metadata`, `renew` and `commit` are the delivery thread's; `serve` and `close` the poll thread's."""

    def __init__(self, consumer: ConsumerPort, clock: Clock, wake: Callable[[], None]) -> None:
        self._consumer = consumer
        self._clock = clock
        self._wake = wake
        self._lock = threading.Lock()
        self._errands: deque[tuple[Callable[[], None], Future[None]]] = deque()
        self._metadata: GroupMetadata | None = None
        self._asked_s = 0.0
        self._closed = False

    def group_metadata(self) -> GroupMetadata:
        """As of the poll thread's last round. Raises Retriable before its first."""
        metadata = self._metadata
        if metadata is None:
            raise Retriable("_STATE", "not in the group yet")
        return metadata

    def renew(self) -> None:
        """Wait for metadata that is newer than this moment."""
        self._run(self._ask)

    def commit(self, offsets: Mapping[Partition, Next]) -> None:
        """Commit without a transaction; blocks. Raises what the consumer does, or Retriable."""
        self._run(lambda: self._consumer.commit(offsets))

    def serve(self) -> None:
        """Make the calls that wait, and keep the metadata young."""
        while self._errands:
            call, answer = self._errands.popleft()
            try:
                call()
            except Exception as error:  # noqa: BLE001 - carried to the thread that asked
                answer.set_exception(error)
            else:
                answer.set_result(None)
        if self._clock.monotonic() - self._asked_s > _METADATA_S:
            self._ask()

    def close(self) -> None:
        """Nobody serves any more: let those who wait go."""
        with self._lock:
            self._closed = True
            while self._errands:
                self._errands.popleft()[1].set_exception(Retriable("_DESTROY", "the consumer is closed"))

    def _ask(self) -> None:
        self._metadata = self._consumer.group_metadata()
        self._asked_s = self._clock.monotonic()

    def _run(self, call: Callable[[], None]) -> None:
        answer: Future[None] = Future()
        with self._lock:
            if self._closed:
                raise Retriable("_DESTROY", "the consumer is closed")
            self._errands.append((call, answer))
        self._wake()
        try:
            answer.result(_ERRAND_S)
        except TimeoutError as late:
            raise Retriable("_TIMED_OUT", f"the poll thread did not come round in {_ERRAND_S} s") from late

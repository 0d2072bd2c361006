"""Follows a topic from its beginning, as one reader among any number: no group, no commit, everything seen."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from services.runtime.kafka.broker import BrokerError, Fatal
from services.runtime.kafka.config import Connection, Options
from services.runtime.kafka.consumer import as_record
from services.runtime.kafka.ends import Ends, committed_end
from services.runtime.kafka.errors import is_end, reading_error, translated
from services.runtime.kafka.passing import OnError, PassingErrors
from services.runtime.kafka.types import Partition, Record

log = logging.getLogger(__name__)

# How often the thread looks whether it shall stop.
_POLL_S = 0.1
_ANSWER_S = 5.0
# Between two beginnings, where the first came to nothing: the topic is still to be made, or the broker is away.
_AGAIN_S = 1.0


class Follower:
    """Reads all partitions, committed records only, each in order; on a thread of its own from `start` to `stop`.

    `on_record` gets every value (empty for a tombstone) on that thread; what it raises ends the process. When
    reading on is no longer possible (the topic was made anew, say) all is read again from the beginning, so it
    must not mind a value that comes twice. `on_look` is called before each look for records, ten times a second
    and more while it can read. `on_error` gets the code of every trouble with the broker; none ends the thread.
    Partitions are those of the beginning.
    """

    def __init__(
        self,
        connection: Connection,
        topic: str,
        on_record: Callable[[bytes], None],
        *,
        on_error: OnError,
        on_look: Callable[[], None] = lambda: None,
    ) -> None:
        self._options: Options = {
            **connection.options(),
            # librdkafka wants a name; nothing is ever joined or committed under it.
            "group.id": f"follower-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
        }
        self._topic = topic
        self._on_record = on_record
        self._on_look = on_look
        self._passing = PassingErrors(log, on_error)
        self._stop = threading.Event()
        self._caught_up = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"signpost-follow-{topic}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The thread has ended on return; harmless if it never began."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def caught_up(self) -> bool:
        """Whether all that was there at the start has been handed on. Stays true. Any thread."""
        return self._caught_up.is_set()

    def is_alive(self) -> bool:
        """Whether it reads, or tries to. Any thread."""
        return self._thread.is_alive()

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except BrokerError as failed:
                self._passing.tell(failed.code, str(failed))
                self._stop.wait(_AGAIN_S)

    def _read(self) -> None:
        """Until stopped. Raises BrokerError when reading on is pointless."""
        consumer = Consumer({**self._options, "error_cb": self._passing})
        try:
            with translated(reading_error):
                found = self._partitions(consumer)
                starts = [TopicPartition(self._topic, one, self._start(consumer, one)) for one in found]
                ends = Ends({one: self._end(consumer, one) for one in found})
                consumer.assign(starts)
            while not self._stop.is_set():
                self._on_look()
                with translated(reading_error):
                    message = consumer.poll(_POLL_S)
                if message is None:
                    continue
                error = message.error()
                if error is None or is_end(error):
                    if error is None:
                        self._take(message)
                    ends.pass_over(message)
                    if ends.reached:
                        self._caught_up.set()
                elif isinstance(meaning := reading_error(error), Fatal):
                    raise meaning
                else:
                    self._passing(error)
        finally:
            consumer.close()

    def _start(self, consumer: Consumer, partition: int) -> int:
        return OFFSET_BEGINNING

    def _end(self, consumer: Consumer, partition: int) -> int:
        return committed_end(consumer, Partition(self._topic, partition), timeout_s=_ANSWER_S)

    def _take(self, message: Message) -> None:
        self._on_record(message.value() or b"")

    def _partitions(self, consumer: Consumer) -> set[int]:
        found = consumer.list_topics(self._topic, timeout=_ANSWER_S).topics[self._topic]
        if found.error is not None:
            raise reading_error(found.error)
        return set(found.partitions)


class WholeRecords(Follower):
    """Hands on each record as it lies there, with its key and its headers; a tombstone's value is empty."""

    def __init__(
        self, connection: Connection, topic: str, on_whole: Callable[[Record], None], *, on_error: OnError
    ) -> None:
        super().__init__(connection, topic, lambda value: None, on_error=on_error)
        self._on_whole = on_whole

    def _take(self, message: Message) -> None:
        self._on_whole(as_record(message))


class Tail(Follower):
    """Follows from what is the end at its first beginning, and after trouble from where it was.

    Once `caught_up`, everything written from then on is handed on.
    """

    def __init__(
        self, connection: Connection, topic: str, on_record: Callable[[bytes], None], *, on_error: OnError
    ) -> None:
        super().__init__(connection, topic, on_record, on_error=on_error)
        # The follower's thread only.
        self._next: dict[int, int] = {}

    def _start(self, consumer: Consumer, partition: int) -> int:
        if partition not in self._next:
            self._next[partition] = self._end(consumer, partition)
        return self._next[partition]

    def _take(self, message: Message) -> None:
        super()._take(message)
        self._next[message.partition() or 0] = (message.offset() or 0) + 1

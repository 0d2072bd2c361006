"""Read a topic from where one asks to where it ends now; belongs to no group, commits nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import OffsetSpec

from services.runtime.kafka.admin import admin
from services.runtime.kafka.config import Connection
from services.runtime.kafka.group import group_offsets
from services.runtime.kafka.types import Partition

# A broker under load answers later; a person still waits.
_TIMEOUT_S = 20.0
_BATCH = 500
_POLL_S = 0.1
_END_OF_PARTITION = KafkaError._PARTITION_EOF


class KafkaReader:
    """Whole topics, read_committed. One thread owns it.

    Each call blocks until it has reached what was the end when it began: a topic that is written to without pause
    has no other.
    """

    def __init__(self, bootstrap: str) -> None:
        self._ended = ExitStack()
        self._connection = Connection(bootstrap, "console")
        self._admin = self._ended.enter_context(admin(self._connection))
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                # librdkafka wants a name; nothing is ever committed under it.
                "group.id": f"reader-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                # The end of a partition is told by an empty fetch: at its default that takes half a second.
                "fetch.wait.max.ms": 10,
                "log_level": 0,
            }
        )

    def close(self) -> None:
        """Must be called: librdkafka's clients are not for the garbage collector."""
        self._consumer.close()
        self._ended.close()

    def values(self, topic: str) -> Iterator[bytes]:
        """Every record's value in the order of its partition; tombstones are left out."""
        yield from (value for _, value in self.timed_values(topic))

    def timed_values(self, topic: str) -> Iterator[tuple[int, bytes]]:
        """As `values`, each with the time the broker gave it, in ms since the epoch."""
        yield from self._read(topic, self._offsets(topic, OffsetSpec.earliest()))  # type: ignore[no-untyped-call]

    def unread(self, topic: str, group: str) -> int:
        """How many records of `topic` the group has not committed yet; transaction markers do not count.

        Records that retention deleted unread count too, as far as their offsets tell.
        """
        first = self._offsets(topic, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        committed = self._committed(topic, group, first)
        vanished = sum(max(0, first[number] - offset) for number, offset in committed.items())
        starts = {number: max(first[number], offset) for number, offset in committed.items()}
        return vanished + sum(1 for _ in self._read(topic, starts))

    def _partitions(self, topic: str) -> Sequence[int]:
        # Asked of the consumer: it then knows the leaders, and need not wait a second to find them itself.
        found = self._consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        return sorted(found.partitions)

    def _offsets(self, topic: str, which: OffsetSpec) -> dict[int, int]:
        asked = {TopicPartition(topic, number): which for number in self._partitions(topic)}
        answers = self._admin.list_offsets(asked, request_timeout=_TIMEOUT_S)
        return {partition.partition: answer.result().offset for partition, answer in answers.items()}

    def _committed(self, topic: str, group: str, first: Mapping[int, int]) -> dict[int, int]:
        """The group's next offsets; a partition it never committed begins where the topic did, at 0."""
        with group_offsets(self._connection, group) as offsets:
            known = offsets.committed([Partition(topic, number) for number in first], timeout_s=_TIMEOUT_S)
        return {number: known.get(Partition(topic, number), 0) for number in first}

    def _read(self, topic: str, starts: Mapping[int, int]) -> Iterator[tuple[int, bytes]]:
        ends = self._offsets(topic, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        self._consumer.assign([TopicPartition(topic, number, offset) for number, offset in starts.items()])
        ended: set[int | None] = set()
        while len(ended) < len(starts):
            for message in self._consumer.consume(_BATCH, _POLL_S):
                error, number = message.error(), message.partition()
                if error is not None and error.code() == _END_OF_PARTITION:
                    ended.add(number)
                    continue
                if error is not None:
                    raise KafkaException(error)
                # The very last place may be a transaction's marker, which nobody gets to see: then what comes
                # after it, or the end of the partition, tells that it has been passed.
                if _place(message) >= ends[number or 0] - 1:
                    ended.add(number)
                if (value := message.value()) is not None:
                    yield message.timestamp()[1], bytes(value)


def _place(message: Message) -> int:
    offset = message.offset()
    return -1 if offset is None else offset

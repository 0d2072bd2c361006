"""Read a topic from where one asks to where it ends now; belongs to no group, commits nothing."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

from confluent_kafka import Consumer, Message, TopicPartition

from services.contracts.places import Log
from services.runtime.kafka.admin import admin, end_offsets, first_offsets
from services.runtime.kafka.broker import Retriable
from services.runtime.kafka.config import TRANSACTION_TIMEOUT_MS, Connection
from services.runtime.kafka.consumer import as_record
from services.runtime.kafka.ends import Ends
from services.runtime.kafka.errors import is_end, reading_error, translated
from services.runtime.kafka.group import group_offsets
from services.runtime.kafka.types import Partition, Record

# A broker under load answers later; a person still waits.
_TIMEOUT_S = 20.0
_BATCH = 500
_POLL_S = 0.1
# The broker itself aborts what its writer left open.
_SETTLED_WITHIN_S = 2 * TRANSACTION_TIMEOUT_MS / 1000


class KafkaReader:
    """Whole topics, read_committed. One thread owns it.

    Each call blocks until it has reached what was the end when it began: a topic that is written to without pause
    has no other. A transaction that is open there is waited for. So of transactions over several topics, one that
    an earlier call has shown is whole in a later one. Raises BrokerError.
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
                # What is deleted while it is asked for: go on with what is left, and not at the end.
                "auto.offset.reset": "earliest",
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
        yield from self._read(self._first(topic))

    def records(self, topic: str) -> Iterator[Record]:
        """Every record in the order of its partition; a tombstone's value is empty."""
        return map(as_record, self._messages(self._first(topic)))

    def stands(self, topic: str, group: str) -> dict[int, int | None]:
        """Where the group goes on in each partition; None where it has never committed."""
        partitions = self._partitions(topic)
        with group_offsets(self._connection, group) as offsets:
            known = offsets.committed(partitions, timeout_s=_TIMEOUT_S)
        return {one.number: known.get(one) for one in partitions}

    def ahead(self, topic: str, stands: Mapping[int, int | None]) -> tuple[dict[int, Log], list[Record]]:
        """What a group that `stands` there has not read; and each partition as it is after."""
        partitions = [Partition(topic, number) for number in stands]
        logs = self._logs(partitions, stands)
        found = list(map(as_record, self._messages({one: logs[one.number].begin for one in partitions})))
        # Looked at again: what was deleted meanwhile is no loss that nobody can explain.
        return self._logs(partitions, stands), found

    def _logs(self, partitions: Sequence[Partition], stands: Mapping[int, int | None]) -> dict[int, Log]:
        firsts = first_offsets(self._admin, partitions, timeout_s=_TIMEOUT_S)
        ends = end_offsets(self._admin, partitions, timeout_s=_TIMEOUT_S)
        return {
            one.number: Log(first=firsts[one], end=ends[one], committed=stands[one.number]) for one in partitions
        }

    def _partitions(self, topic: str) -> list[Partition]:
        # Asked of the consumer: it then knows the leaders, and need not wait a second to find them itself.
        with translated(reading_error):
            found = self._consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
        if found.error is not None:
            raise reading_error(found.error)
        return [Partition(topic, number) for number in sorted(found.partitions)]

    def _first(self, topic: str) -> dict[Partition, int]:
        return first_offsets(self._admin, self._partitions(topic), timeout_s=_TIMEOUT_S)

    def _read(self, starts: Mapping[Partition, int]) -> Iterator[tuple[int, bytes]]:
        for message in self._messages(starts):
            if (value := message.value()) is not None:
                yield message.timestamp()[1], bytes(value)

    def _messages(self, starts: Mapping[Partition, int]) -> Iterator[Message]:
        asked = end_offsets(self._admin, starts, timeout_s=_TIMEOUT_S)
        ends = Ends({one.number: end for one, end in asked.items()})
        self._consumer.assign([TopicPartition(*one, offset) for one, offset in starts.items()])
        deadline = time.monotonic() + _SETTLED_WITHIN_S
        while not ends.reached:
            with translated(reading_error):
                messages = self._consumer.consume(_BATCH, _POLL_S)
            for message in messages:
                error = message.error()
                if error is not None and not is_end(error):
                    raise reading_error(error)
                ends.pass_over(message)
                if error is None:
                    yield message
            if messages:
                deadline = time.monotonic() + _SETTLED_WITHIN_S
            elif time.monotonic() > deadline:
                waited = f"a transaction stayed open for more than {_SETTLED_WITHIN_S:g} s"
                raise Retriable("_TIMED_OUT", waited)

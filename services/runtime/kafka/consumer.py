"""The consumer port on librdkafka."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from confluent_kafka import Consumer, Message, TopicPartition

from services.runtime.kafka.broker import Fatal, GroupMetadata, RebalanceListener, Retriable
from services.runtime.kafka.config import Options
from services.runtime.kafka.errors import commit_error, reading_error, translated
from services.runtime.kafka.passing import OnError, PassingErrors
from services.runtime.kafka.types import Next, Partition, Position, Record

log = logging.getLogger(__name__)
# What librdkafka says by itself is not ours to count as an error: that comes through its callbacks.
_rdkafka_log = logging.getLogger("librdkafka")


class KafkaConsumer:
    """One member of a group; one thread owns it.

    `on_error` gets the code of each error that passes by itself, from the owner's thread inside `poll`.
    """

    def __init__(self, options: Options, on_error: OnError) -> None:
        self._passing = PassingErrors(log, on_error)
        self._consumer = Consumer({**options, "error_cb": self._passing}, logger=_rdkafka_log)

    def subscribe(self, topics: Sequence[str], listener: RebalanceListener) -> None:
        """Join the group. The listener is told first, then the assignment changes."""

        def assign(consumer: Consumer, found: list[TopicPartition]) -> None:
            listener.assigned([_partition(one) for one in found])
            consumer.incremental_assign(found)

        def revoke(consumer: Consumer, found: list[TopicPartition]) -> None:
            listener.revoked([_partition(one) for one in found])
            consumer.incremental_unassign(found)

        def lose(consumer: Consumer, found: list[TopicPartition]) -> None:
            listener.lost([_partition(one) for one in found])
            consumer.incremental_unassign(found)

        with translated(reading_error):
            self._consumer.subscribe(list(topics), on_assign=assign, on_revoke=revoke, on_lost=lose)

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """Wait for one, then take what is there: `consume` alone waits out its timeout for a partial batch."""
        with translated(reading_error):
            first = self._consumer.poll(timeout_s)
            if first is None:
                return []
            more = self._consumer.consume(max_records - 1, 0) if max_records > 1 else []
        records = (self._record(message) for message in (first, *more))
        return [record for record in records if record is not None]

    def pause(self, partitions: Collection[Partition]) -> None:
        """Return no more of these. Costs what was fetched ahead of them."""
        with translated(reading_error):
            self._consumer.pause([TopicPartition(*one) for one in partitions])

    def resume(self, partitions: Collection[Partition]) -> None:
        """Undo `pause`."""
        with translated(reading_error):
            self._consumer.resume([TopicPartition(*one) for one in partitions])

    def seek(self, position: Position) -> None:
        """Read on from here. Raises Retriable while the partition has no fetcher yet."""
        with translated(lambda error: Retriable(error.name(), error.str())):
            self._consumer.seek(TopicPartition(*position))

    def end_offset(self, partition: Partition) -> int | None:
        """The high watermark as of the last fetch."""
        with translated(reading_error):
            known = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
        return known[1] if known[1] >= 0 else None

    def close(self) -> None:
        """Revoke, then leave the group."""
        with translated(reading_error):
            self._consumer.close()

    def group_metadata(self) -> GroupMetadata:
        """This member's name and epoch now."""
        with translated(reading_error):
            metadata: GroupMetadata = self._consumer.consumer_group_metadata()
        return metadata

    def commit(self, offsets: Mapping[Partition, Next]) -> None:
        """Commit and wait for the answer."""
        wanted = [TopicPartition(*partition, *one) for partition, one in offsets.items()]
        with translated(commit_error):
            answers = self._consumer.commit(offsets=wanted, asynchronous=False)
        for answer in answers or ():
            if answer.error is not None:
                raise commit_error(answer.error)

    def _record(self, message: Message) -> Record | None:
        error = message.error()
        if error is None:
            return as_record(message)
        meaning = reading_error(error)
        if isinstance(meaning, Fatal):
            raise meaning
        self._passing(error)
        return None


def _partition(found: TopicPartition) -> Partition:
    return Partition(found.topic, found.partition)


def as_record(message: Message) -> Record:
    """A message that is no error. Raises Fatal for one without a place."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise Fatal("_BAD_MSG", "librdkafka returned a record without a place")
    return Record(
        topic=topic,
        partition=partition,
        offset=offset,
        key=message.key(),
        value=message.value() or b"",
        headers=_headers(message),
        timestamp_ms=message.timestamp()[1],
    )


def _headers(message: Message) -> tuple[tuple[str, bytes], ...]:
    found = message.headers() or []
    pairs = found.items() if isinstance(found, dict) else found
    return tuple((name, value.encode() if isinstance(value, str) else value or b"") for name, value in pairs)

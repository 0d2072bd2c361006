"""Where a group stands, asked and told from outside of it.

Through a consumer that joins nothing, not through the admin client: asked for a group's offsets while its
coordinator loads them, or moves, that one takes the whole process with it (confluentinc/librdkafka#5040).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from confluent_kafka import Consumer, TopicPartition

from services.runtime.kafka.broker import BrokerError
from services.runtime.kafka.config import Connection
from services.runtime.kafka.errors import reading_error, translated
from services.runtime.kafka.types import Next, Partition
from services.runtime.retry import retry

Isolation = Literal["read_committed", "read_uncommitted"]

_COORDINATOR_MOVES = frozenset(
    {"COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR", "_WAIT_COORD"}
)


class GroupOffsets:
    """A group's committed offsets. One thread at a time; each call blocks for about its timeout at most."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def committed(self, partitions: Collection[Partition], *, timeout_s: float) -> dict[Partition, int]:
        """The next offset of each partition that has one. Raises BrokerError."""
        return {one: found.offset for one, found in self.kept(partitions, timeout_s=timeout_s).items()}

    def kept(self, partitions: Collection[Partition], *, timeout_s: float) -> dict[Partition, Next]:
        """As `committed`, with what was kept beside each offset."""
        asked = [TopicPartition(*partition) for partition in partitions]
        found = _while_it_moves(lambda: self._consumer.committed(asked, timeout=timeout_s), timeout_s)
        return {
            Partition(one.topic, one.partition): Next(one.offset, one.metadata or "")
            for one in found
            if one.offset >= 0
        }

    def commit(self, offsets: Mapping[Partition, int], *, timeout_s: float) -> None:
        """Set the group's offsets. Raises BrokerError; the broker refuses while the group has members."""
        wanted = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
        _while_it_moves(lambda: self._consumer.commit(offsets=wanted, asynchronous=False), timeout_s)


@contextmanager
def group_offsets(
    connection: Connection, group: str, isolation: Isolation = "read_committed"
) -> Iterator[GroupOffsets]:
    """For as long as the block; connects at its first question.

    An open transaction may be about to move an offset. `read_committed` waits for its end, as who goes on from
    there must: a dead worker's lasts until its successor comes, or a minute. `read_uncommitted` answers at once
    with what was committed last, which is enough for who only watches.
    """
    options = {
        **connection.options(),
        "group.id": group,
        "enable.auto.commit": False,
        "isolation.level": isolation,
    }
    consumer = Consumer(options)
    try:
        yield GroupOffsets(consumer)
    finally:
        consumer.close()


class _Moves(Exception):
    """The group's coordinator is on its way; `said` is what the client made of it."""

    def __init__(self, said: BrokerError) -> None:
        super().__init__(said.code)
        self.said = said


def _while_it_moves(call: Callable[[], list[TopicPartition] | None], timeout_s: float) -> list[TopicPartition]:
    def once() -> list[TopicPartition]:
        try:
            with translated(reading_error):
                return _sound(call() or [])
        except BrokerError as failed:
            if failed.code in _COORDINATOR_MOVES:
                raise _Moves(failed) from failed
            raise

    try:
        return retry(once, on=(_Moves,), deadline_s=timeout_s, max_s=0.5)
    except _Moves as moves:
        raise moves.said from None


def _sound(answers: list[TopicPartition]) -> list[TopicPartition]:
    for answer in answers:
        if answer.error is not None:
            raise reading_error(answer.error)
    return answers

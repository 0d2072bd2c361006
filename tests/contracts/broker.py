"""What every broker must do for the loop: one suite, run on the fake and on Apache Kafka."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

import pytest

from services.contracts import topics
from services.runtime.kafka.broker import (
    Abortable,
    BrokerError,
    ConsumerPort,
    Fatal,
    Fenced,
    ProducerPort,
    RebalanceListener,
    Reset,
    TooLarge,
    TransactionalProducerPort,
)
from services.runtime.kafka.types import Next, Output, Partition, Position, Record
from tests.support import eventually

# Joining, rebalancing and committing on a busy machine.
PATIENCE_S = 30.0


class World(Protocol):
    """A broker, and clients of it; the fixture closes what it gave out."""

    # Long enough for what is there to arrive.
    poll_s: float

    def topic(self, *, partitions: int = 1, max_message_bytes: int = 1_000_000) -> str:
        """A new, empty topic."""
        ...

    def consumer(self, group: str, reset: Reset = Reset.EARLIEST) -> ConsumerPort: ...

    def producer(self) -> ProducerPort: ...

    def transactional(self, transactional_id: str) -> TransactionalProducerPort: ...


@dataclass
class Reader:
    """A member that only polls, and remembers what it was told."""

    member: ConsumerPort
    topic: str
    poll_s: float
    held: set[Partition] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.member.subscribe([self.topic], RebalanceListener(self._assigned, self._revoked, self._lost))

    def poll(self) -> list[Record]:
        found = self.member.poll(10, self.poll_s)
        self.records.extend(found)
        return found

    def values(self) -> list[bytes]:
        return [record.value for record in self.records]

    def until_assigned(self) -> Reader:
        eventually(lambda: (self.poll(), self.held)[1], "an assignment", within_s=PATIENCE_S)
        return self

    def until(self, number: int) -> list[bytes]:
        """Poll until so many records have come, then a little on, to see that no more do."""
        eventually(lambda: (self.poll(), len(self.records) >= number)[1], f"{number} records", within_s=PATIENCE_S)
        for _ in range(3):
            self.poll()
        return self.values()

    def _assigned(self, partitions: Collection[Partition]) -> None:
        self.told.append("assigned")
        self.held.update(partitions)

    def _revoked(self, partitions: Collection[Partition]) -> None:
        self.told.append("revoked")
        self.held.difference_update(partitions)

    def _lost(self, partitions: Collection[Partition]) -> None:
        self.told.append("lost")
        self.held.difference_update(partitions)


def a_reader(world: World, member: ConsumerPort, topic: str) -> Reader:
    return Reader(member, topic, world.poll_s)


def an_output(topic: str, value: bytes, *, key: bytes = b"k", partition: int | None = None) -> Output:
    return Output(topic=topic, key=key, value=value, partition=partition, headers=(("trace", b"t1"),))


def send(producer: ProducerPort, *outputs: Output) -> None:
    answers: list[BrokerError | None] = []
    for output in outputs:
        producer.send(output, answers.append)
    assert producer.flush(PATIENCE_S) == 0
    assert answers == [None] * len(outputs)


def a_name() -> str:
    return f"test-{uuid4().hex[:12]}"


class BrokerContract:
    """Subclass, and give a `world` fixture."""

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError

    def test_a_record_comes_as_it_was_sent(self, world: World) -> None:
        topic = world.topic(partitions=2)
        send(world.producer(), an_output(topic, b"v", key=b"gate", partition=1))
        reader = a_reader(world, world.consumer(a_name()), topic)
        reader.until(1)
        (record,) = reader.records
        assert (record.key, record.value, record.position) == (b"gate", b"v", Position(topic, 1, 0))
        assert record.headers == (("trace", b"t1"),)
        assert record.timestamp_ms > 1_600_000_000_000

    def test_one_partition_keeps_its_order(self, world: World) -> None:
        topic = world.topic()
        values = [b"%d" % number for number in range(25)]
        send(world.producer(), *(an_output(topic, value) for value in values))
        assert a_reader(world, world.consumer(a_name()), topic).until(25) == values

    def test_a_poll_returns_no_more_than_was_asked_for(self, world: World) -> None:
        topic = world.topic()
        send(world.producer(), *(an_output(topic, b"v") for _ in range(10)))
        reader = a_reader(world, world.consumer(a_name()), topic).until_assigned()
        assert all(len(reader.member.poll(3, world.poll_s)) <= 3 for _ in range(6))

    def test_a_group_goes_on_at_what_it_committed(self, world: World) -> None:
        topic, group = world.topic(), a_name()
        send(world.producer(), an_output(topic, b"a"), an_output(topic, b"b"))
        first = a_reader(world, world.consumer(group), topic)
        first.until(2)
        first.member.commit({Partition(topic, 0): Next(1)})
        first.member.close()
        assert a_reader(world, world.consumer(group), topic).until(1) == [b"b"]

    def test_closing_revokes_first(self, world: World) -> None:
        topic = world.topic()
        reader = a_reader(world, world.consumer(a_name()), topic).until_assigned()
        reader.member.close()
        assert reader.told == ["assigned", "revoked"]

    def test_a_second_member_takes_its_share(self, world: World) -> None:
        topic, group = world.topic(partitions=4), a_name()
        first = a_reader(world, world.consumer(group), topic)
        eventually(lambda: (first.poll(), len(first.held) == 4)[1], "all four", within_s=PATIENCE_S)
        second = a_reader(world, world.consumer(group), topic)
        eventually(
            lambda: (first.poll(), second.poll(), len(first.held) == len(second.held) == 2)[2],
            "two each",
            within_s=PATIENCE_S,
        )
        assert not first.held & second.held
        assert "lost" not in first.told

    def test_earliest_begins_at_the_beginning(self, world: World) -> None:
        topic = world.topic()
        send(world.producer(), an_output(topic, b"old"))
        assert a_reader(world, world.consumer(a_name(), Reset.EARLIEST), topic).until(1) == [b"old"]

    def test_error_refuses_to_begin_without_an_offset(self, world: World) -> None:
        topic = world.topic()
        send(world.producer(), an_output(topic, b"old"))
        reader = a_reader(world, world.consumer(a_name(), Reset.ERROR), topic)
        with pytest.raises(Fatal):
            eventually(reader.poll, "records or a refusal", within_s=PATIENCE_S)

    def test_a_paused_partition_returns_nothing_until_resumed(self, world: World) -> None:
        topic = world.topic()
        reader = a_reader(world, world.consumer(a_name()), topic).until_assigned()
        reader.member.pause([Partition(topic, 0)])
        send(world.producer(), an_output(topic, b"v"))
        for _ in range(5):
            assert reader.poll() == []
        reader.member.resume([Partition(topic, 0)])
        assert reader.until(1) == [b"v"]

    def test_seek_reads_again_from_there(self, world: World) -> None:
        topic = world.topic()
        send(world.producer(), *(an_output(topic, value) for value in (b"a", b"b", b"c")))
        reader = a_reader(world, world.consumer(a_name()), topic)
        reader.until(3)
        reader.member.seek(Position(topic, 0, 1))
        assert reader.until(5) == [b"a", b"b", b"c", b"b", b"c"]

    def test_seek_works_on_a_paused_partition(self, world: World) -> None:
        topic = world.topic()
        send(world.producer(), an_output(topic, b"a"), an_output(topic, b"b"))
        reader = a_reader(world, world.consumer(a_name()), topic)
        reader.until(2)
        reader.member.pause([Partition(topic, 0)])
        reader.member.seek(Position(topic, 0, 0))
        assert reader.poll() == []
        reader.member.resume([Partition(topic, 0)])
        assert reader.until(4) == [b"a", b"b", b"a", b"b"]

    def test_the_end_offset_is_known_once_something_was_read(self, world: World) -> None:
        topic = world.topic()
        send(world.producer(), an_output(topic, b"a"), an_output(topic, b"b"))
        reader = a_reader(world, world.consumer(a_name()), topic)
        reader.until(2)
        assert reader.member.end_offset(Partition(topic, 0)) == 2

    def test_a_transaction_shows_nothing_before_its_commit(self, world: World) -> None:
        topic = world.topic()
        producer = world.transactional(a_name())
        reader = a_reader(world, world.consumer(a_name()), topic).until_assigned()
        producer.init(PATIENCE_S)
        producer.begin()
        producer.send(an_output(topic, b"v"))
        assert [reader.poll() for _ in range(5)] == [[]] * 5
        producer.commit(PATIENCE_S)
        assert reader.until(1) == [b"v"]

    def test_an_aborted_record_is_never_seen(self, world: World) -> None:
        topic = world.topic()
        producer = world.transactional(a_name())
        producer.init(PATIENCE_S)
        producer.begin()
        producer.send(an_output(topic, b"no"))
        producer.abort(PATIENCE_S)
        producer.begin()
        producer.send(an_output(topic, b"yes"))
        producer.commit(PATIENCE_S)
        assert a_reader(world, world.consumer(a_name()), topic).until(1) == [b"yes"]

    def test_offsets_are_committed_with_the_transaction(self, world: World) -> None:
        source, sink, group = world.topic(), world.topic(), a_name()
        send(world.producer(), an_output(source, b"a"), an_output(source, b"b"))
        first = a_reader(world, world.consumer(group), source)
        first.until(2)
        self._transact(world, first, sink, {Partition(source, 0): Next(1)}, commit=True)
        first.member.close()
        assert a_reader(world, world.consumer(group), source).until(1) == [b"b"]

    def test_offsets_of_an_aborted_transaction_do_not_count(self, world: World) -> None:
        source, sink, group = world.topic(), world.topic(), a_name()
        send(world.producer(), an_output(source, b"a"), an_output(source, b"b"))
        first = a_reader(world, world.consumer(group), source)
        first.until(2)
        self._transact(world, first, sink, {Partition(source, 0): Next(1)}, commit=False)
        first.member.close()
        assert a_reader(world, world.consumer(group), source).until(2) == [b"a", b"b"]

    def test_a_successor_fences_its_predecessor(self, world: World) -> None:
        topic, name = world.topic(), a_name()
        old, new = world.transactional(name), world.transactional(name)
        old.init(PATIENCE_S)
        old.begin()
        old.send(an_output(topic, b"old"))
        new.init(PATIENCE_S)
        with pytest.raises(Fenced):
            self._write(old, an_output(topic, b"late"))
        new.begin()
        self._write(new, an_output(topic, b"new"))
        assert a_reader(world, world.consumer(a_name()), topic).until(1) == [b"new"]

    def test_a_predecessor_that_only_sends_learns_that_it_is_fenced(self, world: World) -> None:
        """Sending told of a fatal error and not of which: it looked like a fault of the sender's own."""
        topic, name = world.topic(), a_name()
        old, new = world.transactional(name), world.transactional(name)
        old.init(PATIENCE_S)
        old.begin()
        old.send(an_output(topic, b"old"))
        new.init(PATIENCE_S)

        def fenced() -> bool:
            try:
                old.send(an_output(topic, b"late"))
            except Fenced:
                return True
            return False

        eventually(fenced, "the sender to be fenced", within_s=PATIENCE_S)

    def test_a_record_that_its_topic_does_not_take_is_refused_alone(self, world: World) -> None:
        """It came out of the client as an exception that nobody knew, and ended every camera of an ingest."""
        topic = world.topic(max_message_bytes=20_000)
        producer, answers = world.producer(), list[BrokerError | None]()
        for value in (b"a", bytes(30_000), b"b"):
            producer.send(an_output(topic, value), answers.append)
        assert producer.flush(PATIENCE_S) == 0
        assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "NoneType", "TooLarge"]
        assert a_reader(world, world.consumer(a_name()), topic).until(2) == [b"a", b"b"]

    def test_a_record_above_the_table_of_topics_is_refused_before_it_is_sent(self, world: World) -> None:
        """`frames` takes 2 MiB: what is larger was found out by the client, as an error without a meaning."""
        too_large = Output(topics.FRAMES.name, b"k", bytes(topics.FRAMES.max_record_bytes))
        answers: list[BrokerError | None] = []
        producer = world.producer()
        producer.send(too_large, answers.append)
        producer.flush(PATIENCE_S)
        assert [type(answer) for answer in answers] == [TooLarge]
        topic, writer = world.topic(), world.transactional(a_name())
        writer.init(PATIENCE_S)
        writer.begin()
        with pytest.raises(TooLarge):
            writer.send(too_large)
        writer.send(an_output(topic, b"v"))
        writer.commit(PATIENCE_S)
        assert a_reader(world, world.consumer(a_name()), topic).until(1) == [b"v"]

    def test_a_transaction_is_made_again_without_what_its_broker_does_not_take(self, world: World) -> None:
        """A cluster whose limit is below the table's: the transaction failed for ever, and the worker with it."""
        topic, producer = world.topic(max_message_bytes=20_000), world.transactional(a_name())
        large, small = an_output(topic, bytes(30_000)), an_output(topic, b"v")
        producer.init(PATIENCE_S)
        producer.begin()
        producer.send(large)
        producer.send(small)
        with pytest.raises(Abortable):
            producer.commit(PATIENCE_S)
        assert producer.take_refused() == [large]
        producer.abort(PATIENCE_S)
        producer.begin()
        producer.send(small)
        producer.commit(PATIENCE_S)
        assert producer.take_refused() == []
        assert a_reader(world, world.consumer(a_name()), topic).until(1) == [b"v"]

    def test_a_member_that_left_may_not_commit(self, world: World) -> None:
        source, sink, group = world.topic(), world.topic(), a_name()
        gone = a_reader(world, world.consumer(group), source).until_assigned()
        metadata = gone.member.group_metadata()
        gone.member.close()
        producer = world.transactional(a_name())
        producer.init(PATIENCE_S)
        producer.begin()
        producer.send(an_output(sink, b"v"))
        with pytest.raises(Abortable):
            producer.send_offsets({Partition(source, 0): Next(1)}, metadata, PATIENCE_S)
        producer.abort(PATIENCE_S)

    def _transact(
        self, world: World, reader: Reader, sink: str, offsets: dict[Partition, Next], *, commit: bool
    ) -> None:
        producer = world.transactional(a_name())
        producer.init(PATIENCE_S)
        producer.begin()
        producer.send(an_output(sink, b"out"))
        producer.send_offsets(offsets, reader.member.group_metadata(), PATIENCE_S)
        (producer.commit if commit else producer.abort)(PATIENCE_S)

    def _write(self, producer: TransactionalProducerPort, output: Output) -> None:
        producer.send(output)
        producer.commit(PATIENCE_S)

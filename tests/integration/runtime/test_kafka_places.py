"""What a partition's offsets say on Apache Kafka, and what the numbers of its records do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from console.edges.kafka_read import KafkaReader
from services.contracts.counts import Lane
from services.contracts.places import InRun, Place, place_of
from services.runtime.clock import SystemClock
from services.runtime.kafka.commit import Transactional
from services.runtime.kafka.kept import kept
from services.runtime.kafka.loop import Loop
from services.runtime.kafka.marks import ByNumber, ByOffset, Giving, Numbering, Recalled, placed
from services.runtime.kafka.types import CountKey, Output, Record
from tests.integration.deleting import delete, delete_all, ends
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.support import eventually
from tests.unit.runtime.kafka.rig import A_QUICK_SHAPE, Meters
from tests.unit.runtime.kafka.test_loop_numbers import ToOnePartition

WITHIN_S = 30.0
SKIPPED = ("d", "skipped")
LANE = Lane(0, 0)
ADMIN_S = 20.0


class Town:
    """A source, a sink, and a group that reads the one and writes the other, in one process after another."""

    def __init__(self, world: KafkaWorld, *, by_offset: bool = False) -> None:
        self.world = world
        self.bootstrap = world.connection.bootstrap
        self.source, self.sink, self._counts = world.topic(), world.topic(), world.topic()
        self.group = f"group-{uuid4()}"
        self.counted: Mapping[CountKey, int] = {}
        self.reached: dict[str, int] = {}
        self._by_offset = by_offset
        self._number = 0
        self._producer = world.transactional(f"giver-{uuid4()}")
        self._producer.init(WITHIN_S)

    def give(self, records: int, *, commit: bool = True) -> None:
        """One transaction of so many records, numbered on."""
        self._producer.begin()
        for number in range(self._number + 1, self._number + records + 1):
            self._producer.send(placed(Output(self.source, b"k", b"v", 0), Place("d", 0, number)))
        (self._producer.commit if commit else self._producer.abort)(WITHIN_S)
        self._number += records if commit else 0

    def write(self, *values: bytes) -> None:
        """Without transactions or numbers, as ingest does."""
        producer = self.world.producer()
        for value in values:
            producer.send(Output(self.source, b"k", value, 0), lambda error: None)
        assert producer.flush(WITHIN_S) == 0

    @contextmanager
    def reading(self) -> Iterator[ToOnePartition]:
        """A process of the group; its counts are added to `counted` when it has ended."""
        handler, mine = ToOnePartition(), [dict[CountKey, int]()]
        handler.to = self.sink
        loop = self._loop(handler, mine)
        stop = threading.Event()
        thread = threading.Thread(target=loop.run, args=(stop,), name="signpost-test-loop")
        thread.start()
        try:
            yield handler
        finally:
            stop.set()
            thread.join(WITHIN_S)
            assert not thread.is_alive(), "the loop does not stop"
            for key, value in mine[-1].items():
                before = self.counted.get(key, 0)
                self.counted = {**self.counted, key: before + value if key == SKIPPED else max(before, value)}

    def read(self, records: int) -> None:
        """A process that reads so many, and ends."""
        with self.reading() as handler:
            eventually(lambda: handler.total() >= records, f"{records} records", within_s=WITHIN_S)

    def numbers(self) -> list[int]:
        """Of the sink's records."""
        with closing(KafkaReader(self.bootstrap)) as reader:
            _, records = reader.ahead(self.sink, {0: None})
        places = [place_of(record.headers) for record in records]
        return [place.number for place in places if place is not None]

    def _recall(self, moved: Callable[[], None]) -> Recalled:
        """As the topic `counts` tells it."""
        passed = self.counted.get(("d", f"passed:{LANE}"), 0)
        return Recalled({LANE: passed}, {LANE: self.counted.get(("d", f"given:{LANE}"), 0)}, self.reached)

    def _loop(self, handler: ToOnePartition, counted: list[dict[CountKey, int]]) -> Loop[bytes]:
        def record(cumulative: Mapping[CountKey, int]) -> Output:
            counted.append(dict(cumulative))
            return Output(self._counts, b"counts", b"")

        def first(record: Record) -> InRun:
            run, number = record.value.decode().split(".")
            return InRun(run, int(number), int(number))

        reads = (
            ByOffset(SKIPPED, first, lambda number: None)
            if self._by_offset
            else ByNumber(SKIPPED, lambda lane: ("d", f"passed:{lane}"), lambda number: None)
        )
        return Loop(
            handler,
            topics=[self.source],
            consumer=self.world.consumer(self.group),
            commits=Transactional(self.world.transactional(f"reader-{self.group}")),
            shape=A_QUICK_SHAPE,
            counts_record=record,
            dead_letters=None,
            numbering=Numbering(
                "d",
                kept(self.world.connection, self.group),
                self._recall,
                reads=reads,
                writes=Giving(self.sink, lambda lane: ("d", f"given:{lane}")),
            ),
            metrics=Meters(),
            heartbeat=lambda: None,
            clock=SystemClock(),
        )


@pytest.fixture
def town(kafka_world: KafkaWorld) -> Town:
    return Town(kafka_world)


def test_markers_and_aborted_records_leave_holes_in_offsets_and_none_in_numbers(town: Town) -> None:
    town.give(3)
    town.give(2, commit=False)
    town.give(1)
    town.give(4, commit=False)
    town.give(2)
    town.read(6)
    assert town.counted.get(SKIPPED, 0) == 0
    assert town.counted["d", f"passed:{LANE}"] == 6


def test_numbers_go_on_from_one_process_to_the_next(town: Town) -> None:
    for _ in range(3):
        town.give(2)
        town.read(2)
    assert town.numbers() == [1, 2, 3, 4, 5, 6]
    assert town.counted.get(SKIPPED, 0) == 0


def test_numbered_records_deleted_unread_are_counted_without_their_markers(town: Town) -> None:
    town.give(1)
    town.read(1)
    for _ in range(5):
        town.give(2)
    delete_all(town.bootstrap, town.source, 1)
    town.give(3)
    town.read(3)
    assert town.counted[SKIPPED] == 10


def test_what_was_deleted_before_the_group_first_came_is_counted(town: Town) -> None:
    town.give(4)
    delete_all(town.bootstrap, town.source, 1)
    town.give(1)
    town.read(1)
    assert town.counted[SKIPPED] == 4


def test_a_partition_that_is_deleted_behind_a_group_that_has_read_it_loses_nothing(town: Town) -> None:
    """The group stands at a marker that is gone: it goes on behind it."""
    town.give(2)
    with town.reading() as handler:
        eventually(lambda: handler.total() == 2, "two records", within_s=WITHIN_S)
        delete_all(town.bootstrap, town.source, 1)
        town.give(2)
        eventually(lambda: handler.total() == 4, "four records", within_s=WITHIN_S)
    delete_all(town.bootstrap, town.source, 1)
    town.give(1)
    town.read(1)
    assert town.counted.get(SKIPPED, 0) == 0


def test_a_topic_that_began_again_is_read_from_its_beginning_and_its_loss_counted(town: Town) -> None:
    """Its group stands ahead of where the topic ends: offsets say nothing of what was on it."""
    town.give(5)
    town.read(5)
    town.give(3)
    with AdminClient({"bootstrap.servers": town.bootstrap}) as client:
        client.delete_topics([town.source])[town.source].result(ADMIN_S)
        eventually(
            lambda: town.source not in client.list_topics(timeout=ADMIN_S).topics,
            "it to be gone",
            within_s=WITHIN_S,
        )
        client.create_topics([NewTopic(town.source, 1, 1)])[town.source].result(ADMIN_S)
    # The group's offsets and marks went with the topic.
    again = town.world.transactional(f"giver-{uuid4()}")
    again.init(WITHIN_S)
    town._producer = again
    town.give(2)
    town.read(2)
    assert town.counted[SKIPPED] == 3
    assert town.numbers() == list(range(1, 8))


def values(run: str, numbers: Sequence[int]) -> list[bytes]:
    return [f"{run}.{number}".encode() for number in numbers]


def test_records_deleted_unread_are_counted_by_the_hole_they_leave(kafka_world: KafkaWorld) -> None:
    """Written without transactions, as frames are: while a worker reads, and while none does."""
    town = Town(kafka_world, by_offset=True)
    town.write(*values("a", range(1, 4)))
    with town.reading() as handler:
        eventually(lambda: handler.total() == 3, "three", within_s=WITHIN_S)
    town.write(*values("a", range(4, 11)))
    delete(town.bootstrap, town.source, {0: 8})
    town.read(2)
    town.write(*values("a", range(11, 14)))
    delete_all(town.bootstrap, town.source, 1)
    town.write(*values("a", range(14, 16)))
    town.read(2)
    assert town.counted[SKIPPED] == 5 + 3
    assert ends(town.bootstrap, town.source, 1) == {0: 15}


def test_a_group_that_never_committed_counts_what_its_own_runs_lost(kafka_world: KafkaWorld) -> None:
    """Of the topic's other records, another deployment's of yesterday, it says nothing."""
    town = Town(kafka_world, by_offset=True)
    town.write(*[b"of yesterday"] * 40)
    town.write(*values("a", range(1, 4)), *values("b", range(1, 3)))
    delete_all(town.bootstrap, town.source, 1)
    town.write(*values("a", range(4, 6)), *values("b", range(3, 4)))
    town.read(3)
    assert town.counted[SKIPPED] == 3 + 2


def test_a_group_whose_offsets_are_gone_counts_from_what_it_had_reached(kafka_world: KafkaWorld) -> None:
    town = Town(kafka_world, by_offset=True)
    town.reached = {"a": 3}
    town.write(*values("a", range(6, 8)))
    town.read(2)
    assert town.counted[SKIPPED] == 2

"""A loop on the fake broker, running on its threads, and a handler that remembers everything."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.runtime.clock import SystemClock
from services.runtime.kafka.commit import AtLeastOnce, Commits, FaultPoint, Transactional, no_fault
from services.runtime.kafka.dead_letter import DeadLetterLimit, DeadLetters
from services.runtime.kafka.loop import Loop, Shape
from services.runtime.kafka.marks import Numbering
from services.runtime.kafka.metrics import Status
from services.runtime.kafka.types import (
    CountKey,
    DeadLetter,
    Dropped,
    Outcome,
    Output,
    Partition,
    Prepared,
    Record,
)
from tests.fakes.broker import FakeBroker, FakeConsumer

SOURCE, SINK, COUNTS, DEAD = "source", "sink", "counts", "source.dead"
GROUP = "group"
WITHIN_S = 5.0


class Rehearsal:
    """A handler that upper-cases values. Tests read what it saw; `on_prepare` and `on_handle` may interfere.

    Its own state, `seen`, is kept a partition and dropped when that is revoked, like a service's.
    """

    def __init__(self) -> None:
        self.on_prepare: Callable[[bytes], None] = lambda value: None
        self.on_handle: Callable[[list[bytes]], None] = lambda values: None
        self.dead: Callable[[Record], DeadLetter | None] = lambda record: None
        self.tick_outcome: Callable[[], Outcome] = Outcome
        self.batches: list[list[bytes]] = []
        self.delivered_outcomes: list[Outcome] = []
        self.ended: list[bytes] = []
        self.told: list[tuple[str, frozenset[Partition]]] = []
        self.seen: dict[Partition, int] = {}

    def prepare(self, record: Record) -> bytes | Dropped:
        self.on_prepare(record.value)
        if record.value.startswith(b"late"):
            told = (Output(SINK, record.key, b"told of " + record.value),) if b"telling" in record.value else ()
            return Dropped({("gate", "late"): 1}, told, lambda: self.ended.append(record.value))
        return record.value.upper()

    def handle(self, items: Sequence[Prepared[bytes]]) -> Outcome:
        self.on_handle([prepared.item for prepared in items])
        self.batches.append([prepared.item for prepared in items])
        letters = {prepared.record.position: self.dead(prepared.record) for prepared in items}
        good = [prepared for prepared in items if letters[prepared.record.position] is None]
        for prepared in good:
            self.seen[prepared.record.home] = self.seen.get(prepared.record.home, 0) + 1
        return Outcome(
            outputs=tuple(Output(SINK, prepared.record.key, prepared.item) for prepared in good),
            counts={("gate", "handled"): len(good)},
            gauges={("gate", "open"): sum(self.seen.values())},
            dead=tuple(letter for letter in letters.values() if letter is not None),
        )

    def assigned(self, partitions: Collection[Partition]) -> None:
        self.told.append(("assigned", frozenset(partitions)))

    def revoked(self, partitions: Collection[Partition]) -> None:
        self.told.append(("revoked", frozenset(partitions)))
        for partition in partitions:
            self.seen.pop(partition, None)

    def delivered(self, outcome: Outcome) -> None:
        self.delivered_outcomes.append(outcome)

    def tick(self) -> Outcome:
        return self.tick_outcome()


class Meters:
    """LoopMetrics that remembers."""

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []
        self.commits = 0
        self.aborts = 0
        self.resets: Counter[str] = Counter()
        self.dead: Counter[str] = Counter()
        self.foreign: Counter[str] = Counter()
        self.retries = 0
        self.statuses: list[Status] = []

    def handled(self, records: int, seconds: float) -> None:
        self.batch_sizes.append(records)

    def committed(self, seconds: float) -> None:
        self.commits += 1

    def aborted(self) -> None:
        self.aborts += 1

    def reset(self, reason: str) -> None:
        self.resets[reason] += 1

    def dead_lettered(self, reason: str) -> None:
        self.dead[reason] += 1

    def passed_over(self, reason: str) -> None:
        self.foreign[reason] += 1

    def retried(self) -> None:
        self.retries += 1

    def stands(self, status: Status) -> None:
        self.statuses.append(status)


def counts_record(cumulative: Mapping[CountKey, int]) -> Output:
    text = ";".join(f"{scope}/{name}={number}" for (scope, name), number in sorted(cumulative.items()))
    return Output(COUNTS, b"incarnation", text.encode())


def dead_letters(limit: DeadLetterLimit | None = None) -> DeadLetters:
    return DeadLetters(
        record=lambda letter: Output(DEAD, None, f"{letter.reason}@{letter.position.offset}".encode()),
        counts=lambda letter: {(letter.scope, f"dead:{letter.reason}"): 1},
        limit=limit or DeadLetterLimit(),
    )


A_QUICK_SHAPE = Shape(
    max_batch=4,
    max_wait_ms=1,
    prefetch_records=8,
    tick_s=0.02,
    drain_s=2.0,
    transient_s=0.1,
    poll_s=0.01,
    report_s=0.02,
)


@dataclass
class Rig:
    """One loop over the shared broker. `crash` stops it as a kill would: nothing drained, group not left."""

    broker: FakeBroker
    handler: Rehearsal = field(default_factory=Rehearsal)
    shape: Shape = A_QUICK_SHAPE
    letters: DeadLetters | None = field(default_factory=dead_letters)
    transactional: bool = True
    transactional_id: str = "worker-1"
    faults: FaultPoint = no_fault
    numbering: Numbering | None = None
    check: Callable[[Record], None] = lambda record: None
    meters: Meters = field(default_factory=Meters)
    beats: list[None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.consumer: FakeConsumer = self.broker.consumer(GROUP)
        self.loop: Loop[bytes] = Loop(
            self.handler,
            topics=[SOURCE],
            consumer=self.consumer,
            commits=self._commits(),
            shape=self.shape,
            counts_record=counts_record,
            dead_letters=self.letters,
            numbering=self.numbering,
            check=self.check,
            metrics=self.meters,
            heartbeat=lambda: self.beats.append(None),
            clock=SystemClock(),
        )
        self.stop = threading.Event()
        self.failure: BaseException | None = None

    @contextmanager
    def running(self) -> Iterator[Rig]:
        """The loop on a thread of its own; stopped and drained at the end. A failure is kept."""
        thread = threading.Thread(target=self._run, name="signpost-test-loop")
        thread.start()
        try:
            yield self
        finally:
            self.stop.set()
            thread.join(WITHIN_S * 2)
            assert not thread.is_alive(), "the loop does not stop"

    def out(self) -> list[bytes]:
        """What a reader of committed records sees."""
        return [record.value for record in self.broker.records(SINK)]

    def counts(self) -> bytes:
        """The last counts record that is committed."""
        return ([record.value for record in self.broker.records(COUNTS)] or [b""])[-1]

    def dead(self) -> list[bytes]:
        return [record.value for record in self.broker.records(DEAD)]

    def committed(self, number: int = 0) -> int | None:
        return self.broker.committed(GROUP).get(Partition(SOURCE, number))

    def _run(self) -> None:
        try:
            self.loop.run(self.stop)
        except BaseException as error:  # noqa: BLE001 - what a test looks at
            self.failure = error

    def _commits(self) -> Commits:
        if self.transactional:
            return Transactional(self.broker.transactional(self.transactional_id), faults=self.faults)
        return AtLeastOnce(self.broker.producer(), faults=self.faults)


def a_broker(*, partitions: int = 1) -> FakeBroker:
    broker = FakeBroker()
    broker.create_topic(SOURCE, partitions=partitions)
    for name in (SINK, COUNTS, DEAD):
        broker.create_topic(name)
    return broker


def feed(broker: FakeBroker, *values: str, partition: int = 0) -> None:
    for value in values:
        broker.append(Output(SOURCE, b"k", value.encode(), partition=partition))

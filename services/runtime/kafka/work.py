"""Middle stage: one batch at a time to the handler, and what each error means for its records."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.contracts.errors import Copied, Foreign, Permanent, Transient
from services.runtime.clock import Clock
from services.runtime.kafka.assignment import Assignment
from services.runtime.kafka.batch import Batch
from services.runtime.kafka.dead_letter import DeadLetters, LimitGuard
from services.runtime.kafka.delivery import Flights
from services.runtime.kafka.marks import Marks, Numbering
from services.runtime.kafka.metrics import LoopMetrics
from services.runtime.kafka.prefetch import Barrier, Prefetch, Taken, Turn
from services.runtime.kafka.progress import Progress
from services.runtime.kafka.signals import ResetReason, Signals
from services.runtime.kafka.types import (
    NOTHING,
    DeadLetter,
    Dropped,
    Handler,
    Outcome,
    Partition,
    Position,
    Record,
)

log = logging.getLogger(__name__)

Item = TypeVar("Item")
T = TypeVar("T")

# Pauses between tries of what is Transient: from a hiccup to a store that restarts.
_FIRST_RETRY_S = 0.05
_MAX_RETRY_S = 5.0
# Between two looks, while waiting to try again, at whether the records are still ours.
_LOOK_S = 0.1


class Abandoned(Exception):
    """A reset, a rebalance or a stop came while we waited to try again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How batches form, and how long a Transient may last before its partitions count as stuck."""

    max_batch: int
    max_wait_s: float
    tick_s: float
    transient_s: float


class Worker(Generic[Item]):
    """Owns the handler's state; only the work thread calls `step`."""

    def __init__(  # noqa: PLR0913 - wiring
        self,
        *,
        handler: Handler[Item],
        pace: Pace,
        prefetch: Prefetch[Item],
        flights: Flights,
        dead_letters: DeadLetters | None,
        numbering: Numbering | None,
        assignment: Assignment,
        signals: Signals,
        metrics: LoopMetrics,
        clock: Clock,
    ) -> None:
        self.progress = Progress(clock)
        self._handler = handler
        self._pace = pace
        self._prefetch = prefetch
        self._flights = flights
        self._dead_letters = dead_letters
        self._guard = LimitGuard(dead_letters.limit) if dead_letters else None
        self._marks = Marks(numbering)
        self._assignment = assignment
        self._signals = signals
        self._metrics = metrics
        self._clock = clock
        # The run that the handler's state belongs to; a reset moves it on, with the state gone.
        self._run = assignment.run
        self._next_tick_s = clock.monotonic() + pace.tick_s
        # Records of a batch that was refused as a whole: they are handed in one at a time.
        self._alone: set[Position] = set()
        # The next offset of each partition as of the last batch: a tick commits it again, so that the
        # broker refuses the tick of a member that has lost the partition.
        self._reached: dict[Partition, int] = {}

    def step(self) -> None:
        """Let one barrier pass, or handle one batch; then the tick, if it is due."""
        taken = self._prefetch.take(
            max_batch=self._pace.max_batch, max_wait_s=self._pace.max_wait_s, idle_s=self._pace.tick_s
        )
        with self.progress.busy():
            try:
                if isinstance(taken, Barrier):
                    self._turn(taken)
                else:
                    self._batches(taken)
                if self._clock.monotonic() >= self._next_tick_s:
                    self._tick()
            except Abandoned:
                log.info("batch abandoned")

    def _turn(self, barrier: Barrier) -> None:
        """Tell the handler what has changed, and pass the barrier on behind what was handled before it."""
        if barrier.turn is Turn.ASSIGNED:
            self._load_marks(barrier.partitions)
            self._handler.assigned(barrier.partitions)
        else:
            self._forget(barrier.partitions)
            self._handler.revoked(barrier.partitions)
        if barrier.turn is Turn.RESET:
            self._run = self._assignment.run
            self._load_marks(barrier.partitions)
            self._handler.assigned(barrier.partitions)
        self._flights.put_barrier(barrier)

    def _load_marks(self, partitions: Collection[Partition]) -> None:
        """Until Kafka answers: without its mark no record can be numbered. What goes meanwhile needs none."""
        while not self._signals.ending.is_set() and (ours := self._assignment.held().intersection(partitions)):
            try:
                self._marks.load(ours, self._loading)
            except Transient as later:
                self._metrics.retried()
                log.warning("marks put off", extra={"kind": type(later).__name__})
                self._signals.ending.wait(_LOOK_S)
                self.progress.moved()
            else:
                return

    def _loading(self) -> None:
        """While it comes on it is no hang. Raises Transient at the end of the process."""
        if self._signals.ending.is_set():
            raise Transient("ended while the marks were read")
        self.progress.moved()

    def _forget(self, partitions: Collection[Partition]) -> None:
        self._marks.drop(partitions)
        for partition in partitions:
            self._reached.pop(partition, None)

    def _batches(self, taken: Sequence[Taken[Item]]) -> None:
        for group in self._groups(taken):
            batch = self._prepared(group)
            outcome = self._handled(batch)
            if outcome is not None:
                self._send(batch, outcome)

    def _groups(self, taken: Sequence[Taken[Item]]) -> Iterator[list[Taken[Item]]]:
        """The batch as it came, or cut so that each record under suspicion is alone."""
        together: list[Taken[Item]] = []
        for one in taken:
            if one.record.position not in self._alone:
                together.append(one)
                continue
            if together:
                yield together
            yield [one]
            self._alone.discard(one.record.position)
            together = []
        if together:
            yield together

    def _prepared(self, group: Sequence[Taken[Item]]) -> Batch[Item]:
        """What became of each record that still counts, in order."""
        batch: Batch[Item] = Batch(self._run, self._marks.draft())
        for one in group:
            if not self._assignment.counts(one.record.home, one.generation):
                one.prepared.cancel()
                continue
            try:
                found = self._result(one)
            except Permanent as refused:
                self._refuse(batch, one.record, self._copied(batch, one.record, refused) or refused)
            else:
                if (copied := self._copied(batch, one.record)) is not None:
                    self._refuse(batch, one.record, copied)
                elif isinstance(found, Dropped):
                    batch.drop(one.record, found)
                else:
                    batch.add(one.record, found)
        return batch

    def _copied(self, batch: Batch[Item], record: Record, refused: Permanent | None = None) -> Copied | None:
        """Where a record of ours was read before, however it ends this time."""
        if isinstance(refused, Foreign) or not batch.marks.copied(record):
            return None
        return Copied(f"a record on {record.topic} whose number was passed")

    def _result(self, one: Taken[Item]) -> Item | Dropped:
        """What the pool made of the record; a Transient is tried again here."""
        try:
            return one.prepared.result()
        except Transient:
            self._metrics.retried()
            return self._insist(lambda: self._handler.prepare(one.record), {one.record.home})

    def _handled(self, batch: Batch[Item]) -> Outcome | None:
        """What the handler made of the items; None if nothing may be delivered."""
        if not batch.items:
            return NOTHING if batch.size else None
        began = self._clock.monotonic()
        try:
            outcome = self._insist(lambda: self._handler.handle(batch.items), batch.offsets.keys())
        except Permanent as refused:
            return self._refused(batch, refused)
        self._metrics.handled(batch.size, self._clock.monotonic() - began)
        return outcome

    def _refused(self, batch: Batch[Item], refused: Permanent) -> Outcome | None:
        """One record alone is the bad one. Of several nobody can tell: begin again, one at a time."""
        if batch.size == 1:
            alone: Batch[Item] = batch
            record = alone.items.pop().record
            self._refuse(alone, record, refused)
            return NOTHING if record.home not in self._assignment.parked() else None
        self._alone.update(prepared.record.position for prepared in batch.items)
        self._signals.request_reset(ResetReason.POISONED)
        return None

    def _refuse(self, batch: Batch[Item], record: Record, refused: Permanent) -> None:
        """A dead letter; where nothing may be skipped, the partition waits for somebody.

        What anybody could have written is nobody's loss: it is passed over there too.
        """
        if self._dead_letters is None and isinstance(refused, Foreign):
            log.warning("record passed over", extra={"reason": refused.reason, "position": str(record.position)})
            self._metrics.passed_over(refused.reason)
            batch.skip(record, foreign=True)
            return
        if self._dead_letters is None:
            log.error("partition parked", extra={"reason": refused.reason, "position": str(record.position)})
            self._assignment.park(record.home, refused.reason)
            return
        batch.skip(record, foreign=isinstance(refused, Foreign))
        self._bury(batch, DeadLetter.of(refused, record.position))

    def _bury(self, batch: Batch[Item], letter: DeadLetter) -> None:
        if self._dead_letters is None or self._guard is None:
            raise RuntimeError("the handler dead-letters where nothing may be skipped: raise Permanent instead")
        log.warning("record dead-lettered", extra={"reason": letter.reason, "position": str(letter.position)})
        if not letter.foreign:
            self._guard.dead(letter)
        self._metrics.dead_lettered(letter.reason)
        batch.bury(letter, self._dead_letters)

    def _send(self, batch: Batch[Item], outcome: Outcome) -> None:
        """Hand over for delivery; waits while too many are on their way."""
        for letter in outcome.dead:
            self._bury(batch, letter)
        if self._guard is not None:
            self._guard.passed(len(batch.items) - len(outcome.dead))
        self._reached.update(batch.offsets)
        flight = batch.flight(outcome)
        self._marks.take_over(batch.marks)
        self._flights.put(flight, self._signals.ending.is_set)

    def _tick(self) -> None:
        """Work that time brings. What is Transient waits for the next one."""
        self._next_tick_s = self._clock.monotonic() + self._pace.tick_s
        try:
            outcome = self._handler.tick()
        except Transient as later:
            log.warning("tick put off", extra={"kind": type(later).__name__})
            return
        if outcome != NOTHING:
            self._send(Batch(self._run, self._marks.draft(), self._reached), outcome)

    def _insist(self, call: Callable[[], T], partitions: Collection[Partition]) -> T:
        """Call until it is not Transient. Raises Abandoned when the records are not ours any more."""
        began_s = self._clock.monotonic()
        pause_s = _FIRST_RETRY_S
        while True:
            try:
                result = call()
            except Transient as later:
                self._metrics.retried()
                if self._clock.monotonic() - began_s > self._pace.transient_s:
                    self._assignment.struggle(partitions, "transient")
                log.warning("handler put off", extra={"kind": type(later).__name__, "pause_s": pause_s})
                self._wait(pause_s, partitions)
                pause_s = min(pause_s * 2, _MAX_RETRY_S)
            else:
                self._assignment.recover(partitions)
                return result

    def _wait(self, pause_s: float, partitions: Collection[Partition]) -> None:
        until = self._clock.monotonic() + pause_s
        while self._clock.monotonic() < until:
            if self._signals.ending.wait(_LOOK_S) or self._run != self._assignment.run:
                raise Abandoned
            if not self._assignment.held().issuperset(partitions):
                # The others of this batch have to be read again.
                self._signals.request_reset(ResetReason.REVOKED)
                raise Abandoned
            self.progress.moved()

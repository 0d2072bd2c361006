"""Last stage: outcomes are delivered in their order, beside the work on the next batch."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.contracts.errors import SignpostError
from services.runtime.clock import Clock
from services.runtime.kafka.assignment import Assignment
from services.runtime.kafka.broker import BrokerError, Fatal, Retriable
from services.runtime.kafka.commit import Commits, Overtaken
from services.runtime.kafka.counts import Ledger
from services.runtime.kafka.metrics import LoopMetrics
from services.runtime.kafka.prefetch import Barrier
from services.runtime.kafka.progress import Progress
from services.runtime.kafka.signals import ResetReason, Signals
from services.runtime.kafka.types import CountKey, Next, Outcome, Output, Partition

log = logging.getLogger(__name__)

CountsRecord = Callable[[Mapping[CountKey, int]], Output]

# Between two looks at an empty queue; what comes in the meantime wakes it at once.
_IDLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Flight:
    """An outcome on its way, with what the loop adds; of use only while its run is the present one."""

    run: int
    outcome: Outcome
    outputs: tuple[Output, ...]
    counts: Mapping[CountKey, int]
    gauges: Mapping[CountKey, int]
    offsets: Mapping[Partition, int]
    notes: Mapping[Partition, str]

    @property
    def positions(self) -> Mapping[Partition, Next]:
        """Where each partition goes on, and what is kept with that."""
        return {one: Next(offset, self.notes.get(one, "")) for one, offset in self.offsets.items()}


class Flights:
    """The bounded queue between the work thread, which puts, and the delivery thread, which takes."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._changed = threading.Condition()
        self._queue: deque[Flight | Barrier] = deque()

    def put(self, flight: Flight, ended: Callable[[], bool]) -> None:
        """Wait for room, then queue; drops the flight once the loop has `ended`, for then nobody takes it."""
        with self._changed:
            while len(self._queue) >= self._capacity and not ended():
                self._changed.wait(_IDLE_S)
            self._queue.append(flight)
            self._changed.notify_all()

    def put_barrier(self, barrier: Barrier) -> None:
        """Queue behind all flights; needs no room."""
        with self._changed:
            self._queue.append(barrier)
            self._changed.notify_all()

    def take(self) -> Flight | Barrier | None:
        """The next in order; None after a second without one, or when woken."""
        with self._changed:
            if not self._queue:
                self._changed.wait(_IDLE_S)
            if not self._queue:
                return None
            self._changed.notify_all()
            return self._queue.popleft()

    def wake(self) -> None:
        """Let both sides look again at whether the loop has ended."""
        with self._changed:
            self._changed.notify_all()


class Deliverer:
    """Owns the producer and the counts; only the delivery thread calls `step`."""

    def __init__(  # noqa: PLR0913 - wiring
        self,
        *,
        flights: Flights,
        commits: Commits,
        counts_record: CountsRecord | None,
        prove: Callable[[Output], Output],
        delivered: Callable[[Outcome], None],
        assignment: Assignment,
        signals: Signals,
        metrics: LoopMetrics,
        clock: Clock,
    ) -> None:
        self.progress = Progress(clock)
        self.last_commit_s: float | None = None
        self.aborts_in_a_row = 0
        self._flights = flights
        self._commits = commits
        self._counts_record = counts_record
        self._prove = prove
        self._delivered = delivered
        self._assignment = assignment
        self._signals = signals
        self._metrics = metrics
        self._clock = clock
        self._ledger = Ledger()

    def step(self) -> None:
        """Deliver one outcome, or let one barrier pass. Blocks for as long as the broker takes."""
        arrived = self._flights.take()
        if arrived is None:
            self._commits.idle()
        elif isinstance(arrived, Barrier):
            arrived.passed.set()
        elif not self._void(arrived):
            with self.progress.busy():
                self._deliver(arrived)

    def _deliver(self, flight: Flight) -> None:
        began = self._clock.monotonic()
        staged = self._ledger.stage(flight.counts, flight.gauges)
        outputs = flight.outputs
        if self._counts_record is not None and staged.changed:
            outputs = (*outputs, self._counts_record(staged.cumulative))
        if not outputs and not flight.offsets:
            return
        if self._commit(tuple(map(self._prove, outputs)), flight):
            self._ledger.commit(staged)
            self._assignment.committed(flight.offsets)
            self.aborts_in_a_row = 0
            self.last_commit_s = self._clock.monotonic()
            self._metrics.committed(self.last_commit_s - began)
            self._tell(flight.outcome)

    def _commit(self, outputs: Sequence[Output], flight: Flight) -> bool:
        """Whether all is committed; otherwise nothing is, and a reset is on its way.

        A refused outcome is delivered once more: it is a value, and most refusals are a rebalance that
        has moved the member's epoch on. Only the second one costs the handler its state.
        """
        try:
            if self._tried(outputs, flight) or self._tried(outputs, flight):
                return True
        except Overtaken:
            self._give_up()
            return False
        self.aborts_in_a_row += 1
        self._signals.request_reset(ResetReason.ABORTED)
        return False

    def _tried(self, outputs: Sequence[Output], flight: Flight) -> bool:
        try:
            self._commits.deliver(outputs, flight.positions, lambda: self._void(flight))
        except Fatal:
            raise
        except BrokerError as refused:
            log.warning("delivery refused", extra={"code": refused.code, "kind": type(refused).__name__})
            self._metrics.aborted()
            self._give_up()
            return False
        return True

    def _give_up(self) -> None:
        try:
            self._commits.give_up()
        except Retriable as late:
            log.warning("group not asked again", extra={"code": late.code})

    def _tell(self, outcome: Outcome) -> None:
        try:
            self._delivered(outcome)
        except SignpostError as missed:
            log.warning("handler missed a delivery", extra={"kind": type(missed).__name__})

    def _void(self, flight: Flight) -> bool:
        return flight.run != self._assignment.run

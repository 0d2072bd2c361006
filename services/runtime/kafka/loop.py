"""The one Kafka loop: poll, prepare, handle, deliver and commit, overlapped, each step with one owner.

    poll thread ──Prefetch──▶ work thread ──Flights──▶ delivery thread
    the consumer   ordered,    the handler    bounded    the producer, the counts
                   bounded,
                   prepared on a pool

Records and outcomes flow right, and so do barriers: an assignment, a revocation and a reset pass through
every stage in order, so that when a barrier has passed, all before it is settled. Trouble flows left, as
Signals: the poll thread alone acts on it. See docs/adr/0002-one-kafka-loop.md.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.runtime.clock import Clock
from services.runtime.kafka.assignment import Assignment
from services.runtime.kafka.broker import ConsumerPort, Fatal
from services.runtime.kafka.commit import Commits
from services.runtime.kafka.dead_letter import DeadLetters
from services.runtime.kafka.delivery import CountsRecord, Deliverer, Flights
from services.runtime.kafka.marks import Numbering
from services.runtime.kafka.metrics import LoopMetrics, Status
from services.runtime.kafka.offsets import Offsets
from services.runtime.kafka.poller import Poller
from services.runtime.kafka.prefetch import Prefetch
from services.runtime.kafka.signals import Signals
from services.runtime.kafka.types import Dropped, Handler, Output, Record
from services.runtime.kafka.work import Pace, Worker

log = logging.getLogger(__name__)

Item = TypeVar("Item")

# A stage's thread ends within this, once it has been told; only a hung handler does not, and is left behind.
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes and deadlines of a loop.

    `max_batch` records go to one `handle`, waiting `max_wait_ms` for a full batch; `prefetch_records`
    bounds what is polled and not yet handled; `in_flight` what is handled and not yet delivered.
    """

    max_batch: int = 8
    max_wait_ms: int = 5
    prefetch_records: int = 32
    prefetch_threads: int = 2
    in_flight: int = 2
    # Longest pause between two ticks of an idle handler.
    tick_s: float = 1.0
    # A revoked partition's work, and a stop's, must be committed within this or is given up. At 0 each
    # rebalance repeats work; it stays below max.poll.interval and the pod's termination grace.
    drain_s: float = 20.0
    # A Transient that lasts longer than this makes the partition count as stuck, and pages.
    transient_s: float = 30.0
    # A stage at one thing for longer than this is hung: the heartbeat stops. Above the slowest batch.
    stall_s: float = 60.0
    # A delivery at one call for longer than this is hung, and only a restart ends it: librdkafka may wait without
    # end for a coordinator that it has dropped (commit.STEP_S). Above every deadline of a single call (12 s).
    hung_s: float = 20.0
    # How long a poll waits for a record; a stop and a reset are noticed within it.
    poll_s: float = 0.1
    # Between two reports of how the loop stands, with its heartbeat.
    report_s: float = 1.0


def _as_it_is(output: Output) -> Output:
    return output


def _whatever(record: Record) -> None:
    """Of topics without proofs."""


def _checked(
    check: Callable[[Record], None], prepare: Callable[[Record], Item | Dropped]
) -> Callable[[Record], Item | Dropped]:
    def prepared(record: Record) -> Item | Dropped:
        check(record)
        return prepare(record)

    return prepared


class Loop(Generic[Item]):
    """Runs one handler over one consumer. `status` may be asked by any thread, `run` called once.

    `prove` makes of each record what is written: it is called last, on the delivery thread. `check` is called
    first for each record that was read, by several threads of the pool; raises Foreign for what is not ours.
    """

    def __init__(  # noqa: PLR0913 - the parts, by name
        self,
        handler: Handler[Item],
        *,
        topics: Sequence[str],
        consumer: ConsumerPort,
        commits: Commits,
        shape: Shape,
        counts_record: CountsRecord | None,
        dead_letters: DeadLetters | None,
        numbering: Numbering | None = None,
        prove: Callable[[Output], Output] = _as_it_is,
        check: Callable[[Record], None] = _whatever,
        metrics: LoopMetrics,
        heartbeat: Callable[[], None],
        clock: Clock,
    ) -> None:
        assignment = Assignment()
        self._commits = commits
        self._signals = Signals(assignment)
        self._prefetch = Prefetch(
            _checked(check, handler.prepare), capacity=shape.prefetch_records, threads=shape.prefetch_threads
        )
        self._offsets = Offsets(consumer, clock, wake=self._prefetch.nudge)
        self._flights = Flights(shape.in_flight)
        self._worker = Worker(
            handler=handler,
            pace=Pace(shape.max_batch, shape.max_wait_ms / 1000, shape.tick_s, shape.transient_s),
            prefetch=self._prefetch,
            flights=self._flights,
            dead_letters=dead_letters,
            numbering=numbering,
            assignment=assignment,
            signals=self._signals,
            metrics=metrics,
            clock=clock,
        )
        self._deliverer = Deliverer(
            flights=self._flights,
            commits=commits,
            counts_record=counts_record,
            prove=prove,
            delivered=handler.delivered,
            assignment=assignment,
            signals=self._signals,
            metrics=metrics,
            clock=clock,
        )
        self._poller = Poller(
            consumer=consumer,
            offsets=self._offsets,
            topics=topics,
            prefetch=self._prefetch,
            assignment=assignment,
            deliverer=self._deliverer,
            stages=(self._worker.progress, self._deliverer.progress),
            signals=self._signals,
            metrics=metrics,
            heartbeat=heartbeat,
            clock=clock,
            drain_s=shape.drain_s,
            stall_s=shape.stall_s,
            hung_s=shape.hung_s,
            report_s=shape.report_s,
            poll_s=shape.poll_s,
        )

    def status(self) -> Status:
        """How the loop stood at its last report."""
        return self._poller.status

    def run(self, stop: threading.Event) -> None:
        """Poll on this thread until `stop`, then finish what is in flight, commit and leave the group.

        Raises what stopped it otherwise: Fatal or Fenced of the broker, TooManyDeadLetters, or a bug's
        own exception. Then nothing of what was in flight is delivered; a restart reads it again.
        """
        try:
            self._commits.start(self._offsets, stop.is_set, self._deliverer.progress.retried)
        except Fatal:
            if stop.is_set():
                return
            raise
        stages = [
            self._stage("signpost-kafka-work", self._worker.step),
            self._stage("signpost-kafka-delivery", self._deliverer.step),
        ]
        try:
            self._poll(stop)
        finally:
            self._end(stages)
        if self._signals.failure is not None:
            raise self._signals.failure

    def _poll(self, stop: threading.Event) -> None:
        try:
            self._poller.start()
            while not stop.is_set() and self._signals.failure is None:
                self._poller.step()
        except BaseException as error:
            self._signals.fail(error)
            raise
        finally:
            self._poller.close()

    def _stage(self, name: str, step: Callable[[], None]) -> threading.Thread:
        def steps() -> None:
            while not self._signals.ending.is_set():
                try:
                    step()
                except BaseException as error:  # noqa: BLE001 - the top of a loop's thread: `run` raises it
                    self._signals.fail(error)

        thread = threading.Thread(target=steps, name=name, daemon=True)
        thread.start()
        return thread

    def _end(self, stages: Sequence[threading.Thread]) -> None:
        self._signals.ending.set()
        self._prefetch.wake()
        self._flights.wake()
        for stage in stages:
            stage.join(_JOIN_S)
            if stage.is_alive():
                log.error("stage left behind", extra={"stage": stage.name})
        self._prefetch.close()

"""The poll thread: the only one to touch the consumer, and the one place that decides what is paused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Generic, TypeVar

from services.runtime.clock import Clock
from services.runtime.kafka.assignment import Assignment
from services.runtime.kafka.broker import ConsumerPort, Fatal, RebalanceListener, Retriable
from services.runtime.kafka.delivery import Deliverer
from services.runtime.kafka.metrics import LoopMetrics, Status
from services.runtime.kafka.offsets import Offsets
from services.runtime.kafka.prefetch import Barrier, Prefetch, Turn
from services.runtime.kafka.progress import Progress
from services.runtime.kafka.signals import ResetReason, Signals
from services.runtime.kafka.types import Partition, Record

log = logging.getLogger(__name__)

Item = TypeVar("Item")

# How long a poll may wait while all is paused: resuming late leaves the work thread idle.
_PAUSED_POLL_S = 0.02
# How long a full queue is waited for before pausing: a pause throws away what was fetched ahead. Rebalances
# wait for it, so it stays far below max.poll.interval.
_PAUSE_AFTER_S = 0.5
# Pauses after aborted deliveries, doubled from the first to the last.
_FIRST_BACKOFF_S = 0.1
_MAX_BACKOFF_S = 10.0
# Between two looks at a barrier.
_LOOK_S = 0.01


class Poller(Generic[Item]):
    """Owns the consumer and what is paused. Only the thread that runs the loop calls any of it.

    A reset, whoever asked for it, is carried out here in three steps, polling all the while: a barrier
    goes through the stages; when it has passed, every earlier outcome is committed or void; then each
    partition is read again from what is committed.
    """

    def __init__(  # noqa: PLR0913 - wiring
        self,
        *,
        consumer: ConsumerPort,
        offsets: Offsets,
        topics: Sequence[str],
        prefetch: Prefetch[Item],
        assignment: Assignment,
        deliverer: Deliverer,
        stages: Sequence[Progress],
        signals: Signals,
        metrics: LoopMetrics,
        heartbeat: Callable[[], None],
        clock: Clock,
        drain_s: float,
        stall_s: float,
        hung_s: float,
        report_s: float,
        poll_s: float,
    ) -> None:
        self.status = Status()
        self._consumer = consumer
        self._offsets = offsets
        self._topics = topics
        self._prefetch = prefetch
        self._assignment = assignment
        self._deliverer = deliverer
        self._stages = stages
        self._signals = signals
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._clock = clock
        self._drain_s = drain_s
        self._stall_s = stall_s
        self._hung_s = hung_s
        self._report_s = report_s
        self._poll_s = poll_s
        self._joined = False
        self._paused: frozenset[Partition] = frozenset()
        self._full = False
        self._resetting: Barrier | None = None
        self._go_on_s = 0.0
        self._next_report_s = 0.0

    def start(self) -> None:
        """Join the group."""
        self._consumer.subscribe(self._topics, RebalanceListener(self._assigned, self._revoked, self._lost))

    def step(self) -> None:
        """One round: carry a reset on, set what is paused, poll, hand over, run errands, report."""
        self._reset()
        most = self._most()
        self._pause()
        for record in self._consumer.poll(most, _PAUSED_POLL_S if self._paused else self._poll_s):
            self._accept(record)
        self._offsets.serve()
        self._report()

    def close(self) -> None:
        """Finish what is in flight within `drain_s`, commit it, leave the group."""
        try:
            self._revoked(self._assignment.held())
        finally:
            self._offsets.close()
            self._consumer.close()

    def _accept(self, record: Record) -> None:
        generation = self._assignment.stamp(record)
        # During a reset everything is read again anyhow.
        resetting = self._resetting is not None or self._signals.reset_asked
        if generation is not None and not resetting:
            self._prefetch.put(record, generation)

    def _most(self) -> int:
        """How many records may come; a full queue is waited for a little, then makes a pause."""
        if self._full:
            self._full = not self._prefetch.half_empty()
        elif self._resetting is None:
            self._full = not self._room()
        return max(1, self._prefetch.room())

    def _room(self) -> bool:
        """Wait a little for room, making the calls that others wait for."""
        until = self._clock.monotonic() + _PAUSE_AFTER_S
        while not self._prefetch.wait_for_room(max(0.0, until - self._clock.monotonic())):
            self._offsets.serve()
            if self._clock.monotonic() >= until:
                return False
        return True

    def _pause(self) -> None:
        """Make what is paused what should be."""
        everything = self._full or self._resetting is not None
        wanted = self._assignment.held() if everything else self._assignment.parked()
        if more := wanted - self._paused:
            self._consumer.pause(more)
        if fewer := self._paused - wanted:
            self._consumer.resume(fewer)
        self._paused = wanted

    def _reset(self) -> None:
        reason = self._signals.take_reset()
        if reason is not None:
            log.warning("beginning again at what is committed", extra={"reason": reason.value})
            self._metrics.reset(reason.value)
            self._resetting = self._prefetch.put_barrier(Turn.RESET, self._assignment.held())
            self._go_on_s = self._clock.monotonic() + self._backoff_s()
        if self._resetting is not None and self._resetting.passed.is_set():
            self._rewind()

    def _rewind(self) -> None:
        if self._clock.monotonic() < self._go_on_s:
            return
        try:
            for position in self._assignment.resume_positions():
                self._consumer.seek(position)
        except Retriable as later:
            log.info("rewind put off", extra={"code": later.code})
            return
        self._resetting = None

    def _backoff_s(self) -> float:
        aborts = self._deliverer.aborts_in_a_row
        return min(_FIRST_BACKOFF_S * 2.0 ** (aborts - 1), _MAX_BACKOFF_S) if aborts else 0.0

    def _assigned(self, partitions: Collection[Partition]) -> None:
        self._joined = True
        self._assignment.add(partitions)
        if partitions:
            self._prefetch.put_barrier(Turn.ASSIGNED, partitions)
        log.info("partitions assigned", extra={"partitions": _names(partitions)})

    def _revoked(self, partitions: Collection[Partition]) -> None:
        """Take no more of these, and wait until what is in flight of them is committed."""
        barrier = self._remove(partitions)
        if barrier is None or self._signals.failure is not None:
            return
        if not self._passes(barrier):
            log.error("drain cut short", extra={"deadline_s": self._drain_s})
            self._signals.request_reset(ResetReason.REVOKED)

    def _lost(self, partitions: Collection[Partition]) -> None:
        """The group has given these to others: nothing in flight may be delivered."""
        if self._remove(partitions) is not None:
            self._signals.request_reset(ResetReason.LOST)

    def _remove(self, partitions: Collection[Partition]) -> Barrier | None:
        gone = self._assignment.held().intersection(partitions)
        if not gone:
            return None
        log.info("partitions removed", extra={"partitions": _names(gone)})
        # librdkafka keeps a partition's pause beyond its assignment.
        if asleep := self._paused & gone:
            self._consumer.resume(asleep)
        self._paused -= gone
        self._assignment.remove(gone)
        return self._prefetch.put_barrier(Turn.REVOKED, gone)

    def _passes(self, barrier: Barrier) -> bool:
        until = self._clock.monotonic() + self._drain_s
        while not barrier.passed.wait(_LOOK_S):
            self._offsets.serve()
            self._beat()
            self._give_up_hung()
            if self._signals.failure is not None or self._clock.monotonic() > until:
                return False
        return True

    def _report(self) -> None:
        if self._clock.monotonic() < self._next_report_s:
            return
        self._next_report_s = self._clock.monotonic() + self._report_s
        self._beat()
        self._give_up_hung()
        self.status = Status(
            joined=self._joined,
            lag=self._lag(),
            paused=self._paused,
            stuck=self._assignment.stuck(),
            last_commit_s=self._deliverer.last_commit_s,
        )
        self._metrics.stands(self.status)

    def _beat(self) -> None:
        if not any(stage.stalled(self._stall_s) for stage in self._stages):
            self._heartbeat()

    def _give_up_hung(self) -> None:
        """Stop where a delivery can neither end nor be ended: what it had is read again after a restart."""
        if self._deliverer.progress.stalled(self._hung_s):
            self._signals.fail(Fatal("_TIMED_OUT", f"a delivery has been at one call for {self._hung_s} s"))

    def _lag(self) -> dict[Partition, int]:
        lag = dict.fromkeys(self._assignment.held(), 0)
        for position in self._assignment.resume_positions():
            partition = Partition(position.topic, position.partition)
            end = self._consumer.end_offset(partition)
            lag[partition] = max(0, end - position.offset) if end is not None else 0
        return lag


def _names(partitions: Collection[Partition]) -> str:
    return ", ".join(f"{topic}/{number}" for topic, number in sorted(partitions))

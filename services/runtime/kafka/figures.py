"""What the loop reports, as metrics that a service has declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from services.runtime.kafka.metrics import Status
from services.runtime.kafka.signals import ResetReason
from services.runtime.metrics import Counter, Gauge, Histogram

# Why a record may be anybody's; other reasons there are not.
FOREIGN = ("undecodable", "not_authentic", "unproven", "copied")


class LoopSpecs(NamedTuple):
    """The loop's metrics under a service's own names: its `metrics.py` declares one, as `LOOP`.

    `resets` has one label, the ResetReason. `assigned` counts all partitions held, beside a gauge of those that
    are `stuck`; without one it has the label `state` (moving, stuck). `passed_over` has one label, FOREIGN; a loop
    with dead letters has none.
    """

    lag: Gauge
    assigned: Gauge
    commit_seconds: Histogram
    aborts: Counter
    resets: Counter
    retries: Counter
    kafka_errors: Counter
    stuck: Gauge | None = None
    passed_over: Counter | None = None
    batch_seconds: Histogram | None = None


def _nothing_may_be_skipped(reason: str) -> None:
    raise RuntimeError("this loop has no dead letters")


class LoopFigures:
    """`LoopMetrics` in a registry. Any thread; never blocks."""

    def __init__(
        self,
        registry: CollectorRegistry,
        specs: LoopSpecs,
        *,
        dead_lettered: Callable[[str], None] = _nothing_may_be_skipped,
    ) -> None:
        """`dead_lettered` is told the reason: what is lost so is counted among the service's own figures."""
        self._lag = specs.lag.on(registry)
        self._partitions = _partitions(registry, specs)
        self._batch_s = specs.batch_seconds.on(registry) if specs.batch_seconds else None
        self._commit_s = specs.commit_seconds.on(registry)
        self._aborts = specs.aborts.on(registry)
        self._resets = specs.resets.on(registry)
        (self._reset_label,) = specs.resets.labels
        self._retries = specs.retries.on(registry)
        self._errors = specs.kafka_errors.on(registry)
        self._passed_over = specs.passed_over.on(registry) if specs.passed_over else None
        self.dead_lettered = dead_lettered

    def handled(self, records: int, seconds: float) -> None:
        if self._batch_s is not None:
            self._batch_s.observe(seconds)

    def committed(self, seconds: float) -> None:
        self._commit_s.observe(seconds)

    def aborted(self) -> None:
        self._aborts.inc()

    def reset(self, reason: str) -> None:
        self._resets.inc(**{self._reset_label: ResetReason(reason)})

    def passed_over(self, reason: str) -> None:
        if self._passed_over is not None:
            self._passed_over.inc(reason=reason)

    def retried(self) -> None:
        self._retries.inc()

    def stands(self, status: Status) -> None:
        self._lag.set(sum(status.lag.values()))
        self._partitions(len(status.assigned), len(status.stuck))

    def kafka_error(self, code: str) -> None:
        """An error of the client that passes by itself; its code is in the log."""
        self._errors.inc()


def _partitions(registry: CollectorRegistry, specs: LoopSpecs) -> Callable[[int, int], None]:
    """What shows how many partitions are held, and how many of them are stuck."""
    assigned = specs.assigned.on(registry)
    if specs.stuck is None:

        def by_state(held: int, stuck: int) -> None:
            assigned.set(stuck, state="stuck")
            assigned.set(held - stuck, state="moving")

        return by_state
    stuck_gauge = specs.stuck.on(registry)

    def beside(held: int, stuck: int) -> None:
        assigned.set(held)
        stuck_gauge.set(stuck)

    return beside

"""What the Kafka loop reports, as review's metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from services.review import metrics
from services.runtime.kafka.metrics import Status
from services.runtime.kafka.signals import ResetReason


class LoopFigures:
    """`LoopMetrics` in a registry. Any thread; never blocks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = metrics.LOOP_LAG.on(registry)
        self._partitions = metrics.LOOP_PARTITIONS.on(registry)
        self._stuck = metrics.LOOP_STUCK.on(registry)
        self._batch_s = metrics.LOOP_BATCH_SECONDS.on(registry)
        self._commit_s = metrics.LOOP_COMMIT_SECONDS.on(registry)
        self._aborts = metrics.LOOP_ABORTS.on(registry)
        self._resets = metrics.LOOP_RESETS.on(registry, reason=[reason.value for reason in ResetReason])
        self._retries = metrics.LOOP_RETRIES.on(registry)
        self._errors = metrics.KAFKA_ERRORS.on(registry)

    def handled(self, records: int, seconds: float) -> None:
        self._batch_s.observe(seconds)

    def committed(self, seconds: float) -> None:
        self._commit_s.observe(seconds)

    def aborted(self) -> None:
        self._aborts.inc()

    def reset(self, reason: str) -> None:
        self._resets.inc(reason=reason)

    def dead_lettered(self, reason: str) -> None:
        raise RuntimeError("no alert is ever dead-lettered")

    def retried(self) -> None:
        self._retries.inc()

    def stands(self, status: Status) -> None:
        self._lag.set(sum(status.lag.values()))
        self._partitions.set(len(status.assigned))
        self._stuck.set(len(status.stuck))

    def kafka_error(self, code: str) -> None:
        """An error of the client that passes by itself; its code is in the log."""
        self._errors.inc()

"""What the Kafka loop reports, as embed's metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from services.embed import metrics
from services.embed.metrics import EmbedMetrics, ResetCause
from services.runtime.kafka.metrics import Status


class EmbedLoopMetrics:
    """`LoopMetrics`, from whichever thread did it."""

    def __init__(self, registry: CollectorRegistry, embed: EmbedMetrics) -> None:
        self._embed = embed
        self._commits = metrics.COMMIT_SECONDS.on(registry)
        self._aborts = metrics.ABORTS.on(registry)
        self._resets = metrics.RESETS.on(registry)
        self._retries = metrics.RETRIES.on(registry)
        self._lag = metrics.LAG_FRAMES.on(registry)
        self._partitions = metrics.PARTITIONS.on(registry)
        self._kafka_errors = metrics.KAFKA_ERRORS.on(registry)

    def handled(self, records: int, seconds: float) -> None:
        """The stages' own histograms say more."""

    def committed(self, seconds: float) -> None:
        self._commits.observe(seconds)

    def aborted(self) -> None:
        self._aborts.inc()

    def reset(self, reason: str) -> None:
        self._resets.inc(cause=ResetCause(reason))

    def dead_lettered(self, reason: str) -> None:
        self._embed.dead_lettered()

    def retried(self) -> None:
        self._retries.inc()

    def stands(self, status: Status) -> None:
        self._lag.set(sum(status.lag.values()))
        self._partitions.set(len(status.stuck), state="stuck")
        self._partitions.set(len(status.assigned) - len(status.stuck), state="moving")

    def kafka_error(self, code: str) -> None:
        """A client met an error that passes by itself; its code is in the log."""
        self._kafka_errors.inc()

"""Ingest as a process runs it: what starts, turns, drains and ends, in which order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from services.ingest.core.reasons import Loss
from services.ingest.outbox import Outbox
from services.ingest.pipeline import Pipeline
from services.ingest.sharing import Sharing
from services.runtime.clock import Clock

log = logging.getLogger(__name__)

_TURN_EVERY_S = 0.1
# The publishing thread may wait for a full client (5 s) or a silent key store (5 s a store) and still be well.
_PIPELINE_STALE_S = 15.0
# Of the drain's time: what is left for the last counts and the leases once frames have had theirs.
_FOR_FRAMES = 0.6


class IngestService:
    """`Service` of runtime's process. The main thread shares the cameras, a second one publishes."""

    def __init__(
        self,
        sharing: Sharing,
        pipeline: Pipeline,
        outbox: Outbox,
        *,
        clock: Clock,
        beat: Callable[[], None],
        connect: Callable[[], None],
        kafka_answers: Callable[[], bool],
        close: Callable[[], None],
    ) -> None:
        self._sharing = sharing
        self._pipeline = pipeline
        self._outbox = outbox
        self._clock = clock
        self._beat = beat
        self._connect = connect
        self._kafka_answers = kafka_answers
        self._close = close
        self._ended = threading.Event()
        self._publishing = threading.Thread(
            target=pipeline.run, args=(self._ended,), name="signpost-ingest-publish", daemon=True
        )

    def start(self) -> None:
        self._connect()
        self._publishing.start()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._turn()
            stop.wait(_TURN_EVERY_S)

    def drain(self, within_s: float) -> bool:
        until_s = self._clock.monotonic() + within_s
        self._sharing.stop_readings()
        drained = self._settled(self._clock.monotonic() + within_s * _FOR_FRAMES)
        for reading in self._sharing.readings:
            self._outbox.discard(reading.camera.id, Loss.STOPPED)
        drained = self._settled(until_s) and drained
        self._sharing.release()
        return drained

    def close(self) -> None:
        self._sharing.stop_readings()
        self._ended.set()
        if self._publishing.is_alive():
            self._publishing.join(_PIPELINE_STALE_S)
        self._close()

    def ready(self) -> Mapping[str, bool]:
        return {
            "kafka": self._kafka_answers(),
            "redis_volatile": self._sharing.store_answers,
            "keys": self._pipeline.keys_usable,
        }

    def _turn(self) -> None:
        self._sharing.turn()
        if self._clock.monotonic() - self._pipeline.turned_at_s < _PIPELINE_STALE_S:
            self._beat()

    def _settled(self, until_s: float) -> bool:
        """Whether everything is published and accounted for, renewing the leases meanwhile."""
        while not self._outbox.wait_until_empty(min(1.0, max(0.0, until_s - self._clock.monotonic()))):
            if self._clock.monotonic() >= until_s or not self._publishing.is_alive():
                return False
            self._sharing.renew()
        return True

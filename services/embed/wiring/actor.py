"""A worker inside an actor: built from the actor's own environment, run on a thread of its own."""

from __future__ import annotations

import logging
import os
import threading

from prometheus_client import generate_latest

from services.embed.core.shots import Policy
from services.embed.ports import WorkerStatus
from services.embed.settings import EmbedSettings
from services.embed.wiring.worker import WorkerUnderAuthority
from services.runtime import logs
from services.runtime.clock import SystemClock
from services.runtime.guards import REAL, Guards
from services.runtime.health import Heartbeat
from services.runtime.kafka.commit import FaultPoint, no_fault
from services.runtime.metrics import new_registry
from services.runtime.process import Context, forbid_core_dumps
from services.runtime.settings import load

log = logging.getLogger(__name__)


class HostedWorker:
    """`ray_fleet.Hosted`. Secrets are read from the environment here: they never travel through Ray."""

    def __init__(
        self, slot: str, *, policy: Policy | None = None, guards: Guards = REAL, faults: FaultPoint = no_fault
    ) -> None:
        settings = load(EmbedSettings)
        logs.configure("embed", settings.instance, settings.log_level)
        forbid_core_dumps()
        clock = SystemClock()
        self._context = Context(clock, new_registry(), Heartbeat(clock), settings.instance)
        self._digest = settings.digest
        self._worker = WorkerUnderAuthority(
            settings, self._context, slot=slot, policy=policy, guards=guards, faults=faults
        )
        self._stop = threading.Event()
        self._failure = ""
        self._thread = threading.Thread(target=self._live, name="signpost-embed-worker", daemon=True)
        self._thread.start()

    def status(self) -> WorkerStatus:
        """See `Hosted.status`."""
        ended = not self._thread.is_alive()
        return WorkerStatus(
            alive=not ended and self._context.heartbeat.is_fresh(),
            ready=not ended and all(self._worker.ready().values()),
            ended=ended,
            lag=self._worker.lag(),
            pid=os.getpid(),
            settings_digest=self._digest,
            failure=self._failure,
        )

    def metrics_text(self) -> str:
        """See `Hosted.metrics_text`."""
        return generate_latest(self._context.registry).decode()

    def drain(self) -> None:
        """See `Hosted.drain`."""
        self._stop.set()

    def _live(self) -> None:
        try:
            self._worker.start()
            self._worker.run(self._stop)
        except Exception as error:  # the actor's boundary: the supervisor sees the failure and begins anew
            self._failure = type(error).__name__
            log.critical("worker stopped", exc_info=True)
        finally:
            self._worker.close()

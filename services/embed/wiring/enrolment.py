"""The enrolment server on real parts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from services.embed.edges.grpc_enrolment import EnrolmentServer
from services.embed.edges.photo_process import PhotoProcess
from services.embed.enrolment import Enroller
from services.embed.metrics import ENROLMENT_DOORS, EnrolmentMetrics
from services.embed.settings import EnrolmentSettings
from services.embed.wiring.models import load_models
from services.runtime.doors.figures import DoorFigures
from services.runtime.process import Context

log = logging.getLogger(__name__)

# gRPC works on its own threads; this only says that the process lives.
_BEAT_S = 1.0


class EnrolmentService:
    """The process's service."""

    def __init__(self, settings: EnrolmentSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._metrics = EnrolmentMetrics(context.registry)
        self._max_pixels = int(settings.max_picture_mpx * 1e6)
        self._photographs = PhotoProcess(max_pixels=self._max_pixels)
        self._server: EnrolmentServer | None = None
        self._serving = False

    def start(self) -> None:
        """Load the models, then listen. Raises Misconfigured."""
        settings = self._settings
        detector, recogniser = load_models(
            settings, self._context, min_inter_eye_px=settings.enrolment_min_inter_eye_px
        )
        enroller = Enroller(
            detector,
            recogniser,
            self._photographs,
            settings.enrolment_limits,
            max_pixels=self._max_pixels,
        )
        self._server = EnrolmentServer(
            enroller,
            self._metrics,
            settings.grpc_host,
            settings.grpc_port,
            max_bytes=settings.max_picture_bytes,
            figures=DoorFigures(self._context.registry, ENROLMENT_DOORS),
        )
        self._server.start()
        self._serving = True
        log.info("enrolment server listens", extra={"grpc_port": self._server.port})

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(_BEAT_S):
            self._context.heartbeat.beat()

    def drain(self, within_s: float) -> bool:
        self._serving = False
        return self._server is None or self._server.stop(within_s)

    def close(self) -> None:
        if self._server is not None:
            self._server.stop(0)
        self._photographs.close()

    def ready(self) -> Mapping[str, bool]:
        return {"serving": self._serving}


def build_enrolment(settings: EnrolmentSettings, context: Context) -> EnrolmentService:
    """The enrolment server. Connects to nothing yet."""
    return EnrolmentService(settings, context)

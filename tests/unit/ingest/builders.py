"""Small builders of what ingest's tests are about."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.contracts.authority import Authority, Camera
from services.contracts.ids import CameraId
from services.ingest.core.holding import Holding
from services.ingest.core.readings import Picture
from services.ingest.metrics import IngestMetrics
from services.ingest.outbox import Run
from services.runtime.metrics import new_registry
from tests.fakes.clock import A_MORNING

DEPLOYMENT = "oxford-street-1"


def a_camera(name: str = "gate-1", **changes: object) -> Camera:
    return Camera.model_validate({"id": name, "source": "rtsp", "address": "rtsp://camera/1", **changes})


def an_authority(*cameras: Camera, use_case: str = "exercise", hours: float = 1) -> Authority:
    return Authority.model_validate(
        {
            "deployment": DEPLOYMENT,
            "use_case": use_case,
            "purpose": "tests",
            "cameras": cameras or (a_camera(),),
            "window": {"start": A_MORNING, "end": A_MORNING + timedelta(hours=hours)},
            "watchlist": {"name": "blue", "max_entries": 9, "score_kind": "raw", "thresholds": {1: 0.5}},
        }
    )


def metrics(*cameras: str) -> IngestMetrics:
    return IngestMetrics(new_registry(), cameras or ("gate-1",))


def a_holding(camera: str = "gate-1", *, ttl_s: float = 1000.0) -> Holding:
    return Holding(CameraId(camera), 5, asked_s=0.0, ttl_s=ttl_s)


def a_run(camera: Camera | None = None, *, epoch: int = 1, holding: Holding | None = None) -> Run:
    camera = camera or a_camera()
    return Run(camera, holding or a_holding(camera.id), epoch)


def a_picture(read: int = 1, *, at: datetime = A_MORNING) -> Picture:
    return Picture(at, read / 5, read, 320, 240, b"\xff\xd8 a picture")

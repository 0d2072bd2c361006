"""Small builders of events with real-looking values: name only what the test is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import yaml

from services.contracts import ids
from services.contracts.authority import Authority
from services.contracts.events import AlertRaised, Box, FaceObserved, FrameCaptured, ScoreKind, Shot, Vector

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DEPLOYMENT = ids.DeploymentId("oxford-street-1")
CAMERA = ids.CameraId("gate-1")


def an_authority_of(text: str) -> Authority:
    """From YAML, for tests that write the bounds down."""
    return Authority.model_validate(yaml.safe_load(text))


def a_vector(*, size: int = 128, seed: int = 1) -> Vector:
    raw = np.random.default_rng(seed).standard_normal(size)
    return np.asarray(raw / np.linalg.norm(raw), dtype=np.float32)


def a_frame(**changes: Any) -> FrameCaptured:
    values: dict[str, Any] = {
        "deployment": DEPLOYMENT,
        "trace_id": ids.derived("trace", "gate-1.3.1.12"),
        "captured_at": NOON,
        "camera": CAMERA,
        "lease": 3,
        "epoch": 1,
        "sequence": 12,
        "read": 60,
        "dropped_before": 2,
        "width_px": 1280,
        "height_px": 720,
        "position_s": 12.25,
        "jpeg": b"\xff\xd8 a picture \xff\xd9",
    }
    return FrameCaptured(**(values | changes))


def a_shot(**changes: Any) -> Shot:
    values: dict[str, Any] = {
        "jpeg": b"\xff\xd8 a crop \xff\xd9",
        "captured_at": NOON,
        "box": Box(100.0, 50.0, 64.0, 80.0),
        "quality": 0.75,
    }
    return Shot(**(values | changes))


def a_face(**changes: Any) -> FaceObserved:
    frame = ids.frame_id(CAMERA, 3, 1, 12)
    values: dict[str, Any] = {
        "deployment": DEPLOYMENT,
        "trace_id": ids.derived("trace", frame),
        "captured_at": NOON,
        "camera": CAMERA,
        "track": ids.track_id(frame, 0),
        "revision": 1,
        "model_id": "sface-0123456789abcdef",
        "quality": 0.75,
        "first_seen_at": NOON - timedelta(seconds=1),
        "vector": a_vector(),
        "shots": (a_shot(),),
        "context_jpeg": b"\xff\xd8 around it \xff\xd9",
    }
    return FaceObserved(**(values | changes))


def an_alert(**changes: Any) -> AlertRaised:
    track = ids.track_id(ids.frame_id(CAMERA, 3, 1, 12), 0)
    subject = ids.SubjectToken("5" * 32)
    values: dict[str, Any] = {
        "deployment": DEPLOYMENT,
        "trace_id": ids.derived("trace", track),
        "captured_at": NOON,
        "alert": ids.alert_id(track, "digest", subject),
        "subject": subject,
        "camera": CAMERA,
        "track": track,
        "revision": 1,
        "model_id": "sface-0123456789abcdef",
        "list_digest": "digest",
        "score_kind": ScoreKind.GALLERY_NORMALISED,
        "searched_at": NOON + timedelta(milliseconds=300),
        "authority_version": 1,
        "shots": (a_shot(),),
        "context_jpeg": b"\xff\xd8 around it \xff\xd9",
        "raw_score": 0.75,
        "score": 0.5,
        "threshold": 0.375,
    }
    return AlertRaised(**(values | changes))

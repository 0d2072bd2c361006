"""Deployment documents for exercises on this machine: who may be looked for, where, until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from services.contracts.authority import Pace, SourceKind

# SFace, gallery-normalised, by number of shots fused: about one false alert in a thousand passages of strangers
# (`python -m evaluation.accuracy`; docs/adr/0003-models-and-runtimes.md has the figures and their limits).
THRESHOLDS = {1: 0.40, 3: 0.42, 5: 0.43}
# The same for raw cosines against at most a hundred entries.
RAW_THRESHOLDS = {1: 0.53, 3: 0.57, 5: 0.58}


@dataclass(frozen=True)
class ExerciseCamera:
    """A camera of an exercise: a film, or a folder of pictures."""

    id: str
    path: Path
    rate_fps: float = 5.0
    loop: bool = False
    pace: Pace = Pace.REAL_TIME

    def as_document(self) -> dict[str, Any]:
        source = SourceKind.FOLDER if self.path.is_dir() else SourceKind.FILE
        return {
            "id": self.id,
            "source": source.value,
            "address": str(self.path.resolve()),
            "rate_fps": self.rate_fps,
            "loop": self.loop,
            "pace": self.pace.value,
        }


def exercise_document(
    deployment: str,
    cameras: Sequence[ExerciseCamera],
    *,
    now: datetime,
    lasts: timedelta = timedelta(hours=4),
    verification: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A whole deployment document for use case `exercise`, from a minute ago on."""
    return {
        "deployment": deployment,
        "use_case": "exercise",
        "purpose": "Exercise with consenting subjects: measure whether listed people are found, dispatch nobody.",
        "cameras": [camera.as_document() for camera in cameras],
        "window": {
            "start": (now - timedelta(minutes=1)).isoformat(),
            "end": (now + lasts).isoformat(),
        },
        "watchlist": {
            "name": "blue",
            "max_entries": 1000,
            "score_kind": "gallery_normalised",
            "thresholds": THRESHOLDS,
        },
        "verification": verification or {},
    }


def first_document(
    deployment: str, cameras: Mapping[str, str], *, use_case: str, purpose: str, now: datetime, lasts: timedelta
) -> dict[str, Any]:
    """A document to begin with: RTSP `cameras` by id, a short list, raw scores."""
    return {
        "deployment": deployment,
        "use_case": use_case,
        "purpose": purpose,
        "cameras": [
            {"id": name, "source": SourceKind.RTSP.value, "address": address, "rate_fps": 5.0}
            for name, address in cameras.items()
        ],
        "window": {"start": now.isoformat(timespec="seconds"), "end": (now + lasts).isoformat(timespec="seconds")},
        "watchlist": {
            "name": "faces",
            "max_entries": 100,
            "score_kind": "raw",
            "thresholds": RAW_THRESHOLDS,
        },
    }


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Write a deployment document as YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False))

"""Drafts for exercises on this machine, and how their cameras are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from console.authority import files, first_draft
from console.authority.first_draft import FirstCamera, FirstList, Who
from services.contracts.authority import Pace, SourceKind
from services.contracts.events import ScoreKind

_WHO = Who(organisation="sample-organisation", author="sample-author", accountable_person="sample-accountable")


@dataclass(frozen=True)
class ExerciseCamera:
    """A camera of an exercise: a film, or a folder of pictures."""

    id: str
    path: Path
    rate_fps: float = 5.0
    loop: bool = False
    pace: Pace = Pace.REAL_TIME

    @property
    def source(self) -> SourceKind:
        return SourceKind.FOLDER if self.path.is_dir() else SourceKind.FILE

    def as_read(self) -> dict[str, Any]:
        """How it is read, for ingest."""
        return {
            "id": self.id,
            "source": self.source.value,
            "address": str(self.path.resolve()),
            "rate_fps": self.rate_fps,
            "loop": self.loop,
            "pace": self.pace.value,
        }


def write_exercise(
    path: Path,
    deployment: str,
    cameras: Sequence[ExerciseCamera],
    *,
    now: datetime,
    lasts: timedelta = timedelta(hours=4),
    verification: Mapping[str, Any],
) -> None:
    """Write the draft of an exercise from now on, its papers, and how its cameras are read."""
    fields = first_draft.exercise(
        deployment,
        [FirstCamera(camera.id, camera.source) for camera in cameras],
        FirstList(id="blue", max_entries=1000, score_kind=ScoreKind.GALLERY_NORMALISED),
        who=_WHO,
        papers=files.papers_path(path).name,
        now=now,
        lasts=lasts,
        verification=verification,
    )
    files.write_first(path, fields, first_draft.stubs(deployment))
    files.write_cameras(files.cameras_path(path), [camera.as_read() for camera in cameras])

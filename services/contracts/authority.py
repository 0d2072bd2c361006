"""A deployment's bounds as the services are built on them; `authorisation.bridge` makes them of what was signed.

Whether they stand at this moment is not theirs to say: that is asked of `standing`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from services.contracts.events import ScoreKind
from services.contracts.names import LABEL_PATTERN

Name = Annotated[str, StringConstraints(pattern=rf"^{LABEL_PATTERN}$")]


class UseCase(StrEnum):
    """LIVE admits live cameras only; EXERCISE has consenting subjects, no dispatch, and says so on every page."""

    LIVE = "live"
    EXERCISE = "exercise"


class SourceKind(StrEnum):
    """Where a camera's frames come from. Only RTSP is live."""

    RTSP = "rtsp"
    FILE = "file"
    FOLDER = "folder"


ADMITTED_SOURCES = {
    UseCase.LIVE: frozenset({SourceKind.RTSP}),
    UseCase.EXERCISE: frozenset(SourceKind),
}


class Pace(StrEnum):
    """How a file or folder plays: at its own rate, or as fast as the pipeline takes it."""

    REAL_TIME = "real_time"
    AS_FAST_AS_TAKEN = "as_fast_as_taken"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Camera(_Part):
    """One camera and how it is read. `address` may carry a password: it has no repr and is never logged."""

    id: Name
    source: SourceKind
    address: str = Field(repr=False, min_length=1)
    transport: Annotated[str, StringConstraints(pattern="^(tcp|udp)$")] = "tcp"
    rate_fps: float = Field(default=5.0, gt=0, le=60, description="frames sampled a second")
    max_side_px: int = Field(default=1920, ge=160, le=4096, description="larger frames are scaled down")
    jpeg_quality: int = Field(default=85, ge=40, le=100)
    rotate: Literal[0, 90, 180, 270] = Field(
        default=0, description="degrees clockwise: a camera mounted on its side or upside down"
    )
    loop: bool = False
    pace: Pace = Pace.REAL_TIME


class Window(_Part):
    """The time in which the deployment may run: start included, end not."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be later than start")
        return self

    def covers(self, at: datetime) -> bool:
        return self.start <= at < self.end


class Watchlist(_Part):
    """The list searched, what its scores are, and from where on a score is an alert.

    `thresholds` is by number of shots fused: the entry with the largest key not above the track's number holds,
    because a mean of several shots scores higher on strangers too.
    """

    name: Name
    max_entries: int = Field(gt=0, le=200_000)
    score_kind: ScoreKind
    model: str | None = Field(default=None, description="refuse templates of any other model")
    thresholds: dict[int, float]

    @field_validator("thresholds")
    @classmethod
    def _start_at_one(cls, thresholds: dict[int, float]) -> dict[int, float]:
        if 1 not in thresholds or min(thresholds) < 1:
            raise ValueError("thresholds are by number of shots and must have an entry for 1")
        if not all(-2.0 < value < 2.0 for value in thresholds.values()):
            raise ValueError("a threshold lies between -2 and 2")
        return dict(sorted(thresholds.items()))

    def threshold(self, shots: int) -> float:
        return self.thresholds[max(count for count in self.thresholds if count <= max(shots, 1))]


class Verification(_Part):
    """How people decide. One reviewer only with a written reason, which is published."""

    reviewers: int = Field(default=2, ge=1, le=2)
    single_reviewer_reason: str | None = None
    decide_within_s: int = Field(default=120, ge=10, le=86_400, description="then the case expires: no action")
    claim_s: int = Field(default=60, ge=5, le=3600, description="a claim lapses after")
    fold_within_s: int = Field(default=300, ge=0, le=86_400, description="alerts of a subject join its case for")

    @model_validator(mode="after")
    def _single_has_reason(self) -> Self:
        if self.reviewers == 1 and not self.single_reviewer_reason:
            raise ValueError("reviewers: 1 needs single_reviewer_reason, in writing")
        return self


class Retention(_Part):
    """How long what is kept may live; each is a key's deadline."""

    frame_epoch_s: int = Field(default=15, ge=1, le=60)
    frame_s: int = Field(default=60, ge=5, le=90, description="after its epoch's end a frame cannot be read")
    face_s: int = Field(default=60, ge=5, le=90, description="backstop; a searched face dies at once")
    alert_h: int = Field(default=24, ge=1, le=24)
    evidence_d: int = Field(default=31, ge=1, le=31)
    list_h: int = Field(default=24, ge=1, le=24, description="after the window's end")


class Authority(_Part):
    """A deployment's bounds."""

    deployment: Name
    version: int = Field(default=1, ge=1)
    use_case: UseCase
    purpose: str = Field(min_length=1)
    cameras: tuple[Camera, ...] = Field(min_length=1, max_length=1024)
    window: Window
    watchlist: Watchlist
    verification: Verification = Verification()
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _cameras_differ(self) -> Self:
        ids = [camera.id for camera in self.cameras]
        if len(set(ids)) != len(ids):
            raise ValueError("two cameras have the same id")
        return self

    @property
    def purge_at(self) -> datetime:
        """When the last key of the deployment's list dies."""
        return self.window.end + timedelta(hours=self.retention.list_h)

    def camera_index(self, camera: str) -> int | None:
        """The camera's place in the list (its partition follows from it), or None."""
        return next((i for i, known in enumerate(self.cameras) if known.id == camera), None)

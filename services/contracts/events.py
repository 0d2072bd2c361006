"""The events that travel between services: frozen values that cannot be built wrong.

Fields that hold a face, a vector or a score have no repr: a log line or a traceback never shows them.
Times are aware and UTC; pixels are of the full frame; ids derive from their cause (`ids.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from services.contracts import ids

Vector = npt.NDArray[np.float32]

# How far from 1 the length of a template may be: float32 rounding of a few hundred squares, and no more.
_UNIT_TOLERANCE = 1e-3


class Invalid(ValueError):
    """An event was built with values that cannot be true. A bug where we build it, bad input where we read it."""


def require(condition: bool, what: str) -> None:
    """Raises Invalid, saying `what` must hold, unless `condition` does."""
    if not condition:
        raise Invalid(what)


def require_utc(at: datetime, name: str) -> None:
    """Raises Invalid unless `at` is aware and UTC."""
    require(at.utcoffset() == timedelta(0), f"{name} must be an aware UTC time")


def require_unit(vector: Vector) -> None:
    """Raises Invalid unless `vector` is a float32 [d] of length 1."""
    require(vector.ndim == 1 and vector.dtype == np.float32 and vector.size > 0, "vector must be float32 [d]")
    require(abs(float(np.linalg.norm(vector)) - 1.0) <= _UNIT_TOLERANCE, "vector must be l2-normalised")


class ScoreKind(StrEnum):
    """What a threshold is compared with; fixed when a list is built."""

    RAW = "raw"
    GALLERY_NORMALISED = "gallery_normalised"


class Judgement(StrEnum):
    """What one person made of one case."""

    MATCH = "match"
    NOT_A_MATCH = "not_a_match"
    CANNOT_TELL = "cannot_tell"
    NOT_A_LIVE_FACE = "not_a_live_face"


class CaseOutcome(StrEnum):
    """How a case ended. Only AGREED_MATCH lets anybody act."""

    AGREED_MATCH = "agreed_match"
    NO_ACTION = "no_action"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every event carries. `extra` keeps fields a newer writer added, so that relaying loses nothing."""

    SCHEMA_VERSION: ClassVar[int] = 1

    deployment: ids.DeploymentId
    trace_id: str
    captured_at: datetime
    extra: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        require(ids.is_name(self.deployment), "deployment must be a name (a-z, 0-9, hyphen)")
        require_utc(self.captured_at, "captured_at")
        self._check()

    def _check(self) -> None:
        """Raise Invalid where the event's own fields cannot be true."""

    @property
    def event_id(self) -> str:
        """Deterministic from the event's cause: the same input twice gives the same id."""
        raise NotImplementedError


@dataclass(frozen=True)
class Box:
    """A rectangle in full-frame pixels."""

    left_px: float
    top_px: float
    width_px: float
    height_px: float


@dataclass(frozen=True)
class Shot:
    """One picture of one face: the crop a reviewer sees."""

    jpeg: bytes = field(repr=False)
    captured_at: datetime
    box: Box
    quality: float


@dataclass(frozen=True, kw_only=True)
class FrameCaptured(Event):
    """A sampled frame. `read` and `dropped_before` are its run's cumulative counts as of this frame.

    `position_s` is its place in the run's own time, whatever the pace at which the source is played: what moves in
    the picture moves by that time. It may go back where a stream's does.
    """

    camera: ids.CameraId
    lease: int
    epoch: int
    sequence: int
    read: int
    dropped_before: int
    width_px: int
    height_px: int
    position_s: float
    jpeg: bytes = field(repr=False)

    def _check(self) -> None:
        require(math.isfinite(self.position_s), "position_s is finite")
        require(self.lease >= 1 and self.epoch >= 1 and self.sequence >= 1, "lease, epoch, sequence start at 1")
        require(0 <= self.dropped_before < self.sequence <= self.read, "dropped_before < sequence <= read")
        require(len(self.jpeg) > 0, "a frame has a picture")

    @property
    def event_id(self) -> str:
        return ids.frame_id(self.camera, self.lease, self.epoch, self.sequence)

    @property
    def run(self) -> str:
        return ids.run_id(self.camera, self.lease, self.epoch)


@dataclass(frozen=True, kw_only=True)
class FaceObserved(Event):
    """A track as seen so far: its best shots and their fused template. `captured_at` is the newest shot's."""

    camera: ids.CameraId
    track: ids.TrackId
    revision: int
    model_id: str
    quality: float
    first_seen_at: datetime
    vector: Vector = field(repr=False, compare=False)
    shots: tuple[Shot, ...] = field(repr=False)
    context_jpeg: bytes = field(repr=False)

    def _check(self) -> None:
        require(self.revision >= 1, "revisions start at 1")
        require(len(self.shots) >= 1, "a face has at least one shot")
        require_utc(self.first_seen_at, "first_seen_at")
        require_unit(self.vector)

    @property
    def event_id(self) -> str:
        return ids.face_event_id(self.track, self.revision)


@dataclass(frozen=True, kw_only=True)
class AlertRaised(Event):
    """A track on which a listed subject may be. `score` is what `threshold` was compared with."""

    alert: ids.AlertId
    subject: ids.SubjectToken
    camera: ids.CameraId
    track: ids.TrackId
    revision: int
    model_id: str
    list_digest: str
    score_kind: ScoreKind
    searched_at: datetime
    authority_version: int
    shots: tuple[Shot, ...] = field(repr=False)
    context_jpeg: bytes = field(repr=False)
    raw_score: float = field(repr=False)
    score: float = field(repr=False)
    threshold: float = field(repr=False)

    def _check(self) -> None:
        require(len(self.shots) >= 1, "an alert has at least one shot")
        require_utc(self.searched_at, "searched_at")
        require(self.score >= self.threshold, "below threshold nothing is raised")

    @property
    def event_id(self) -> str:
        """The alert, as its track stood at `revision`: a better shot raises the same alert again."""
        return f"{self.alert}.r{self.revision}"


@dataclass(frozen=True, kw_only=True)
class StageCounts(Event):
    """Cumulative counts of one incarnation of one stage, by (name, reason); the newest record holds."""

    stage: str
    incarnation: str
    totals: Mapping[tuple[str, str], int]
    standing: Mapping[tuple[str, str], int]
    final: bool = False

    def _check(self) -> None:
        require(all(value >= 0 for value in self.totals.values()), "counts never go below zero")

    @property
    def event_id(self) -> str:
        return f"{self.stage}/{self.incarnation}"


@dataclass(frozen=True, kw_only=True)
class CameraGap(Event):
    """A stretch of time for which a camera gave nothing. `captured_at` is its end."""

    camera: ids.CameraId
    run: str
    began_at: datetime
    reason: str

    def _check(self) -> None:
        require(self.began_at <= self.captured_at, "a gap ends after it began")

    @property
    def event_id(self) -> str:
        return ids.derived("gap", self.run, self.reason, int(self.began_at.timestamp() * 1000))


@dataclass(frozen=True, kw_only=True)
class DeadLettered(Event):
    """What could not be handled, and where it lies. Never the payload; never replayed."""

    topic: str
    partition: int
    offset: int
    reason: str

    @property
    def event_id(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

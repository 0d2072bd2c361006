"""Every metric of embed: the worker's, the fleet's, the enrolment server's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from prometheus_client import CollectorRegistry

from services.contracts.counts import Count
from services.embed.core.quality import Unusable
from services.runtime.authority_figures import authority_specs
from services.runtime.doors.figures import door_specs
from services.runtime.kafka.figures import LoopSpecs
from services.runtime.kafka.signals import ResetReason
from services.runtime.metrics import AT_START, Counter, Gauge, Histogram


class Stage(StrEnum):
    """Where a frame's time goes."""

    PREPARE = "prepare"
    DETECT = "detect"
    WATCH = "watch"
    EMBED = "embed"
    PUBLISH = "publish"


class FrameExit(StrEnum):
    """How a frame's way ended."""

    WITH_FACE = "with_face"
    WITHOUT_FACE = "without_face"
    EXPIRED_LATE = "expired_late"
    EXPIRED_KEY_LOST = "expired_key_lost"
    REFUSED = "refused"
    OTHER_DEPLOYMENT = "other_deployment"
    SKIPPED = "skipped"
    DEAD_LETTERED = "dead_lettered"


class TrackEnd(StrEnum):
    """What became of a track; all but usable were never searched."""

    USABLE = "usable"
    CUT_SHORT = "cut_short"
    UNSEEN = "unseen"
    LATE = "late"
    TOO_LARGE = "too_large"
    REFUSED = "refused"
    LOW_SCORE = Unusable.LOW_SCORE.value
    TOO_SMALL = Unusable.TOO_SMALL.value
    BAD_POSE = Unusable.BAD_POSE.value
    TOO_BLURRED = Unusable.TOO_BLURRED.value
    NOT_UPRIGHT = Unusable.NOT_UPRIGHT.value


class Enrolment(StrEnum):
    """What came of a picture to enrol."""

    ACCEPTED = "accepted"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    LOW_SCORE = Unusable.LOW_SCORE.value
    TOO_SMALL = Unusable.TOO_SMALL.value
    BAD_POSE = Unusable.BAD_POSE.value
    TOO_BLURRED = Unusable.TOO_BLURRED.value
    NOT_UPRIGHT = Unusable.NOT_UPRIGHT.value


_FEW = (1, 2, 4, 6, 8, 12, 16, 24, 32)

STAGE_SECONDS = Histogram(
    "signpost_embed_stage_seconds", "Time a frame (prepare) or a batch spends in a stage.", {"stage": Stage}
)
BATCH_FRAMES = Histogram("signpost_embed_batch_frames", "Frames handled together.", buckets=_FEW)
BATCH_CHIPS = Histogram("signpost_embed_batch_chips", "Faces embedded together.", buckets=_FEW)
CAPTURE_TO_PUBLISHED_SECONDS = Histogram(
    "signpost_embed_capture_to_published_seconds", "From a face's capture to its commit on faces."
)
FRAMES = Counter("signpost_embed_frames_total", "Frames by how their way ended.", {"exit": FrameExit})
FACES_DETECTED = Counter("signpost_embed_faces_detected_total", "Faces found in frames.")
SMALLEST_FACE = Gauge(
    "signpost_embed_smallest_face_pixels",
    "Distance between the eyes from which faces are found, in pixels of frames of the format seen where it is "
    "largest; above MIN_INTER_EYE_PX that setting is not kept there.",
)
FACES_EMBEDDED = Counter("signpost_embed_faces_embedded_total", "Faces of which a vector was made.")
FACES_PUBLISHED = Counter("signpost_embed_faces_published_total", "Faces sent to be searched.")
TRACKS = Counter("signpost_embed_tracks_total", "Tracks by what became of them.", {"end": TrackEnd})
LOOP = LoopSpecs(
    lag=Gauge("signpost_embed_lag_frames", "Frames on our partitions that are not yet handled."),
    assigned=Gauge(
        "signpost_embed_assigned_partitions",
        "Partitions of ours, by whether they move.",
        {"state": ("moving", "stuck")},
    ),
    commit_seconds=Histogram("signpost_embed_commit_seconds", "Time to deliver and commit one outcome."),
    aborts=Counter("signpost_embed_aborts_total", "Transactions that the broker refused."),
    resets=Counter(
        "signpost_embed_resets_total",
        "Times that work in flight was given up and read again.",
        {"cause": ResetReason},
    ),
    retries=Counter("signpost_embed_retries_total", "Times that a store was away and a batch had to wait."),
    kafka_errors=Counter(
        "signpost_embed_kafka_errors_total", "Errors of the Kafka clients that pass by themselves."
    ),
)
MODEL_INFO = Gauge(
    "signpost_embed_model_info",
    "1; what runs here.",
    {"model": AT_START, "engine": ("openvino", "torch"), "precision": AT_START},
)

# Of the workers, shown by their supervisor under these names.
WORKER_RESIDENT_BYTES = Gauge(
    "signpost_embed_worker_resident_bytes", "Resident memory of a worker, by slot.", {"worker": AT_START}
)
WORKER_CPU_SECONDS = Counter(
    "signpost_embed_worker_cpu_seconds_total", "CPU time of a worker, by slot.", {"worker": AT_START}
)
WORKERS_WANTED = Gauge("signpost_embed_wanted_workers", "Workers the fleet should have.")
WORKERS_ALIVE = Gauge("signpost_embed_alive_workers", "Workers whose heartbeat is fresh.")
WORKER_RESTARTS = Counter("signpost_embed_worker_restarts_total", "Workers found dead and started again.")
FLEET_LAG_FRAMES = Gauge("signpost_embed_fleet_lag_frames", "Frames not yet handled, over all workers.")

ENROLMENTS = Counter("signpost_embed_enrolments_total", "Pictures to enrol, by result.", {"result": Enrolment})
ENROLMENT_SECONDS = Histogram("signpost_embed_enrolment_seconds", "Time from a picture to its template.")

_EXITS = {
    (Count.FRAMES_WITH_FACE, ""): FrameExit.WITH_FACE,
    (Count.FRAMES_WITHOUT_FACE, ""): FrameExit.WITHOUT_FACE,
    (Count.FRAMES_EXPIRED, "late"): FrameExit.EXPIRED_LATE,
    (Count.FRAMES_EXPIRED, "key_lost"): FrameExit.EXPIRED_KEY_LOST,
    (Count.FRAMES_REFUSED, "other_deployment"): FrameExit.OTHER_DEPLOYMENT,
}
AUTHORITY = authority_specs("embed")


class EmbedMetrics:
    """A worker's metrics, live. Any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stages = STAGE_SECONDS.on(registry)
        self._batch_frames = BATCH_FRAMES.on(registry)
        self._batch_chips = BATCH_CHIPS.on(registry)
        self._capture_to_published = CAPTURE_TO_PUBLISHED_SECONDS.on(registry)
        self._frames = FRAMES.on(registry)
        self._detected = FACES_DETECTED.on(registry)
        self._embedded = FACES_EMBEDDED.on(registry)
        self._smallest = SMALLEST_FACE.on(registry)
        self._published = FACES_PUBLISHED.on(registry)
        self._tracks = TRACKS.on(registry)

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """Measure what is inside, if it ends well."""
        began = time.perf_counter()
        yield
        self._stages.observe(time.perf_counter() - began, stage=stage)

    def frame_left(self, count: Count, reason: str) -> None:
        """A frame's way ended before anything was searched in it."""
        self._frames.inc(exit=_EXITS.get((count, str(reason)), FrameExit.REFUSED))

    def skipped(self, frames: int) -> None:
        """Kafka has deleted so many unread."""
        self._frames.inc(frames, exit=FrameExit.SKIPPED)

    def dead_lettered(self, reason: str) -> None:
        """A frame could not be handled."""
        self._frames.inc(exit=FrameExit.DEAD_LETTERED)

    def batch(self, frames: int, chips: int) -> None:
        """So much was done together."""
        self._batch_frames.observe(frames)
        if chips:
            self._batch_chips.observe(chips)
            self._embedded.inc(chips)

    def counted(self, counts: Mapping[tuple[Count, str], int]) -> None:
        """What a batch has counted. A batch that is given up and read again is counted here twice: the
        exact figures are on the topic `counts`."""
        for (name, reason), number in counts.items():
            if (name, reason) in _EXITS:
                self._frames.inc(number, exit=_EXITS[name, reason])
            elif name is Count.TRACKS_UNUSABLE:
                self._tracks.inc(number, end=TrackEnd(reason))
            elif name is Count.TRACKS_USABLE:
                self._tracks.inc(number, end=TrackEnd.USABLE)
            elif name is Count.TRACKS_CUT_SHORT:
                self._tracks.inc(number, end=TrackEnd.CUT_SHORT)
            elif name is Count.FACES_DETECTED:
                self._detected.inc(number)
            elif name is Count.FACES_PUBLISHED:
                self._published.inc(number)

    def smallest_face(self, inter_eye_px: float) -> None:
        """Faces are found from this size on, in the worst format seen."""
        self._smallest.set(inter_eye_px)

    def published(self, after_s: float) -> None:
        """A face was committed so long after its capture."""
        self._capture_to_published.observe(max(0.0, after_s))


ENROLMENT_DOORS = door_specs("enrolment", ("grpc",))


class FleetMetrics:
    """The supervisor's metrics, live."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.wanted = WORKERS_WANTED.on(registry)
        self.alive = WORKERS_ALIVE.on(registry)
        self.restarts = WORKER_RESTARTS.on(registry)
        self.lag = FLEET_LAG_FRAMES.on(registry)


class EnrolmentMetrics:
    """The enrolment server's metrics, live."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.results = ENROLMENTS.on(registry)
        self.seconds = ENROLMENT_SECONDS.on(registry)

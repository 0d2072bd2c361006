"""Every metric of ingest. Cameras are a closed set: the authority's list."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from prometheus_client import CollectorRegistry

from services.contracts.authorisation.purging import What
from services.contracts.authorisation.refusals import Refusal
from services.contracts.keys import KINDS
from services.ingest.core.reasons import ClockFault, Fault, Flaw, Interruption, Loss
from services.runtime.authority_figures import authority_specs
from services.runtime.metrics import AT_START, Counter, Gauge, Histogram


class CameraState(StrEnum):
    """Where a camera stands, as one instance sees it."""

    ELSEWHERE = "elsewhere"
    OPENING = "opening"
    READING = "reading"
    WAITING = "waiting"
    FINISHED = "finished"
    FAILED = "failed"
    REFUSED = "refused"


class Confined(StrEnum):
    """What a process that decodes gives up, where the kernel has the means."""

    FILES = "files"
    CALLS = "calls"


DROP_REASONS = tuple(dict.fromkeys(reason.value for kind in (Loss, Flaw, Refusal) for reason in kind))
GAP_REASONS = tuple(dict.fromkeys(reason.value for kind in (Fault, Interruption) for reason in kind))

READ = Counter("signpost_ingest_read_frames_total", "Frames that sources gave.")
SAMPLED = Counter("signpost_ingest_sampled_frames_total", "Frames taken at a camera's rate.")
PUBLISHED = Counter("signpost_ingest_published_frames_total", "Frames that Kafka acknowledged.")
DROPPED = Counter(
    "signpost_ingest_dropped_frames_total", "Sampled frames not published, by reason.", {"reason": DROP_REASONS}
)
DAMAGED = Counter("signpost_ingest_damaged_packets_total", "Packets of streams that could not be decoded.")
LAST_FRAME = Gauge(
    "signpost_ingest_last_frame_timestamp_seconds",
    "Capture time of a camera's newest frame in this instance, since 1970; 0 before the first.",
    {"camera": AT_START},
)
RATE = Gauge(
    "signpost_ingest_camera_rate_ratio",
    "How much of its rate a camera gave this instance in the last 15 s (where that is under 5 pictures, over "
    "those): 1 all of it, or the authority does not cover it now; 0 nothing, or read elsewhere.",
    {"camera": AT_START},
)
CLOCK_FAULTS = Counter(
    "signpost_ingest_clock_faults_total",
    "Times that what a camera stamps on its frames parted from the time in which they come: of a live camera over "
    "seconds (it is then sampled by arrival), of a file from frame to frame.",
    {"camera": AT_START, "reason": ClockFault},
    # The cameras of a deployment, which are 1024 at most, by reason.
    most_series=1024 * len(ClockFault),
)
QUEUED = Gauge("signpost_ingest_queued_frames", "Frames that wait to be sent.")
UNACKED = Gauge("signpost_ingest_unacked_frames", "Frames sent and not yet acknowledged.")
FAULTS = Counter("signpost_ingest_source_faults_total", "Readings of a source that broke off.", {"reason": Fault})
RESTARTS = Counter("signpost_ingest_restarts_total", "Sources read anew after a fault.", {"reason": Fault})
GAPS = Counter("signpost_ingest_gaps_total", "Gaps in what cameras gave, by reason.", {"reason": GAP_REASONS})
CAMERAS = Gauge("signpost_ingest_state_cameras", "Cameras by where they stand.", {"state": CameraState})
REFUSED = Gauge(
    "signpost_ingest_refused_cameras", "Cameras outside the authority, by reason.", {"reason": Refusal}
)
LEASES_LOST = Counter("signpost_ingest_lost_leases_total", "Leases that ended before they were given up.")
KEY_WAIT = Histogram("signpost_ingest_key_wait_seconds", "Time until a frame had its key.")
PUBLISH = Histogram(
    "signpost_ingest_publish_latency_seconds", "From a frame's capture to Kafka's acknowledgement."
)
VOLATILE_FAULTS = Gauge(
    "signpost_ingest_volatile_redis_faults",
    "1 while the volatile Redis persists, is replicated, logs commands or holds a value without a TTL.",
)
LIVE_KEYS = Gauge("signpost_ingest_live_keys", "Keys of the deployment that there are, by kind.", {"kind": KINDS})
KEY_LEFT = Gauge(
    "signpost_ingest_key_left_seconds",
    "How long the last key of a kind still lives, by the store that ends it; 0 if there is none.",
    {"kind": KINDS},
)
CONFINED = Gauge(
    "signpost_ingest_confined_readers",
    "1 where the kernel takes files (Landlock), or all calls but a decoder's own (seccomp), from readers.",
    {"what": Confined},
)
KAFKA_ERRORS = Counter("signpost_ingest_kafka_errors_total", "Errors of Kafka's client; most pass by themselves.")
AUTHORITY = authority_specs("ingest")


class IngestMetrics:
    """The live halves. Any thread."""

    def __init__(self, registry: CollectorRegistry, cameras: Collection[str]) -> None:
        self.read = READ.on(registry)
        self.sampled = SAMPLED.on(registry)
        self.published = PUBLISHED.on(registry)
        self.dropped = DROPPED.on(registry)
        self.damaged = DAMAGED.on(registry)
        self.last_frame = LAST_FRAME.on(registry, camera=cameras)
        self.rate = RATE.on(registry, camera=cameras)
        self.clock_faults = CLOCK_FAULTS.on(registry, camera=cameras)
        self.queued = QUEUED.on(registry)
        self.unacked = UNACKED.on(registry)
        self.faults = FAULTS.on(registry)
        self.restarts = RESTARTS.on(registry)
        self.gaps = GAPS.on(registry)
        self.cameras = CAMERAS.on(registry)
        self.refused = REFUSED.on(registry)
        self.leases_lost = LEASES_LOST.on(registry)
        self.key_wait = KEY_WAIT.on(registry)
        self.publish = PUBLISH.on(registry)
        self.volatile_faults = VOLATILE_FAULTS.on(registry)
        self._live_keys = LIVE_KEYS.on(registry)
        self._key_left = KEY_LEFT.on(registry)
        self.confined = CONFINED.on(registry)
        self.kafka_errors = KAFKA_ERRORS.on(registry)

    def count_keys(self, kind: What, there_are: int, left_s: float) -> None:
        """What a look at both stores has found of one kind of key."""
        self._live_keys.set(there_are, kind=kind)
        self._key_left.set(left_s, kind=kind)

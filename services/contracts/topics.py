"""Every topic, every column, once. The stack, the command line and the chart read this table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from zlib import crc32

from services.contracts.errors import Oversized
from services.contracts.names import LABEL, PROCESS

# What Kafka's record format adds to a record that travels alone: the batch's head, and the record's own lengths,
# times and attributes at their longest (librdkafka counts the same 36).
_BATCH_HEAD_BYTES = 61
_RECORD_HEAD_BYTES = 36
# The longest key that any writer gives a record: a deployment, a stage and a process with its run, or a camera.
MOST_KEY_BYTES = LABEL + PROCESS + 2 * LABEL
# The headers that a record of ours may have, a place and a proof, with what the format adds to each.
MOST_HEADER_BYTES = 256


class Cleanup(StrEnum):
    DELETE = "delete"
    COMPACT = "compact"


class OffsetReset(StrEnum):
    """Where a reader starts that has no valid position. ERROR where nothing may be skipped."""

    EARLIEST = "earliest"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One row. `replication_factor` and `min_insync_replicas` are for production; one broker carries one."""

    name: str
    key: str
    content: str
    partitions: int
    replication_factor: int = 3
    min_insync_replicas: int = 2
    acks: str = "all"
    retention: timedelta
    segment: timedelta
    max_message_bytes: int
    cleanup: Cleanup = Cleanup.DELETE
    offset_reset: OffsetReset
    dead_letters: str | None = None
    writers: tuple[str, ...]
    readers: tuple[str, ...]

    @property
    def max_record_bytes(self) -> int:
        """What the key, the value and the headers of one record may be together, so that the broker takes it."""
        return self.max_message_bytes - _BATCH_HEAD_BYTES - _RECORD_HEAD_BYTES

    @property
    def max_value_bytes(self) -> int:
        """What a value may be, whatever its key and its headers."""
        return self.max_record_bytes - MOST_KEY_BYTES - MOST_HEADER_BYTES


_KIB = 1024
_MIB = 1024 * _KIB
_YEARS = timedelta(days=7 * 365)

# A late frame is counted `late` when its key has gone (75 s at most after its capture); two minutes lets
# every such frame be read and counted before Kafka deletes it.
_FLOW_RETENTION = timedelta(minutes=2)
_FLOW_SEGMENT = timedelta(seconds=30)

FRAMES = Topic(
    name="frames",
    key="camera",
    content="FrameCaptured, under an epoch key",
    partitions=8,
    retention=_FLOW_RETENTION,
    segment=_FLOW_SEGMENT,
    max_message_bytes=2 * _MIB,
    # Where records may be skipped, they are counted: frames by the hole in the offsets, faces by their numbers.
    offset_reset=OffsetReset.EARLIEST,
    dead_letters="frames.dead",
    writers=("ingest",),
    readers=("embed",),
)
FACES = Topic(
    name="faces",
    key="camera",
    content="FaceObserved, under a key of its own",
    partitions=8,
    retention=_FLOW_RETENTION,
    segment=_FLOW_SEGMENT,
    max_message_bytes=2 * _MIB,
    offset_reset=OffsetReset.EARLIEST,
    dead_letters="faces.dead",
    writers=("embed",),
    readers=("match",),
)
ALERTS = Topic(
    name="alerts",
    key="deployment + subject token",
    content="AlertRaised, under the hour's alert key",
    partitions=8,
    retention=timedelta(hours=24),
    segment=timedelta(hours=1),
    max_message_bytes=4 * _MIB,
    # None may be lost. What is lost all the same is counted by its number, and pages: review must live for that.
    offset_reset=OffsetReset.EARLIEST,
    writers=("match",),
    readers=("review",),
)
DECISIONS = Topic(
    name="decisions",
    key="case",
    content="every move of a case; no biometrics",
    partitions=8,
    retention=_YEARS,
    segment=timedelta(days=7),
    max_message_bytes=64 * _KIB,
    offset_reset=OffsetReset.ERROR,
    writers=("review",),
    readers=("console",),
)
COUNTS = Topic(
    name="counts",
    key="deployment + stage + incarnation",
    content="StageCounts, CameraGap; no biometrics",
    partitions=1,
    retention=_YEARS,
    segment=timedelta(minutes=10),
    max_message_bytes=256 * _KIB,
    cleanup=Cleanup.COMPACT,
    offset_reset=OffsetReset.ERROR,
    writers=("ingest", "embed", "match", "review"),
    # embed and match where a group has no mark: how far their lanes have come (services/runtime/numbering.py).
    readers=("embed", "match", "console"),
)
AUDIT_REQUESTS = Topic(
    name="audit_requests",
    key="producer (service/instance)",
    content="SignedAuditRequest, not yet chained; no biometrics",
    # A producer's requests stay in order on its one partition: never add partitions while any are unread.
    partitions=8,
    retention=_YEARS,
    segment=timedelta(days=7),
    max_message_bytes=64 * _KIB,
    offset_reset=OffsetReset.ERROR,
    writers=("ingest", "embed", "match", "review", "oversight"),
    readers=("oversight",),
)
AUDIT = Topic(
    name="audit",
    key="chain",
    content="AuditRecord: Audited (numbered, hash-chained), SignedTreeHead; no biometrics",
    # One order for its one writer, and one end that it recovers from.
    partitions=1,
    retention=_YEARS,
    segment=timedelta(days=7),
    # A request whole, and what the chain adds.
    max_message_bytes=128 * _KIB,
    offset_reset=OffsetReset.ERROR,
    writers=("oversight",),
    readers=("oversight", "console"),
)
AUTHORITY = Topic(
    name="authority",
    key="organisation + what",
    content="signed: registry, documents with approvals, states, leases, revocations",
    # The gates need no order, but a leader that takes over reads its predecessor's word to the end.
    partitions=1,
    retention=_YEARS,
    # A lease every two seconds: what a start has to read through is this long, not a day.
    segment=timedelta(minutes=10),
    max_message_bytes=2 * _MIB,
    cleanup=Cleanup.COMPACT,
    offset_reset=OffsetReset.ERROR,
    writers=("oversight",),
    readers=("ingest", "embed", "match", "review", "oversight", "console"),
)
PURGES = Topic(
    name="purges",
    key="deployment + holder + instance",
    content="PurgeAnswered, signed by its holder: what a holder has destroyed, in figures; no biometrics",
    partitions=1,
    retention=_YEARS,
    segment=timedelta(days=1),
    max_message_bytes=16 * _KIB,
    # Of one that was ordered twice the newest answer counts.
    cleanup=Cleanup.COMPACT,
    offset_reset=OffsetReset.ERROR,
    writers=("ingest", "embed", "match", "review", "console"),
    readers=("oversight",),
)


def _dead(of: Topic) -> Topic:
    return Topic(
        name=f"{of.name}.dead",
        key=of.key,
        content="DeadLettered: reason and position, never the payload, never replayed",
        partitions=1,
        retention=timedelta(days=7),
        segment=timedelta(days=1),
        max_message_bytes=16 * _KIB,
        offset_reset=OffsetReset.ERROR,
        writers=of.readers,
        readers=("console",),
    )


FRAMES_DEAD = _dead(FRAMES)
FACES_DEAD = _dead(FACES)

ALL = (FRAMES, FACES, ALERTS, DECISIONS, COUNTS, AUTHORITY, AUDIT_REQUESTS, AUDIT, PURGES, FRAMES_DEAD, FACES_DEAD)
BY_NAME = {topic.name: topic for topic in ALL}


@dataclass(frozen=True, kw_only=True)
class GroupSessions:
    """Consumer-group timeouts (KIP-848, set on the brokers). A dead worker's partitions move within `session`."""

    heartbeat: timedelta = timedelta(seconds=1)
    session: timedelta = timedelta(seconds=6)


GROUP_SESSIONS = GroupSessions()


def check_size(topic: str, value_bytes: int) -> None:
    """Raises Oversized for a value that `topic` would not take. Asked before it is sealed, signed or sent."""
    row = BY_NAME.get(topic)
    if row is not None and value_bytes > row.max_value_bytes:
        raise Oversized(f"{value_bytes} bytes for {topic}, which takes {row.max_value_bytes}")


def partition_of_key(key: bytes, topic: Topic) -> int:
    """As librdkafka chooses it. Said by us where a record is numbered, which needs to know its partition."""
    return crc32(key) % topic.partitions


def partition_of_camera(index: int, topic: Topic) -> int:
    """A camera's partition is its index in the authority's list: a hash puts small numbers of keys together."""
    return index % topic.partitions

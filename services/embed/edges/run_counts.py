"""A run of a camera as one of its frames tells it, so that a killed ingest's figures survive."""

from __future__ import annotations

from typing import Any

from services.contracts import codec, counts, ids, topics
from services.contracts.codec import Peeked
from services.contracts.counts import Count
from services.contracts.errors import Undecodable
from services.contracts.events import FrameCaptured, Invalid, StageCounts
from services.runtime.kafka.types import Output


def of_frame(event: FrameCaptured) -> Output:
    """Ingest's counts up to this frame."""
    return _output(
        StageCounts(
            deployment=event.deployment,
            trace_id=event.trace_id,
            captured_at=event.captured_at,
            stage=counts.Stage.INGEST,
            incarnation=event.run,
            totals=_totals(event.read, event.sequence, event.dropped_before),
            standing={},
        )
    )


def of_unopened(frame: Peeked) -> Output:
    """The same of a frame that is not opened, by its clear part.

    That is not authenticated: whoever writes `frames` can make these figures wrong, and then they do not add up.
    Raises Undecodable if they cannot be any frame's.
    """
    body: Any = frame.body
    try:
        event = StageCounts(
            deployment=ids.DeploymentId(frame.deployment),
            trace_id=frame.trace_id,
            captured_at=frame.captured_at,
            stage=counts.Stage.INGEST,
            incarnation=ids.run_id(body.camera, body.lease, body.epoch),
            totals=_totals(body.read, body.sequence, body.dropped_before),
            standing={},
        )
    except Invalid as error:
        raise Undecodable(f"{topics.FRAMES.name}: an unopened frame's place in its run: {error}") from error
    return _output(event)


def _totals(read: int, sequence: int, dropped_before: int) -> dict[tuple[str, str], int]:
    return {
        (Count.FRAMES_READ, ""): read,
        (Count.FRAMES_SAMPLED, ""): sequence,
        (Count.FRAMES_NOT_SAMPLED, ""): read - sequence,
        (Count.FRAMES_DROPPED, ""): dropped_before,
        (Count.FRAMES_PUBLISHED, ""): sequence - dropped_before,
    }


def _output(event: StageCounts) -> Output:
    name = topics.COUNTS.name
    # A key of its own: compaction must not let this take the place of what ingest itself said last.
    key = f"{event.deployment}/{counts.Stage.INGEST}/{event.incarnation}/as-embedded"
    return Output(topic=name, key=key.encode(), value=codec.encode(event, topic=name))

"""A run of a camera as one of its frames tells it: a killed ingest's figures live on in what it published."""

from __future__ import annotations

from typing import Any

from services.contracts import counts, ids, topics
from services.contracts.codec import Peeked
from services.contracts.counts import Count
from services.contracts.errors import Undecodable
from services.contracts.events import FrameCaptured, Invalid, StageCounts


def of_frame(event: FrameCaptured) -> StageCounts:
    """Ingest's counts up to this frame."""
    return StageCounts(
        deployment=event.deployment,
        trace_id=event.trace_id,
        captured_at=event.captured_at,
        stage=counts.Stage.INGEST,
        incarnation=event.run,
        totals=_totals(event.read, event.sequence, event.dropped_before),
        standing={},
    )


def of_unopened(frame: Peeked) -> StageCounts:
    """The same of a frame that is not opened, by its clear part.

    What is in clear is not decryption's to authenticate: ingest has signed the record (proof.py), and no other is
    counted. Raises Undecodable if they cannot be any frame's.
    """
    body: Any = frame.body
    try:
        return StageCounts(
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


def _totals(read: int, sequence: int, dropped_before: int) -> dict[tuple[str, str], int]:
    return {
        (Count.FRAMES_READ, ""): read,
        (Count.FRAMES_SAMPLED, ""): sequence,
        (Count.FRAMES_NOT_SAMPLED, ""): read - sequence,
        (Count.FRAMES_DROPPED, ""): dropped_before,
        (Count.FRAMES_PUBLISHED, ""): sequence - dropped_before,
    }

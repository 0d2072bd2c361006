"""How far embed has come in a run of a camera, as it writes it; and a frame's number in its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.contracts import codec, run_counts, told, topics
from services.contracts.codec import Peeked
from services.contracts.counts import Count
from services.contracts.errors import SignpostError
from services.contracts.events import FrameCaptured, StageCounts
from services.contracts.ids import DeploymentId
from services.contracts.places import InRun
from services.runtime.kafka.marks import InRunOf
from services.runtime.kafka.types import Output, Record


def of_frame(event: FrameCaptured) -> Output:
    """Ingest's counts up to this frame, which embed has reached."""
    return _output(run_counts.of_frame(event))


def of_unopened(frame: Peeked) -> Output:
    """The same of a frame that is not opened. Raises Undecodable."""
    return _output(run_counts.of_unopened(frame))


def place_in_run(deployment: DeploymentId) -> InRunOf:
    """Tells of a frame where it stands in its run; None of what is no frame of ours."""

    def place(record: Record) -> InRun | None:
        run = _run_of(record, deployment)
        if run is None:
            return None
        published, sampled = (run.totals[name, ""] for name in (Count.FRAMES_PUBLISHED, Count.FRAMES_SAMPLED))
        return InRun(run.incarnation, published, sampled)

    return place


def of_dead(deployment: DeploymentId) -> Callable[[Record], Output | None]:
    """Ingest's counts up to a frame of ours that cannot be handled; None for what is none."""

    def told(record: Record) -> Output | None:
        run = _run_of(record, deployment)
        return None if run is None else _output(run)

    return told


def _run_of(record: Record, deployment: DeploymentId) -> StageCounts | None:
    try:
        peeked = codec.peek(record.value, topic=topics.FRAMES.name)
        if peeked.kind is not FrameCaptured or peeked.deployment != deployment:
            return None
        return run_counts.of_unopened(peeked)
    except SignpostError:
        return None


def _output(event: StageCounts) -> Output:
    name = topics.COUNTS.name
    reached = {(str(Count.FRAMES_REACHED), ""): event.totals[Count.FRAMES_PUBLISHED, ""]}
    embedded = replace(event, totals={**event.totals, **reached})
    return Output(topic=name, key=told.key_as_embedded(embedded), value=codec.encode(embedded, topic=name))

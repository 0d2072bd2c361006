"""How far embed has come in a run of a camera, as it writes it; and a frame's number in its run."""

from __future__ import annotations

from dataclasses import replace

from services.contracts import codec, run_counts, told, topics
from services.contracts.codec import Peeked
from services.contracts.counts import Count
from services.contracts.errors import SignpostError
from services.contracts.events import FrameCaptured, StageCounts
from services.contracts.ids import DeploymentId
from services.runtime.kafka.marks import First
from services.runtime.kafka.types import Output, Record


def of_frame(event: FrameCaptured) -> Output:
    """Ingest's counts up to this frame, which embed has reached."""
    return _output(run_counts.of_frame(event))


def of_unopened(frame: Peeked) -> Output:
    """The same of a frame that is not opened. Raises Undecodable."""
    return _output(run_counts.of_unopened(frame))


def place_in_run(deployment: DeploymentId) -> First:
    """Tells the run of a frame, and its number among those published of it; None of what is no frame of ours."""

    def place(record: Record) -> tuple[str, int] | None:
        try:
            peeked = codec.peek(record.value, topic=topics.FRAMES.name)
            if peeked.kind is not FrameCaptured or peeked.deployment != deployment:
                return None
            run = run_counts.of_unopened(peeked)
        except SignpostError:
            return None
        return run.incarnation, run.totals[Count.FRAMES_PUBLISHED, ""]

    return place


def _output(event: StageCounts) -> Output:
    name = topics.COUNTS.name
    reached = {(str(Count.FRAMES_REACHED), ""): event.totals[Count.FRAMES_PUBLISHED, ""]}
    embedded = replace(event, totals={**event.totals, **reached})
    return Output(topic=name, key=told.key_as_embedded(embedded), value=codec.encode(embedded, topic=name))

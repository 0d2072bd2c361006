"""A deployment's statement: every count, every arrow, and whether it adds up; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from console.ledger.cases import case_counts
from services.contracts import counts, topics
from services.contracts.counts import ARROWS, Arrow, Count
from services.contracts.decisions import CaseEvent
from services.contracts.events import CameraGap, Event, StageCounts

# Between two stages lies a topic: what is on it and not yet read belongs to the arrow that crosses it.
_CROSSING = {
    Count.FRAMES_PUBLISHED: topics.FRAMES.name,
    Count.FACES_PUBLISHED: topics.FACES.name,
    Count.ALERTS_PUBLISHED: topics.ALERTS.name,
}


@dataclass(frozen=True)
class Line:
    """One arrow with its figures. `in_flight` lies on the topic between; `gap` is 0 where it adds up."""

    arrow: Arrow
    in_flight: int
    gap: int


@dataclass(frozen=True)
class Statement:
    """What a deployment did, and whether the figures may be believed."""

    deployment: str
    totals: Mapping[Count, int]
    reasons: Mapping[tuple[Count, str], int]
    gaps: Mapping[str, int]
    lines: tuple[Line, ...]

    @property
    def reconciles(self) -> bool:
        return all(line.gap == 0 for line in self.lines)


def state(
    deployment: str,
    counted: Iterable[Event],
    decided: Iterable[CaseEvent],
    in_flight: Mapping[str, int],
) -> Statement:
    """The statement of `deployment`. `in_flight` is by topic: published, not yet read by its stage."""
    ours = [event for event in counted if event.deployment == deployment]
    told = counts.tally(event for event in ours if isinstance(event, StageCounts))
    of_cases, by_outcome = case_counts(event for event in decided if event.deployment == deployment)
    totals = told.totals + of_cases
    gaps = {event.event_id: event.reason for event in ours if isinstance(event, CameraGap)}
    return Statement(
        deployment=deployment,
        totals=totals,
        reasons=told.reasons + by_outcome,
        gaps=Counter(gaps.values()),
        lines=tuple(_line(arrow, totals, in_flight) for arrow in ARROWS),
    )


def _line(arrow: Arrow, totals: Mapping[Count, int], in_flight: Mapping[str, int]) -> Line:
    flying = in_flight.get(_CROSSING.get(arrow.whole, ""), 0)
    return Line(arrow, flying, arrow.gap(totals) - flying)

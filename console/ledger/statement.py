"""A deployment's statement: every count, every arrow, and whether it adds up; pure.

It holds for one moment: the end of what was read of `counts` at first. What lies on the topics between stages was
looked at after that, and `counts` once more after that again; so of each arrow it is known what moved in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.ledger.cases import case_counts
from console.ledger.crossing import Ahead, Numbers, frames_told, numbered, unnumbered
from services.contracts import counts, topics
from services.contracts.counts import ARROWS, Arrow, Count, Tally
from services.contracts.decisions import CaseEvent
from services.contracts.events import CameraGap, Event, StageCounts
from services.contracts.places import Between

_NOTHING = Ahead({}, ())
_FACES = Numbers(Count.FACES_GIVEN, Count.FACES_PASSED, Count.FACES_SKIPPED)
_ALERTS = Numbers(Count.ALERTS_GIVEN, Count.ALERTS_PASSED, Count.ALERTS_SKIPPED)


@dataclass(frozen=True)
class Line:
    """One arrow with its figures; `gap` is what is missing on the right, 0 where it adds up.

    Accounted for, and in no count yet: `in_flight` lies between the two stages; `deleted` was deleted by Kafka
    before it was read; `moving` (negative) has arrived on the right since the left was read.
    """

    arrow: Arrow
    in_flight: int
    gap: int
    deleted: int = 0
    moving: int = 0


@dataclass(frozen=True)
class Statement:
    """What a deployment did, and whether the figures may be believed.

    `foreign` records on `counts` were in its name and not signed by who they name: no figure has them in it.
    `overwritten` are the keys whose newest record is such a one, or an old one written again: Kafka keeps of each
    key the newest alone, so what the process behind that key told last is lost, or will be.
    """

    deployment: str
    totals: Mapping[Count, int]
    reasons: Mapping[tuple[Count, str], int]
    gaps: Mapping[str, int]
    lines: tuple[Line, ...]
    foreign: int = 0
    overwritten: tuple[str, ...] = ()

    @property
    def reconciles(self) -> bool:
        return all(line.gap == 0 for line in self.lines)

    @property
    def alerts_lost(self) -> int:
        """Alerts that nobody will ever see, because Kafka deleted them unread. Accounted for, and never normal."""
        deleted = sum(line.deleted for line in self.lines if line.arrow.whole is Count.ALERTS_PUBLISHED)
        return self.totals.get(Count.ALERTS_SKIPPED, 0) + deleted


@dataclass(frozen=True)
class Read:
    """What a statement is made of, in the order in which it was read."""

    counted: Iterable[Event]
    ahead: Mapping[str, Ahead]
    decided: Iterable[CaseEvent]
    later: Iterable[Event]
    foreign: int = 0
    overwritten: Sequence[str] = ()


def state(deployment: str, read: Read) -> Statement:
    """The statement of `deployment`."""
    ours = [event for event in read.counted if event.deployment == deployment]
    frames = frames_told(deployment, read.ahead.get(topics.FRAMES.name, _NOTHING))
    now = counts.tally([*frames, *_stages(ours)])
    later = counts.tally(_stages(event for event in read.later if event.deployment == deployment))
    of_cases, by_outcome = case_counts(event for event in read.decided if event.deployment == deployment)
    lying = _lying(deployment, frames, now, later, read.ahead)
    totals = _without_strangers(now.totals + of_cases, lying[Count.FRAMES_PUBLISHED])
    gaps = {event.event_id: event.reason for event in ours if isinstance(event, CameraGap)}
    return Statement(
        deployment=deployment,
        totals=totals,
        reasons=now.reasons + by_outcome,
        gaps=Counter(gaps.values()),
        lines=tuple(_line(arrow, totals, lying, later) for arrow in ARROWS),
        foreign=read.foreign,
        overwritten=tuple(read.overwritten),
    )


def _without_strangers(totals: Counter[Count], frames: Between) -> Counter[Count]:
    """Without offsets of `frames` that Kafka deleted unread and that were no frames of ours.

    Embed counts as skipped each offset that is gone: on that topic a frame takes one, and so does a stranger's
    record, or the end of a stranger's transaction. More than was published and not received is no loss of ours.
    """
    arrow = next(one for one in ARROWS if one.whole is Count.FRAMES_PUBLISHED)
    too_many = max(0, frames.unread - arrow.gap(totals))
    found = totals.copy()
    found[Count.FRAMES_SKIPPED] -= min(found[Count.FRAMES_SKIPPED], too_many)
    return found


def _stages(events: Iterable[Event]) -> list[StageCounts]:
    return [event for event in events if isinstance(event, StageCounts)]


def _lying(
    deployment: str, frames: Iterable[StageCounts], now: Tally, later: Tally, ahead: Mapping[str, Ahead]
) -> dict[Count, Between]:
    """Between two stages lies a topic: what is on it and not yet read belongs to the arrow that crosses it."""

    def on(topic: topics.Topic) -> Ahead:
        return ahead.get(topic.name, _NOTHING)

    return {
        Count.FRAMES_PUBLISHED: unnumbered(frames, now, later, on(topics.FRAMES)),
        Count.FACES_PUBLISHED: numbered(deployment, _FACES, now, later, on(topics.FACES)),
        Count.ALERTS_PUBLISHED: numbered(deployment, _ALERTS, now, later, on(topics.ALERTS)),
    }


def _line(arrow: Arrow, totals: Mapping[Count, int], lying: Mapping[Count, Between], later: Tally) -> Line:
    gap = arrow.gap(totals)
    if arrow.whole is Count.ALERTS_OPENED_CASE:
        return _of_cases(arrow, gap, totals, later)
    found = lying.get(arrow.whole, Between())
    if arrow.whole is Count.FRAMES_PUBLISHED:
        # Of a run that is over embed counts by offsets what its last frames were, and never reaches them.
        deleted = min(max(0, gap - found.unread), found.deleted)
    else:
        deleted = found.deleted
    return Line(arrow, found.unread, gap - found.unread - deleted, deleted)


def _of_cases(arrow: Arrow, gap: int, totals: Mapping[Count, int], later: Tally) -> Line:
    """Cases in the store, and on the topic: the outbox holds what was not told yet."""
    waiting = min(max(0, gap), totals.get(Count.EVENTS_WAITING, 0))
    moved = later.totals[arrow.whole] - totals.get(arrow.whole, 0)
    moving = -min(max(0, -gap), max(0, moved))
    return Line(arrow, waiting, gap - waiting - moving, moving=moving)

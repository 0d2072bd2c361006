"""Which case an alert belongs to: its own, an open one of its subject, or none any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.contracts import ids
from services.contracts.decisions import AlertFolded, CaseEvent, CaseOpened
from services.review.core.case import Case, Policy, Sighting, empty_seats
from services.review.core.effects import about
from services.review.core.move import Fold, Improve
from services.review.core.moves import decide
from services.review.core.views import CaseState


class Exit(StrEnum):
    """What became of an alert record; REPLAYED was counted when it was first handled."""

    OPENED = "opened"
    FOLDED = "folded"
    EXPIRED = "expired"
    REFUSED = "refused"
    REPLAYED = "replayed"


class FoldReason(StrEnum):
    """Why an alert opened no case of its own."""

    SAME_ALERT = "same_alert"
    OPEN_CASE = "open_case"
    AGREED_CASE = "agreed_case"
    TRACK_REJECTED = "track_rejected"
    REPEATED = "repeated"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An alert as far as folding is concerned; `position` is (partition, offset) of its record."""

    deployment: ids.DeploymentId
    trace_id: str
    subject: ids.SubjectToken
    list_digest: str
    sighting: Sighting
    position: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is remembered of an alert, for longer than its topic keeps it. `case` is empty if none took it."""

    version: int
    revision: int
    case: str
    position: tuple[int, int]

    def covers(self, position: tuple[int, int]) -> bool:
        """Whether the record at `position` was handled before: an alert's records share a partition, in order."""
        return self.position[0] == position[0] and position[1] <= self.position[1]


@dataclass(frozen=True, kw_only=True)
class Folding:
    """Where an alert goes. `case` is what is to be written, one version on; None where no case changes.

    `belongs_to` is remembered with the alert; `keep_pictures`: somebody may still have to look at them.
    """

    exit: Exit
    reason: FoldReason | None = None
    case: Case | None = None
    events: tuple[CaseEvent, ...] = ()
    belongs_to: str = ""
    keep_pictures: bool = False


def fold(
    arrival: Arrival, *, seen: Seen | None, own: Case | None, window: Case | None, now: datetime, policy: Policy
) -> Folding:
    """Decide over an arrival. `own` is the case that `seen` names, `window` its subject's newest."""
    if seen is not None and seen.covers(arrival.position):
        return Folding(exit=Exit.REPLAYED)
    if seen is not None and seen.case:
        return _again(arrival, seen, own, now, policy)
    if window is None:
        return _opened(arrival, now, policy)
    return _beside(arrival, window, now, policy)


def _again(arrival: Arrival, seen: Seen, own: Case | None, now: datetime, policy: Policy) -> Folding:
    """An alert that a case has taken before, raised again."""
    if arrival.sighting.revision <= seen.revision:
        return Folding(exit=Exit.FOLDED, reason=FoldReason.REPEATED, belongs_to=seen.case)
    # One that only joined an agreed match, reopened since, has no pictures there to improve.
    taken = own is not None and any(known.alert == arrival.sighting.alert for known in own.sightings)
    if own is not None and taken and own.is_open(now):
        step = decide(own, Improve(sighting=arrival.sighting), now=now, policy=policy)
        return Folding(
            exit=Exit.FOLDED,
            reason=FoldReason.SAME_ALERT,
            case=step.case,
            belongs_to=own.id,
            keep_pictures=True,
        )
    rejected = own is not None and own.state is CaseState.NO_ACTION
    reason = FoldReason.TRACK_REJECTED if rejected else FoldReason.SAME_ALERT
    return Folding(exit=Exit.FOLDED, reason=reason, belongs_to=seen.case)


def _beside(arrival: Arrival, window: Case, now: datetime, policy: Policy) -> Folding:
    """A new alert of a subject that has had a case."""
    if arrival.sighting.searched_at >= window.fold_until:
        return _opened(arrival, now, policy)
    agreed = window.state is CaseState.AGREED_MATCH
    if agreed or window.is_open(now):
        reason = FoldReason.AGREED_CASE if agreed else FoldReason.OPEN_CASE
        step = decide(window, Fold(sighting=arrival.sighting, reason=reason.value), now=now, policy=policy)
        return Folding(
            exit=Exit.FOLDED,
            reason=reason,
            case=step.case,
            events=step.events,
            belongs_to=window.id,
            keep_pictures=not agreed,
        )
    if any(known.track == arrival.sighting.track for known in window.sightings):
        return _rejected(arrival, window, now)
    # Not a match, or nobody decided: that closes the window for its tracks only, never for the person sought.
    return _opened(arrival, now, policy)


def _rejected(arrival: Arrival, window: Case, now: datetime) -> Folding:
    event = AlertFolded(
        **about(window),
        alert=arrival.sighting.alert,
        track=arrival.sighting.track,
        camera=arrival.sighting.camera,
        folded_at=now,
        reason=FoldReason.TRACK_REJECTED.value,
    )
    return Folding(exit=Exit.FOLDED, reason=FoldReason.TRACK_REJECTED, events=(event,), belongs_to=window.id)


def _opened(arrival: Arrival, now: datetime, policy: Policy) -> Folding:
    first = arrival.sighting
    case = Case(
        id=ids.case_id(arrival.deployment, first.alert),
        deployment=arrival.deployment,
        trace_id=arrival.trace_id,
        subject=arrival.subject,
        list_digest=arrival.list_digest,
        sightings=(first,),
        opened_at=now,
        # From the search, not from when we read of it: a late alert has less time, and old news expires.
        expires_at=first.searched_at + policy.decide_within,
        fold_until=first.searched_at + policy.fold_within,
        seats=empty_seats(policy.reviewers),
    )
    event = CaseOpened(
        **about(case),
        alert=first.alert,
        subject=case.subject,
        camera=first.camera,
        track=first.track,
        list_digest=case.list_digest,
        opened_at=now,
        expires_at=case.expires_at,
    )
    return Folding(exit=Exit.OPENED, case=case, events=(event,), belongs_to=case.id, keep_pictures=True)

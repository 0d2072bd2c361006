"""A case as a line in one person's queue."""

from __future__ import annotations

from datetime import datetime

from services.review.core.case import Case
from services.review.core.people import Role
from services.review.core.views import CaseState, CaseStatus, CaseSummary, Claim

_SEEN_BY = {
    Role.REVIEWER: frozenset({CaseState.OPEN}),
    Role.SUPERVISOR: frozenset(CaseState),
    Role.ENGAGEMENT_OFFICER: frozenset({CaseState.AGREED_MATCH}),
}

LOOKS_BACK = frozenset({Role.SUPERVISOR, Role.ENGAGEMENT_OFFICER})
"""The roles whose queue holds closed cases."""


def concerns(case: Case, roles: frozenset[Role]) -> bool:
    """Whether the case belongs in the queue of somebody with these roles."""
    return any(case.state in _SEEN_BY.get(role, frozenset()) for role in roles)


def summary(case: Case, *, person: str, roles: frozenset[Role], now: datetime) -> CaseSummary:
    """The line; `person` is a token. Tells nobody what another has judged, nor that they have."""
    is_open = case.is_open(now)
    may_sit = is_open and Role.REVIEWER in roles and case.seat_for(person, now) is not None
    return CaseSummary(
        case=case.id,
        state=case.state,
        round=case.round,
        camera=case.first.camera,
        captured_at=case.first.captured_at,
        opened_at=case.opened_at,
        expires_at=case.expires_at,
        alerts=case.alerts,
        claimable=may_sit,
        mine=claim_of(case, person, now),
        version=case.version,
    )


def claim_of(case: Case, person: str, now: datetime) -> Claim | None:
    """The claim this person holds now."""
    seat = case.seat_lent(person, now)
    if seat is None or seat.lent is None:
        return None
    return Claim(case=case.id, fence=seat.lent.fence, expires_at=seat.lent.until)


def status(case: Case) -> CaseStatus:
    """How it stands."""
    return CaseStatus(
        case=case.id,
        state=case.state,
        round=case.round,
        camera=case.first.camera,
        captured_at=case.first.captured_at,
        alerts=case.alerts,
        engagements=case.engagements,
        outcomes=case.outcomes,
        version=case.version,
    )

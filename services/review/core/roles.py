"""Who may call what: one table, for gRPC and the page alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from services.review.core.errors import NotAllowed
from services.review.core.people import Person, Role


class Call(StrEnum):
    """Everything a person can ask for; the values are the names of the RPCs."""

    SIGN_IN = "SignIn"
    SIGN_OUT = "SignOut"
    WHO_AM_I = "WhoAmI"
    WATCH_CASES = "WatchCases"
    CLAIM_CASE = "ClaimCase"
    RENEW_CLAIM = "RenewClaim"
    RELEASE_CLAIM = "ReleaseClaim"
    VIEW_CASE = "ViewCase"
    VIEW_PICTURE = "ViewPicture"
    JUDGE = "Judge"
    SUPERSEDE = "Supersede"
    RECORD_ENGAGEMENT = "RecordEngagement"
    RECORD_OUTCOME = "RecordOutcome"
    GET_CASE = "GetCase"


ANYBODY = frozenset({Call.SIGN_IN})
"""The calls that need no sign-in."""

_EVERY_ROLE = frozenset(Role)
_REVIEWERS = frozenset({Role.REVIEWER})
_OFFICERS = frozenset({Role.ENGAGEMENT_OFFICER})

ROLES: Mapping[Call, frozenset[Role]] = MappingProxyType(
    {
        Call.SIGN_IN: _EVERY_ROLE,
        Call.SIGN_OUT: _EVERY_ROLE,
        Call.WHO_AM_I: _EVERY_ROLE,
        Call.WATCH_CASES: frozenset({Role.REVIEWER, Role.SUPERVISOR, Role.ENGAGEMENT_OFFICER}),
        # Pictures of people go to reviewers alone.
        Call.CLAIM_CASE: _REVIEWERS,
        Call.RENEW_CLAIM: _REVIEWERS,
        Call.RELEASE_CLAIM: _REVIEWERS,
        Call.VIEW_CASE: _REVIEWERS,
        Call.VIEW_PICTURE: _REVIEWERS,
        Call.JUDGE: _REVIEWERS,
        Call.SUPERSEDE: frozenset({Role.SUPERVISOR}),
        Call.RECORD_ENGAGEMENT: _OFFICERS,
        Call.RECORD_OUTCOME: _OFFICERS,
        Call.GET_CASE: frozenset({Role.REVIEWER, Role.SUPERVISOR, Role.ENGAGEMENT_OFFICER, Role.AUDITOR}),
    }
)


def check(call: Call, person: Person) -> None:
    """Raises NotAllowed if none of the person's roles may make this call."""
    if not (ROLES[call] & person.roles):
        raise NotAllowed("your roles do not include this")

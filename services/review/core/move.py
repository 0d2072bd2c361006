"""What can happen to a case, as values. People are tokens here."""

from __future__ import annotations

from dataclasses import dataclass

from services.contracts.events import Judgement
from services.review.core.case import Shown, Sighting
from services.review.core.views import Engagement, FaceFeature, KnownOutcome, ReleaseReason


@dataclass(frozen=True, kw_only=True)
class Move:
    """Root of all moves."""


@dataclass(frozen=True, kw_only=True)
class Fold(Move):
    """An alert of another track of the same subject."""

    sighting: Sighting
    reason: str


@dataclass(frozen=True, kw_only=True)
class Improve(Move):
    """A later revision of an alert of this case: better shots."""

    sighting: Sighting


@dataclass(frozen=True, kw_only=True)
class Claim(Move):
    person: str


@dataclass(frozen=True, kw_only=True)
class ByHolder(Move):
    """A move that only the holder of a claim may make."""

    person: str
    fence: int


@dataclass(frozen=True, kw_only=True)
class Renew(ByHolder):
    pass


@dataclass(frozen=True, kw_only=True)
class Release(ByHolder):
    reason: ReleaseReason


@dataclass(frozen=True, kw_only=True)
class View(ByHolder):
    """What was put together to be displayed; the judgement must be on exactly this."""

    digest: str
    shown: tuple[Shown, ...]
    alerts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Judge(ByHolder):
    judgement: Judgement
    features: tuple[FaceFeature, ...]
    digest: str
    scripted: bool


@dataclass(frozen=True, kw_only=True)
class Lapse(Move):
    """Write down which claims have run out."""


@dataclass(frozen=True, kw_only=True)
class Expire(Move):
    """Time is up: no action."""


@dataclass(frozen=True, kw_only=True)
class ByOther(Move):
    """A move of somebody who did not judge the case: nobody holds two sides of one decision."""

    person: str


@dataclass(frozen=True, kw_only=True)
class NoAction(ByOther):
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reopen(ByOther):
    reason: str


@dataclass(frozen=True, kw_only=True)
class Engage(ByOther):
    result: Engagement


@dataclass(frozen=True, kw_only=True)
class Outcome(ByOther):
    outcome: KnownOutcome

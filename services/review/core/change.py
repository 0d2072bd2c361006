"""What one move writes, as a value: applied whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.contracts.decisions import CaseEvent
from services.review.core.case import Case
from services.review.core.folding import Seen


@dataclass(frozen=True, kw_only=True)
class Content:
    """Sealed pictures of one alert at one revision, and when their key dies."""

    name: str
    sealed: bytes = field(repr=False)
    keep_until: datetime


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """Pictures that lie in the store already, and a time to go that is not the one they came with."""

    name: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """What a move means for the pictures that are there. What is gone stays gone."""

    sooner: tuple[Deadline, ...] = ()
    later: tuple[Deadline, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CaseAfter:
    """The case at its new version; holds only if the store still has the one before.

    The indexes of cases stay until `indexed_until`, unless another change gives them longer. `past_until`: for how
    long the case as it was before might be found and believed, were it not marked as past. `came_from`: the turn
    that it was decided on, None for a new case.
    """

    case: Case
    keep_until: datetime
    indexed_until: datetime
    past_until: datetime
    came_from: int | None


@dataclass(frozen=True, kw_only=True)
class SubjectAfter:
    """`case` becomes its subject's newest, if what was read (`version`, 0 for none) still stands."""

    case: Case
    version: int
    keep_until: datetime


@dataclass(frozen=True, kw_only=True)
class AlertAfter:
    """What is remembered of an alert from now on, if what was read still stands."""

    alert: str
    seen: Seen
    keep_until: datetime


@dataclass(frozen=True, kw_only=True)
class Passed:
    """The number of the alert in its lane: those that do not come before it will never come, and are counted."""

    lane: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Change:
    """Everything that is written together. `counts` are added, and hold exactly if the change does."""

    case: CaseAfter | None = None
    subject: SubjectAfter | None = None
    alert: AlertAfter | None = None
    events: tuple[CaseEvent, ...] = ()
    contents: tuple[Content, ...] = ()
    upkeep: Upkeep = field(default_factory=Upkeep)
    counts: Mapping[str, int] = field(default_factory=dict)
    passed: Passed | None = None

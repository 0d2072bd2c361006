"""What the list says of one subject, for whoever judges an alert."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from services.review.core.views import Resemblance


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One picture of the subject."""

    jpeg: bytes = field(repr=False)
    taken_on: date


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One subject as listed. The organisation's own reference is not in it.

    `resembles` are people that may be taken for this one; `handling` and `risk_flags` what those who meet the
    person must know.
    """

    category: str
    pictures: tuple[Reference, ...] = field(repr=False)
    resembles: tuple[Resemblance, ...] = ()
    handling: str = ""
    risk_flags: tuple[str, ...] = ()

"""Adds up authorities that run at once, so that one list split over several does not slip under a cap."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.contracts import ids
from services.contracts.authorisation.document import Document
from services.contracts.sealed.manifest import Manifest

# Not the tokens of a deployment: those of two deployments cannot be compared, these can.
_PURPOSE = b"signpost overlap of authorities"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One authority's list in figures; `subjects` are keyed tokens under the organisation's own key."""

    authority: str
    start: datetime
    end: datetime
    entries: int
    templates: int
    subjects: frozenset[ids.SubjectToken] = field(repr=False)

    def overlaps(self, other: Counted) -> bool:
        """Whether both run at some moment; starts are included, ends are not."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What authorities that run at once may have searched between them, at most, as their documents bound it."""

    authorities: tuple[str, ...]
    entries: int
    templates: int


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What runs beside one authority, itself included, for the report. `several` are people on two or more."""

    authorities: tuple[str, ...]
    entries: int
    templates: int
    distinct_subjects: int
    several: int


def counted(of: Manifest, *, authority: str, start: datetime, end: datetime, key: bytes) -> Counted:
    """The list of an authority, countable beside others. `key` is the organisation's, kept past every purge."""
    own = hashlib.sha256(_PURPOSE + key).digest()
    return Counted(
        authority=authority,
        start=start,
        end=end,
        entries=of.head.entries,
        templates=of.head.templates,
        subjects=frozenset(ids.subject_token(own, entry.subject_ref) for entry in of.entries),
    )


def totals(own: Counted, others: Iterable[Counted]) -> Totals:
    """`own` and every other authority that overlaps it in time; an authority given twice counts once."""
    beside = {one.authority: one for one in others if one.overlaps(own)} | {own.authority: own}
    people = Counter(token for one in beside.values() for token in one.subjects)
    return Totals(
        authorities=tuple(sorted(beside)),
        entries=sum(one.entries for one in beside.values()),
        templates=sum(one.templates for one in beside.values()),
        distinct_subjects=len(people),
        several=sum(count > 1 for count in people.values()),
    )


def caps(own: Document, others: Iterable[Document]) -> Caps:
    """`own` and every other authority whose window overlaps its own; one given twice counts once."""
    window = own.window
    beside = {one.id: one for one in others if one.window.start < window.end and window.start < one.window.end} | {
        own.id: own
    }
    return Caps(
        authorities=tuple(sorted(beside)),
        entries=sum(one.watchlist.max_entries for one in beside.values()),
        templates=sum(one.watchlist.max_templates for one in beside.values()),
    )

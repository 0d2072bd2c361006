"""Which entries may raise an alert now, and what to say of those who look like them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from services.contracts.sealed.entry import Entry, Relation
from services.contracts.sealed.manifest import Manifest, Verdict
from services.contracts.sealed.revocations import Folded


class Inert(StrEnum):
    """Why an entry raises nothing; a metric label. It stays in the cohort all the same."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    STALE = "stale"
    NOT_YET_CHECKED = "not_yet_checked"


@dataclass(frozen=True)
class Standing:
    """Every entry of a list at one moment, by id: those that may raise, the others with the reason."""

    active: frozenset[str]
    inert: Mapping[str, Inert]


def active(of: Manifest, revoked: Folded, now: datetime) -> Standing:
    """Who may raise an alert at `now`. Raises ValueError if the revocations are another list's.

    Only time and revocations take part: nothing makes an inert entry of a sealed list active again, but a clock
    that goes back, which the caller has to rule out.
    """
    if revoked.digest != of.digest:
        raise ValueError("the revocations are another list's")
    return standing(of, revoked.by_entry.keys(), now)


def standing(of: Manifest, revoked: Collection[str], now: datetime) -> Standing:
    """As `active`, for whoever keeps revocations elsewhere and knows the revoked entries' ids."""
    reasons = {entry.entry_id: _inert(entry, revoked, now) for entry in of.entries}
    return Standing(
        frozenset(name for name, reason in reasons.items() if reason is None),
        {name: reason for name, reason in reasons.items() if reason is not None},
    )


def _inert(entry: Entry, revoked: Collection[str], now: datetime) -> Inert | None:
    if entry.entry_id in revoked:
        return Inert.REVOKED
    if now >= entry.expires_at:
        return Inert.EXPIRED
    if now >= entry.raises_until:
        return Inert.STALE
    if now < entry.status.checked_at:
        return Inert.NOT_YET_CHECKED
    return None


def may_raise(of: Manifest, now: Standing) -> npt.NDArray[np.bool_]:
    """The same for the rows searched (`likeness.fused`): one an entry, then the fillers, who never may."""
    found = np.zeros(len(of.entries) + of.head.fillers, np.bool_)
    found[: len(of.entries)] = [entry.entry_id in now.active for entry in of.entries]
    return found


class Likeness(StrEnum):
    """Why whoever judges an alert must think of another person; the first five are `Relation`'s."""

    TWIN = "twin"
    SIBLING = "sibling"
    PARENT_OR_CHILD = "parent_or_child"
    OTHER_KIN = "other_kin"
    LOOK_ALIKE = "look_alike"
    LISTED_TWICE = "listed_twice"


@dataclass(frozen=True, order=True)
class Warned:
    """One warning on an alert (C-32). `entry_id` is the other's entry, "" if the other is not on this list;
    `subject_ref` is the organisation's reference of the other."""

    likeness: Likeness
    entry_id: str
    subject_ref: str = field(repr=False)


def related(of: Manifest, entry_id: str) -> tuple[Warned, ...]:
    """What to say on an alert for that entry: kin and look-alikes that either entry names, and collisions that
    were resolved at sealing. In order, each person and likeness once. KeyError if it is not on the list."""
    own = of.by_id[entry_id]
    listed = {entry.subject_ref: entry.entry_id for entry in of.entries}
    found = {
        Warned(_likeness(one.relation), listed.get(one.subject_ref, ""), one.subject_ref)
        for one in own.related_subjects
    }
    for entry in of.entries:
        for one in entry.related_subjects:
            if one.subject_ref == own.subject_ref:
                found.add(Warned(_likeness(one.relation), entry.entry_id, entry.subject_ref))
    for resolution in of.cohort.resolutions:
        pair = (resolution.pair.one, resolution.pair.other)
        if entry_id in pair:
            other = of.by_id[pair[0] if pair[1] == entry_id else pair[1]]
            distinct = resolution.verdict is Verdict.DISTINCT_PERSONS
            likeness = Likeness.LOOK_ALIKE if distinct else Likeness.LISTED_TWICE
            found.add(Warned(likeness, other.entry_id, other.subject_ref))
    return tuple(sorted(found))


def _likeness(relation: Relation) -> Likeness:
    return Likeness(relation.value)

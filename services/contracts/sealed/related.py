"""Who may be taken for whom: what an alert for an entry has to warn of (C-32)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.contracts.sealed.entry import Relation
from services.contracts.sealed.manifest import Manifest, Verdict


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
    """One warning. `entry_id` is the other's entry, "" if the other is not on this list; `subject_ref` is the
    organisation's reference of the other."""

    likeness: Likeness
    entry_id: str
    subject_ref: str = field(repr=False)


def related(of: Manifest) -> Mapping[str, tuple[Warned, ...]]:
    """What to say on the alerts of each entry, by id: kin and look-alikes that either of the two names, and
    collisions that were resolved at sealing. In order, each person and likeness once; entries without are left
    out. Revoked and inert entries are warned of like others: they look no less alike."""
    found: dict[str, set[Warned]] = {}
    for entry_id, warned in (*_named(of), *_resolved(of)):
        found.setdefault(entry_id, set()).add(warned)
    return {entry_id: tuple(sorted(warned)) for entry_id, warned in found.items()}


def _named(of: Manifest) -> Iterator[tuple[str, Warned]]:
    listed = {entry.subject_ref: entry.entry_id for entry in of.entries}
    for entry in of.entries:
        for one in entry.related_subjects:
            other, likeness = listed.get(one.subject_ref, ""), _likeness(one.relation)
            yield entry.entry_id, Warned(likeness, other, one.subject_ref)
            if other:
                yield other, Warned(likeness, entry.entry_id, entry.subject_ref)


def _resolved(of: Manifest) -> Iterator[tuple[str, Warned]]:
    for one in of.cohort.resolutions:
        distinct = one.verdict is Verdict.DISTINCT_PERSONS
        likeness = Likeness.LOOK_ALIKE if distinct else Likeness.LISTED_TWICE
        for own, other in ((one.pair.one, one.pair.other), (one.pair.other, one.pair.one)):
            yield own, Warned(likeness, other, of.by_id[other].subject_ref)


def _likeness(relation: Relation) -> Likeness:
    return Likeness(relation.value)

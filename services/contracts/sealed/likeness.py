"""Who on a list is like whom: pictures of one subject must be, two subjects must be looked into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from services.contracts import scoring
from services.contracts.scoring import Floats
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.manifest import Limits, Pair, Resolution, Verdict
from services.contracts.sealed.rules import is_person, same_person

# Entries compared at once, against as many: with five templates each their scores are six megabytes.
_BLOCK = 256


class Similarity(Protocol):
    """How like templates [m, d] and [n, d] are, [m, n]; `scoring.raw_scores` in earnest."""

    def __call__(self, probes: Floats, gallery: Floats, /) -> Floats: ...


def own_faults(templates: Mapping[str, Floats], limits: Limits, similarity: Similarity) -> Iterator[Fault]:
    """Entries with two pictures that do not show one person, by the model. `templates` are [pictures, d]."""
    for entry, rows in sorted(templates.items()):
        scores = similarity(rows, rows)
        for one, other in np.argwhere(~(np.triu(scores, 1) >= limits.same_person)).tolist():
            if one < other:
                rule = f"{one} and {other} do not match each other: one shows somebody else"
                yield Fault(entry, "pictures", rule, "C-24, B 3.7")


def alike(templates: Mapping[str, Floats], limits: Limits, similarity: Similarity) -> tuple[Pair, ...]:
    """Pairs of entries that have a picture each that are alike: doubles, wrong pictures, kin. In order.

    Not transitive: a likeness of likenesses is none. Quadratic in the list, in blocks. What has no score is alike.
    """
    names = sorted(templates)
    rows = [np.asarray(templates[name], np.float32) for name in names]
    pairs: set[Pair] = set()
    for start in range(0, len(names), _BLOCK):
        left, starts = _stacked(rows[start : start + _BLOCK])
        for behind in range(start, len(names), _BLOCK):
            right, behinds = _stacked(rows[behind : behind + _BLOCK])
            best = np.maximum.reduceat(similarity(left, right), starts, axis=0)
            best = np.maximum.reduceat(best, behinds, axis=1)
            for one, other in np.argwhere(~(best < limits.alike)).tolist():
                if start + one < behind + other:
                    pairs.add(Pair(names[start + one], names[behind + other]))
    return tuple(sorted(pairs))


def apart(found: Sequence[Pair], resolutions: Sequence[Resolution]) -> tuple[Pair, ...]:
    """Pairs that are no cohort for each other: those alike, and those that somebody knows to be one person."""
    known = {one.pair for one in resolutions if one.verdict is Verdict.SAME_PERSON}
    return tuple(sorted({*found, *known}))


def collision_faults(
    found: Sequence[Pair], resolutions: Sequence[Resolution], entries: Mapping[str, Entry]
) -> Iterator[Fault]:
    """Collisions that nobody has resolved, and resolutions that do not hold (C-33)."""
    resolved = [one.pair for one in resolutions]
    for pair in sorted(set(found) - set(resolved)):
        rule = f"is like entry {pair.other}; somebody must say whether they are one person"
        yield Fault(pair.one, "resolutions", rule, "C-33")
    if resolved != sorted(set(resolved)):
        yield Fault("", "resolutions", "must be in the order of their pairs, one a pair", "C-33")
    for one in resolutions:
        yield from _resolution_faults(one, entries)


def _resolution_faults(one: Resolution, entries: Mapping[str, Entry]) -> Iterator[Fault]:
    both = [entries[name] for name in (one.pair.one, one.pair.other) if name in entries]
    if len(both) != 2 or one.pair.one >= one.pair.other:
        yield Fault("", "resolutions", "must name two entries of the list, in order", "C-33")
        return
    if not is_person(one.by) or not one.grounds.strip():
        yield Fault(one.pair.one, "resolutions", "must say by whom and on what grounds", "C-33")
    if any(same_person(one.by, entry.added_by) for entry in both):
        yield Fault(one.pair.one, "resolutions", "must be by another person than who added the entries", "C-33")


def fused(templates: Mapping[str, Floats], fillers: Floats) -> Floats:
    """The rows that are searched: one an entry in the order of ids, then the fillers. [entries + fillers, d]."""
    rows = [scoring.fuse(np.asarray(templates[name], np.float32)) for name in sorted(templates)]
    return np.vstack([*rows, fillers]) if len(fillers) else np.vstack(rows)


def columns(pairs: Sequence[Pair], entry_ids: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """The pairs as places among the entries."""
    place = {name: number for number, name in enumerate(entry_ids)}
    return tuple((place[one.one], place[one.other]) for one in pairs)


def _stacked(rows: Sequence[Floats]) -> tuple[Floats, Sequence[int]]:
    starts = np.cumsum([0, *(len(one) for one in rows[:-1])])
    return np.concatenate(rows), starts.tolist()

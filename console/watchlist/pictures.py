"""Which pictures of a folder show one person, and which subjects may be one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from services.contracts.events import Vector


def together(vectors: Sequence[Vector], *, same_person: float) -> frozenset[int]:
    """The places of the pictures that show the subject: the largest group linked by likeness.

    One picture is its own group. Where two groups are as large (two pictures that do not match, say) nobody
    can tell which is the subject: none is taken.
    """
    groups = [{place} for place in range(len(vectors))]
    for one, other in combinations(range(len(vectors)), 2):
        if float(vectors[one] @ vectors[other]) >= same_person:
            joined = next(group for group in groups if one in group)
            joining = next(group for group in groups if other in group)
            if joined is not joining:
                joined |= joining
                groups.remove(joining)
    groups.sort(key=len, reverse=True)
    if len(groups) > 1 and len(groups[0]) == len(groups[1]):
        return frozenset()
    return frozenset(groups[0]) if groups else frozenset()


def alike(templates: Sequence[Vector], *, duplicate: float) -> list[tuple[int, int]]:
    """Pairs of subjects so alike that they may be one person, or relatives: somebody should look."""
    if not templates:
        return []
    rows = np.asarray(templates)
    pairs: list[tuple[int, int]] = []
    for place in range(len(rows) - 1):
        near = np.flatnonzero(rows[place + 1 :] @ rows[place] >= duplicate)
        pairs += [(place, place + 1 + int(other)) for other in near]
    return pairs

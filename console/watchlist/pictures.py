"""Which pictures of a folder show one person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.contracts.events import Vector


def together(vectors: Sequence[Vector], *, same_person: float) -> frozenset[int]:
    """The places of the pictures that show the subject: a largest set in which every two match.

    One picture is its own set. Where two sets without a picture in common are as large (two pictures that do not
    match, say) nobody can tell which is the subject: none is taken.
    """
    if not vectors:
        return frozenset()
    rows = np.asarray(vectors)
    alike = rows @ rows.T >= same_person
    sets = {_grown(start, alike) for start in range(len(rows))}
    largest = max(len(one) for one in sets)
    first, *others = sorted((one for one in sets if len(one) == largest), key=sorted)
    return frozenset() if any(not one & first for one in others) else first


def _grown(start: int, alike: np.ndarray) -> frozenset[int]:
    """From one picture on, the one that matches most others first. Not always the largest, and never mixed."""
    found = {start}
    while left := [one for one in range(len(alike)) if one not in found and alike[one, list(found)].all()]:
        found.add(max(left, key=lambda one: (int(alike[one, left].sum()), -one)))
    return frozenset(found)

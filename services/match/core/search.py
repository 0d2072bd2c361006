"""Which subjects a face reaches the threshold for. Exact: every face against every entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from services.contracts import ids
from services.contracts.events import ScoreKind, Vector
from services.contracts.sealed.standing import Inert
from services.match.core.matrix import ListMatrix, Matrix
from services.match.core.scores import Floats, Places, Scores, scores

# What float32 rounding may hide when deciding where to look; what is found is then compared exactly.
_SLACK = 1e-5


@dataclass(frozen=True)
class Hit:
    """A subject the face may be. `score` is of the list's kind: what the threshold was compared with."""

    subject: ids.SubjectToken
    raw_score: float = field(repr=False)
    score: float = field(repr=False)


@dataclass(frozen=True)
class Found:
    """For each face its hits in the order of the list, often none. `inert` counts what reached a threshold and
    may raise nothing: of whom is nowhere said."""

    hits: list[tuple[Hit, ...]]
    inert: Counter[Inert]


def search(
    matrix: ListMatrix,
    vectors: Sequence[Vector],
    thresholds: Sequence[float],
    *,
    at: datetime,
    revoked: Collection[str] = (),
) -> Found:
    """Search at that time for these faces; `thresholds` are one a face, `revoked` tokens that are off the list.

    Raises ValueError for a vector of another length than the list's.
    """
    probes: Matrix = np.stack(vectors)
    try:
        found = scores(matrix.rows, probes)
    finally:
        probes.fill(0)
    floors = np.asarray(thresholds, dtype=np.float64)
    cohort = None
    if matrix.score_kind is ScoreKind.GALLERY_NORMALISED:
        cohort = _Cohort(matrix, found)
        floors = floors + cohort.least_penalty - _SLACK
    hits: list[tuple[Hit, ...]] = [()] * found.faces
    inert: Counter[Inert] = Counter()
    for face in found.reached(floors):
        rows, raws = found.at_least(face, float(floors[face]))
        values = raws if cohort is None else cohort.normalised(face, rows, raws)
        kept: list[Hit] = []
        for row, raw, value in zip(rows.tolist(), raws.tolist(), values.tolist(), strict=True):
            term, token = matrix.terms[row], matrix.tokens[row]
            if term is None or not value >= thresholds[face]:
                continue
            why = term.inert(at, revoked=token in revoked)
            if why is None:
                kept.append(Hit(token, raw, value))
            else:
                inert[why] += 1
        hits[face] = tuple(kept)
    return Found(hits, inert)


class _Cohort:
    """Gallery normalisation: s - weight * mean(the k best scores of other entries).

    An entry among the k + 1 best has the others of these as its cohort, every other entry the k best. So
    the best entry's cohort has the lowest mean of all, which bounds what can reach a threshold. Near-duplicates
    of an entry are left out of its cohort too: then it is the k best of what is left.
    """

    def __init__(self, matrix: ListMatrix, found: Scores) -> None:
        self._size, self._weight, self._apart = matrix.cohort_size, matrix.cohort_weight, matrix.apart
        self._found = found
        # As many as may be left out, and as many as must be left.
        self._best = found.largest(self._size + 1 + matrix.most_apart)
        usual = self._best[:, : self._size + 1]
        self._total, self._least = usual.sum(axis=1), usual[:, -1]
        lowest = self._best[:, -self._size :]
        self.least_penalty: Floats = self._weight * lowest.sum(axis=1) / self._size

    def normalised(self, face: int, rows: Places, raws: Floats) -> Floats:
        """The normalised scores of some rows of one face, whose raw scores are `raws`."""
        others = self._total[face] - np.maximum(raws, self._least[face])
        for place, row in enumerate(rows.tolist()):
            if row in self._apart:
                others[place] = self._without(face, (row, *self._apart[row]))
        return np.asarray(raws - self._weight * others / self._size)

    def _without(self, face: int, rows: Sequence[int]) -> float:
        """The sum of the k best scores but these rows'."""
        left = self._best[face].tolist()
        for raw in self._found.of_rows(face, np.asarray(rows, dtype=np.intp)).tolist():
            if raw in left:  # else it is none of the best; equal scores stand for each other
                left.remove(raw)
        return float(sum(left[: self._size]))

"""Which subjects a face reaches the threshold for. Exact: every face against every entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from services.contracts import ids
from services.contracts.events import ScoreKind, Vector
from services.match.core.matrix import ListMatrix, Matrix
from services.match.core.scores import Floats, Scores, scores

# What float32 rounding may hide when deciding where to look; what is found is then compared exactly.
_SLACK = 1e-5


@dataclass(frozen=True)
class Hit:
    """A subject the face may be. `score` is of the list's kind: what the threshold was compared with."""

    subject: ids.SubjectToken
    raw_score: float = field(repr=False)
    score: float = field(repr=False)


def search(
    matrix: ListMatrix, vectors: Sequence[Vector], thresholds: Sequence[float], *, on: date
) -> list[tuple[Hit, ...]]:
    """For each face its hits in the order of the list, often none; `thresholds` are one a face.

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
    for face in found.reached(floors):
        rows, raws = found.at_least(face, float(floors[face]))
        values = raws if cohort is None else cohort.normalised(face, raws)
        hits[face] = tuple(
            Hit(matrix.tokens[row], raw, value)
            for row, raw, value in zip(rows.tolist(), raws.tolist(), values.tolist(), strict=True)
            if value >= thresholds[face] and matrix.may_alert(row, on)
        )
    return hits


class _Cohort:
    """Gallery normalisation: s - weight * mean(the k best scores of other entries).

    An entry among the k + 1 best has the others of these as its cohort, every other entry the k best. So
    the best entry's cohort has the lowest mean of all, which bounds what can reach a threshold.
    """

    def __init__(self, matrix: ListMatrix, found: Scores) -> None:
        self._size, self._weight = matrix.cohort_size, matrix.cohort_weight
        best = found.largest(self._size + 1)
        self._total, self._least = best.sum(axis=1), best[:, -1]
        self.least_penalty: Floats = self._weight * (self._total - best[:, 0]) / self._size

    def normalised(self, face: int, raws: Floats) -> Floats:
        """The normalised scores of some entries of one face."""
        others = self._total[face] - np.maximum(raws, self._least[face])
        return np.asarray(raws - self._weight * others / self._size)

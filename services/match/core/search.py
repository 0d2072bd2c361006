"""Which subjects a face reaches the threshold for. Exact: every face against every entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from services.contracts import ids
from services.contracts.events import ScoreKind, Vector
from services.contracts.scoring import Cohorts
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
        # As many as may be left out, and as many as must be left.
        best = found.largest(matrix.cohort_size + 1 + matrix.most_apart)
        cohort = Cohorts(best, k=matrix.cohort_size, a=matrix.cohort_weight)
        floors = floors + cohort.least_penalty - _SLACK
    hits: list[tuple[Hit, ...]] = [()] * found.faces
    inert: Counter[Inert] = Counter()
    for face in found.reached(floors):
        rows, raws = found.at_least(face, float(floors[face]))
        values = raws if cohort is None else cohort.of_probe(face, raws, _apart(matrix, found, face, rows))
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


def _apart(matrix: ListMatrix, found: Scores, face: int, rows: Places) -> dict[int, Floats]:
    """By place in `rows`, the raw scores of an entry and of its near-duplicates, where it has any."""
    return {
        place: found.of_rows(face, np.asarray((row, *matrix.apart[row]), dtype=np.intp))
        for place, row in enumerate(rows.tolist())
        if row in matrix.apart
    }

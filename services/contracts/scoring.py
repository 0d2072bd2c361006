"""How likeness is scored: the one place, so that what is calibrated is what is searched.

match searches with it, embed fuses a track's shots with it, sealing compares entries with it, and evaluation
measures thresholds with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Measured for SFace: 3 to 100 others and weights of .25 to .75 differ by less than a hundredth in TPIR.
COHORT_SIZE = 10
COHORT_WEIGHT = 0.5
# Below this the "others" are too few to say what is usual on the list.
MIN_NORMALISED_GALLERY = 30


def fuse(vectors: Floats) -> Floats:
    """One template of several shots [..., shots, d]: their mean, of length 1 again, [..., d].

    Raises ValueError when there is no shot, or the shots cancel out.
    """
    if vectors.shape[-2] == 0:
        raise ValueError("there is nothing to fuse")
    mean = vectors.mean(axis=-2, dtype=np.float64)
    lengths = np.linalg.norm(mean, axis=-1, keepdims=True)
    if (lengths < 1e-6).any():
        raise ValueError("the shots cancel out: they are not of one face")
    return np.asarray(mean / lengths, np.float32)


def raw_scores(probes: Floats, gallery: Floats) -> Floats:
    """Cosine of every probe [m, d] with every entry [n, d], all of length 1: [m, n]."""
    return np.asarray(probes @ gallery.T, np.float32)


class Cohorts:
    """Gallery normalisation: a raw score less `a` times the mean of the probe's `k` best scores of other entries.

    A face that is like many on the list is like nobody on it; and the threshold no longer moves with the list's
    size. An entry that is among a probe's k + 1 best has the others of these as its cohort, every other entry the
    k best. Made of `best` [m, k + 1 or more], the largest raw scores of each of m probes, descending: as many more
    than k + 1 as an entry may have near-duplicates, which are no cohort for it. Raises ValueError for fewer.
    """

    def __init__(self, best: Doubles, *, k: int = COHORT_SIZE, a: float = COHORT_WEIGHT) -> None:
        if not 1 <= k < best.shape[1]:
            raise ValueError(f"{k} others are asked for, the list has {best.shape[1]} subjects")
        self._best, self._k, self._a = best, k, a
        usual = best[:, : k + 1]
        self._total, self._least = usual.sum(axis=1), usual[:, -1]

    @property
    def least_penalty(self) -> Doubles:
        """The least that is taken off any score of each probe, [m]: it bounds what can reach a threshold."""
        return np.asarray(self._a * self._best[:, -self._k :].sum(axis=1) / self._k)

    def normalised(self, scores: Floats | Doubles) -> Doubles:
        """All scores [m, n] of the probes on a list without near-duplicates, [m, n]."""
        others = self._total[:, np.newaxis] - np.maximum(scores, self._least[:, np.newaxis])
        return self._less(scores, others)

    def of_probe(self, probe: int, scores: Doubles, apart: Mapping[int, Doubles]) -> Doubles:
        """Some raw scores [r] of one probe, normalised, [r].

        `apart` has, by place in `scores`, the raw scores of an entry that has near-duplicates and of these.
        """
        others = self._total[probe] - np.maximum(scores, self._least[probe])
        for place, left_out in apart.items():
            others[place] = self._without(probe, left_out)
        return self._less(scores, others)

    def _without(self, probe: int, left_out: Doubles) -> float:
        """The sum of the probe's k best scores but these."""
        left = self._best[probe].tolist()
        for score in left_out.tolist():
            if score in left:  # else it is none of the best; equal scores stand for each other
                left.remove(score)
        if len(left) < self._k:
            raise ValueError(f"{self._k} others are asked for, an entry has {len(left)}")
        return float(sum(left[: self._k]))

    def _less(self, scores: Floats | Doubles, others: Doubles) -> Doubles:
        return np.asarray(scores - self._a * others / self._k, np.float64)


def gallery_t(
    scores: Floats, pairs: Sequence[tuple[int, int]] = (), *, k: int = COHORT_SIZE, a: float = COHORT_WEIGHT
) -> Floats:
    """Every raw score [m, n], one column an entry, normalised as `Cohorts` says, [m, n].

    The two columns of a pair are near-duplicates: no cohort for each other. Raises ValueError unless every column
    keeps k others.
    """
    apart: dict[int, list[int]] = {}
    for one, other in pairs:
        apart.setdefault(one, [one]).append(other)
        apart.setdefault(other, [other]).append(one)
    count = min(scores.shape[1], k + max(map(len, apart.values()), default=1))
    cohorts = Cohorts(_largest(scores, count), k=k, a=a)
    found = cohorts.normalised(scores)
    doubles = scores.astype(np.float64)
    for column, columns in apart.items():
        for probe, row in enumerate(doubles):
            found[probe, column] = cohorts.of_probe(probe, row[[column]], {0: row[columns]})[0]
    return found.astype(np.float32)


def _largest(scores: Floats, count: int) -> Doubles:
    """The `count` largest of each row, descending."""
    top = np.partition(scores, scores.shape[1] - count, axis=1)[:, scores.shape[1] - count :]
    return -np.sort(-top.astype(np.float64), axis=1)

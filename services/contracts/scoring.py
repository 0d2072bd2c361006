"""How likeness is scored: the one place, so that what is calibrated is what is searched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

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
    mean = vectors.mean(axis=-2)
    lengths = np.linalg.norm(mean, axis=-1, keepdims=True)
    if (lengths < 1e-6).any():
        raise ValueError("the shots cancel out: they are not of one face")
    return np.asarray(mean / lengths, np.float32)


def raw_scores(probes: Floats, gallery: Floats) -> Floats:
    """Cosine of every probe [m, d] with every entry [n, d], all of length 1: [m, n]."""
    return np.asarray(probes @ gallery.T, np.float32)


def best_per_subject(scores: Floats, subjects: NDArray[np.intp], count: int) -> Floats:
    """Reduce scores [m, entries] to [m, count] where subjects have several entries each.

    `subjects` [entries] says whose each entry is, 0..count-1. Normalise only after this: an own
    second entry among the "others" would count a subject against itself.
    """
    best = np.full((count, scores.shape[0]), -np.inf, np.float32)
    np.maximum.at(best, subjects, scores.T)
    return best.T


def gallery_t(scores: Floats, *, k: int = COHORT_SIZE, a: float = COHORT_WEIGHT) -> Floats:
    """Each score less `a` times the mean of the probe's `k` best scores on other subjects: [m, n].

    A face that is like many on the list is like nobody on it; and the threshold no longer moves with
    the list's size. `scores` [m, n], one column a subject. Raises ValueError unless n > k.
    """
    n = scores.shape[1]
    if not 1 <= k < n:
        raise ValueError(f"{k} others are asked for, the list has {n} subjects")
    top = np.partition(scores, n - k - 1, axis=1)[:, n - k - 1 :].astype(np.float64)
    # Of the k + 1 best, leave out the score's own where it is one of them, else the least of them.
    others = (top.sum(axis=1, keepdims=True) - np.maximum(scores, top.min(axis=1, keepdims=True))) / k
    return np.asarray(scores - a * others, np.float32)

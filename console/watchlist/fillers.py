"""Fillers: vectors that stand to a list as strangers would. They are nobody, and say so on the list.

A short list gives normalisation no cohort. Fillers make one up, with the two figures measured on strangers:
the mean and the deviation of their cosines, to one another and to the subjects. What they cannot know is
where an unlisted passer-by lies: with few subjects their cosines to her are lower than a real stranger's, so
a padded list is normalised a little too kindly. A list of real size needs none.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from console.watchlist.limits import Limits
from services.contracts.events import Vector

Floats = npt.NDArray[np.float64]


def fillers(count: int, subjects: list[Vector], limits: Limits, *, seed: int) -> list[Vector]:
    """`count` unit vectors, float32 [d]; the same `seed` and subjects give the same ones.

    A filler is a direction that all of them share, and noise. The share's part among the subjects is the
    shortest vector with the strangers' mean cosine to each of them; the rest lies aside of them.
    """
    if not count:
        return []
    rng = np.random.default_rng(seed)
    known = np.asarray(subjects, dtype=np.float64)
    shared = _shared(known, limits.stranger_mean, rng)
    noise = _noise(count, shared, limits, rng)
    raw = shared + noise
    return [np.asarray(one / np.linalg.norm(one), dtype=np.float32) for one in raw]


def _shared(known: Floats, mean: float, rng: np.random.Generator) -> Floats:
    """The direction all fillers share: its square is the strangers' mean cosine, and so is its product with
    each known vector."""
    towards = np.linalg.pinv(known) @ np.full(len(known), mean)
    length = float(towards @ towards)
    if length >= mean:
        return np.asarray(towards * np.sqrt(mean / length))
    drawn: Floats = rng.standard_normal((known.shape[1],))
    aside = drawn - np.linalg.pinv(known) @ (known @ drawn)
    return np.asarray(towards + aside * np.sqrt((mean - length) / (aside @ aside)))


def _noise(count: int, shared: Floats, limits: Limits, rng: np.random.Generator) -> Floats:
    """What is each filler's own: aside of `shared`, and in so many directions that cosines deviate as measured."""
    size = shared.size
    own = 1.0 - limits.stranger_mean
    directions = round(min(max((own / limits.stranger_sd) ** 2, 2), size - 1))
    basis = np.linalg.qr(rng.standard_normal((size, directions)))[0]
    raw = rng.standard_normal((count, directions)) @ basis.T
    raw -= np.outer(raw @ shared, shared) / (shared @ shared)
    return np.asarray(raw * np.sqrt(own) / np.linalg.norm(raw, axis=1, keepdims=True))

"""Fillers: vectors that stand to a list as strangers would. They are nobody, and say so on the list.

A short list gives normalisation no cohort. Fillers make one up, with the two figures measured on strangers:
the mean and the deviation of their cosines, to one another and to the subjects. What they cannot know is
where an unlisted passer-by lies: with few subjects their cosines to her are lower than a real stranger's, so
a padded list is normalised a little too kindly. A list of real size needs none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.contracts import scoring
from services.contracts.errors import Misconfigured
from services.contracts.events import Vector
from services.contracts.sealed.manifest import Filling

Floats = npt.NDArray[np.float64]

# How these are made up, in a manifest; another way takes another name.
METHOD = "strangers-1"
# Draws of all of them; by chance about one in a thousand is left out of a draw.
_ROUNDS = 20


def fillers(
    count: int, subjects: Sequence[Vector], filling: Filling, *, templates: Sequence[Vector], alike: float
) -> scoring.Floats:
    """`count` unit vectors, float32 [count, d]; the same filling, subjects and templates give the same ones.

    A filler is a direction that all of them share, and noise. The share's part among the subjects is the
    shortest vector with the strangers' mean cosine to each of them; the rest lies aside of them. One that chance
    made as like a template as `alike` is drawn again: it would hide whose template that is. Raises Misconfigured
    if there is no end to that.
    """
    known = np.asarray(subjects, dtype=np.float64)
    if not count:
        return np.zeros((0, known.shape[1]), np.float32)
    rng = np.random.default_rng(filling.seed)
    shared = _shared(known, filling.stranger_mean, rng)
    looked_at = np.asarray(templates, dtype=np.float32)
    made: list[scoring.Floats] = []
    for _ in range(_ROUNDS):
        raw = shared + _noise(count, shared, filling, rng)
        rows = np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), dtype=np.float32)
        far = (scoring.raw_scores(looked_at, rows) < alike).all(axis=0)
        made += list(rows[far])
        if len(made) >= count:
            return np.stack(made[:count])
    raise Misconfigured("no fillers can be made up that are unlike everybody on this list")


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


def _noise(count: int, shared: Floats, filling: Filling, rng: np.random.Generator) -> Floats:
    """What is each filler's own: aside of `shared`, and in so many directions that cosines deviate as measured."""
    size = shared.size
    own = 1.0 - filling.stranger_mean
    directions = round(min(max((own / filling.stranger_sd) ** 2, 2), size - 1))
    basis = np.linalg.qr(rng.standard_normal((size, directions)))[0]
    raw = rng.standard_normal((count, directions)) @ basis.T
    raw -= np.outer(raw @ shared, shared) / (shared @ shared)
    return np.asarray(raw * np.sqrt(own) / np.linalg.norm(raw, axis=1, keepdims=True))

"""Thresholds for a rate of false alarms a track may raise, over all the searches it is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.protocol import Floats, SearchScores


def at_rate(strangers: Floats, rate: float) -> float:
    """The least threshold at which at most `rate` of `strangers` [n] reach it. Raises ValueError when n is
    too small for such a rate to show."""
    allowed = int(np.floor(rate * strangers.size + 1e-9))
    if allowed < 1:
        raise ValueError(f"{strangers.size} tracks cannot show a rate of {rate}")
    return float(np.nextafter(np.sort(strangers)[::-1][allowed], np.float32(np.inf)))


def for_tracks(strangers: Floats, rate: float) -> list[float]:
    """One threshold a stage, so that at most `rate` of the tracks raise an alert at any stage.

    `strangers` [stages, tracks]. Every stage is given the same rate of its own, the largest that keeps
    the whole track within `rate`: a track that is searched thrice has three chances to be wrong.
    """
    stages, tracks = strangers.shape
    ordered = -np.sort(-strangers, axis=1)
    allowed = int(np.floor(rate * tracks + 1e-9))
    for hits in range(allowed, 0, -1):
        limits = np.nextafter(ordered[:, hits], np.float32(np.inf))
        if (strangers >= limits[:, None]).any(axis=0).sum() <= allowed:
            return [float(limit) for limit in limits]
    raise ValueError(f"{tracks} tracks cannot show a rate of {rate} over {stages} searches")


def alarmed(strangers: Floats, limits: list[float]) -> NDArray[np.bool_]:
    """Which tracks [tracks] reach the threshold of a stage at any stage."""
    reached = strangers >= np.asarray(limits, np.float32)[:, None]
    return np.asarray(reached.any(axis=0), np.bool_)


def pooled(trials: list[SearchScores]) -> SearchScores:
    """All trials side by side. People recur in it: it steadies a threshold, it narrows no interval."""
    return SearchScores(
        np.concatenate([t.own for t in trials], axis=1), np.concatenate([t.strangers for t in trials], axis=1)
    )

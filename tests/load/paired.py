"""What pairs of measurements tell: the median of their ratios, and how sure it is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Compared:
    """`median` of the pairs' ratios; the true one lies within `interval` with probability `confidence`."""

    median: float
    interval: tuple[float, float]
    confidence: float


def compare(pairs: Sequence[tuple[float, float]]) -> Compared:
    """The first of each pair as a share of the second. The interval is the sign test's: it assumes no shape.

    ValueError for so few pairs that no interval is sure enough: six are needed.
    """
    ratios = sorted(one / other for one, other in pairs)
    inner, sure = 0, _sure(len(ratios), 0)
    if not enough(len(ratios)):
        raise ValueError(f"{len(ratios)} pairs are too few")
    while _sure(len(ratios), inner + 1) >= CONFIDENCE:
        inner += 1
        sure = _sure(len(ratios), inner)
    return Compared(statistics.median(ratios), (ratios[inner], ratios[-1 - inner]), sure)


def enough(pairs: int) -> bool:
    """Whether so many pairs have an interval at all."""
    return _sure(pairs, 0) >= CONFIDENCE


def _sure(pairs: int, inner: int) -> float:
    """How probably the median lies between the ratios `inner` from each end."""
    outside: int = 2 * sum(comb(pairs, below) for below in range(inner + 1))
    return 1 - outside / (1 << pairs)

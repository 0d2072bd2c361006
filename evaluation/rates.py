"""Rates of errors and how sure one may be of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rate:
    """`hits` of `trials`, with the interval in which the true rate lies with 95 % confidence."""

    hits: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.hits / self.trials if self.trials else math.nan

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def fpir(false_alarms: NDArray[np.bool_]) -> Rate:
    """False positive identification rate: of the people who are not on the list, how many raised an
    alert. Clopper-Pearson, which never claims too much where false alarms are few."""
    hits, trials = int(false_alarms.sum()), false_alarms.size
    return Rate(hits, trials, *clopper_pearson(hits, trials))


def tpir(found: NDArray[np.bool_]) -> Rate:
    """True positive identification rate: of the people on the list, how many raised the alert that names
    them. Wilson."""
    hits, trials = int(found.sum()), found.size
    return Rate(hits, trials, *wilson(hits, trials))


def wilson(hits: int, trials: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    p = hits / trials
    denominator = 1 + z * z / trials
    centre = (p + z * z / (2 * trials)) / denominator
    half = z * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials)) / denominator
    return max(0.0, centre - half), min(1.0, centre + half)


def clopper_pearson(hits: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The exact binomial interval; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _rate_at(lambda p: 1 - _at_most(hits - 1, trials, p), tail, rising=True)
    high = 1.0 if hits == trials else _rate_at(lambda p: _at_most(hits, trials, p), tail, rising=False)
    return low, high


def _at_most(hits: int, trials: int, p: float) -> float:
    """P(X <= hits) of a binomial, summed in logarithms: trials run into the hundred thousands."""
    if p <= 0:
        return 1.0
    if p >= 1:
        return 0.0 if hits < trials else 1.0
    k = np.arange(hits + 1, dtype=np.float64)
    steps = np.log((trials - k[:-1]) / (k[:-1] + 1))
    choose = np.concatenate([[0.0], np.cumsum(steps)])
    logs = choose + k * math.log(p) + (trials - k) * math.log1p(-p)
    peak = logs.max()
    return min(1.0, float(math.exp(peak) * np.exp(logs - peak).sum()))


def _rate_at(probability: Callable[[float], float], tail: float, *, rising: bool) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):  # halves the interval to below any rate one could measure
        middle = (low + high) / 2
        if (probability(middle) < tail) == rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2

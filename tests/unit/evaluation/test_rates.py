"""Rates and their intervals against published values."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.rates import clopper_pearson, fpir, tpir, wilson


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.3084971),
        (1, 10, 0.002528579, 0.4450161),
        (5, 10, 0.1870860, 0.8129140),
        (10, 10, 0.6915029, 1.0),
        (7, 7000, 0.000402137, 0.002059331),
    ],
)
def test_clopper_pearson_gives_the_exact_interval(hits: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(hits, trials) == pytest.approx((low, high), rel=1e-3)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"), [(5, 10, 0.2365931, 0.7634069), (0, 10, 0.0, 0.2775328)]
)
def test_wilson_gives_the_score_interval(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=1e-5)


def test_without_trials_nothing_is_known() -> None:
    assert wilson(0, 0) == clopper_pearson(0, 0) == (0, 1)


def test_a_rate_lies_in_its_interval() -> None:
    flags = np.array([True] * 3 + [False] * 997)
    for rate in (fpir(flags), tpir(flags)):
        assert rate.value == 0.003
        assert rate.low < rate.value < rate.high

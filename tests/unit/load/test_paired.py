"""Pairs give the median of their ratios, and an interval that is as sure as it says."""

from __future__ import annotations

import random

import pytest

from tests.load.paired import CONFIDENCE, compare


def test_the_median_and_the_interval_are_of_the_ratios() -> None:
    pairs = [(95 + number, 100.0) for number in range(12)]

    found = compare(pairs)

    assert found.median == pytest.approx(1.005)
    assert found.interval == (0.97, 1.04)  # the third from each end
    assert found.confidence == pytest.approx(0.9614, abs=1e-4)


def test_what_slows_both_of_a_pair_changes_nothing() -> None:
    steady = compare([(97.0, 100.0)] * 10)
    drifting = compare([(97.0 * slow, 100.0 * slow) for slow in range(1, 11)])

    assert drifting.median == pytest.approx(steady.median)


def test_the_interval_holds_the_true_ratio_as_often_as_it_says() -> None:
    chance = random.Random(4)
    held = 0
    for _ in range(2000):
        low, high = compare([(chance.lognormvariate(0, 0.1), 1.0) for _ in range(10)]).interval
        held += low <= 1.0 <= high

    assert held / 2000 >= CONFIDENCE


def test_too_few_pairs_give_no_interval() -> None:
    with pytest.raises(ValueError, match="too few"):
        compare([(1.0, 1.0)] * 5)

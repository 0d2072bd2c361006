"""Thresholds that follow from a list's size and a rate of false alarms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.events import ScoreKind
from services.contracts.operating_points import BY_MODEL

SFACE = BY_MODEL["sface"]
RATES = st.floats(1e-6, 1e-3)


@pytest.mark.parametrize(("entries", "first"), [(1, 0.440), (2, 0.457), (10, 0.495), (100, 0.545), (1000, 0.592)])
def test_the_raw_threshold_of_one_shot_is_the_measured_one(entries: int, first: float) -> None:
    assert SFACE.thresholds(ScoreKind.RAW, entries=entries, fpir=0.001)[1] == first


@given(entries=st.integers(1, 100_000), fpir=RATES)
def test_a_longer_list_and_a_stricter_rate_never_lower_a_threshold(entries: int, fpir: float) -> None:
    here = SFACE.thresholds(ScoreKind.RAW, entries=entries, fpir=fpir)
    for longer, rate in ((entries * 2, fpir), (entries, fpir / 2)):
        there = SFACE.thresholds(ScoreKind.RAW, entries=longer, fpir=rate)
        assert all(there[shots] >= here[shots] for shots in here)


@given(entries=st.integers(1, 100_000), fpir=RATES)
def test_ten_times_the_entries_is_as_strict_as_a_tenth_of_the_rate(entries: int, fpir: float) -> None:
    longer = SFACE.thresholds(ScoreKind.RAW, entries=entries * 10, fpir=fpir)
    stricter = SFACE.thresholds(ScoreKind.RAW, entries=entries, fpir=fpir / 10)
    assert longer == pytest.approx(stricter, abs=0.0011)  # both are rounded


@given(entries=st.integers(1, 200_000), fpir=RATES, kind=st.sampled_from(ScoreKind))
def test_more_shots_never_need_less_and_all_are_what_an_authority_takes(
    entries: int, fpir: float, kind: ScoreKind
) -> None:
    found = SFACE.thresholds(kind, entries=max(entries, 30), fpir=fpir)
    assert list(found) == sorted(found)
    assert 1 in found
    assert list(found.values()) == sorted(found.values())
    assert all(0 < value < 1 for value in found.values())


@given(entries=st.integers(30, 200_000))
def test_a_normalised_threshold_does_not_move_with_the_list(entries: int) -> None:
    found = SFACE.thresholds(ScoreKind.GALLERY_NORMALISED, entries=entries, fpir=0.001)
    assert found == {1: 0.400, 3: 0.420}


@pytest.mark.parametrize(
    ("kind", "entries", "fpir"),
    [
        (ScoreKind.RAW, 0, 0.001),
        (ScoreKind.RAW, 10, 0.0),
        (ScoreKind.RAW, 10, 1.0),
        (ScoreKind.GALLERY_NORMALISED, 29, 0.001),
    ],
)
def test_what_has_no_threshold_is_refused(kind: ScoreKind, entries: int, fpir: float) -> None:
    with pytest.raises(ValueError, match=r"entries|rate"):
        SFACE.thresholds(kind, entries=entries, fpir=fpir)

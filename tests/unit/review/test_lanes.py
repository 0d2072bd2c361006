"""What review counts of the alerts that do not come, by numbers that anybody who may write could make up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.counts import MOST_NUMBER
from services.contracts.places import MOST_STEP
from services.review.core.change import Passed
from services.review.edges.lanes import Lanes


def test_alerts_that_do_not_come_are_counted_once() -> None:
    lanes = Lanes()
    lanes.learn([{"alerts_passed:1-2": 3}, {"alerts_passed:1-2": 5}])
    counted, numbers = lanes.step(Passed(lane="1-2", number=8))
    lanes.take(numbers)
    assert (counted, numbers) == ({"alerts_skipped": 2}, {"alerts_passed:1-2": 8})
    assert lanes.step(Passed(lane="1-2", number=8)) == ({}, {})


def test_a_number_from_too_far_ahead_is_not_counted() -> None:
    lanes = Lanes()
    lanes.learn([])
    assert lanes.step(Passed(lane="1-2", number=MOST_STEP + 2)) == ({}, {})


def test_numbers_that_cannot_be_are_not_learnt_from_the_store() -> None:
    lanes = Lanes()
    lanes.learn([{"alerts_passed:1-2": 10**18, "alerts_passed:99-2": 4, "alerts_passed:x": 4}])
    assert lanes.known == {}


@given(st.lists(st.integers(1, MOST_NUMBER), max_size=50))
def test_what_is_counted_of_a_lane_is_never_more_than_its_last_number(numbers: list[int]) -> None:
    lanes, skipped = Lanes(), 0
    lanes.learn([])
    for number in numbers:
        counted, passed = lanes.step(Passed(lane="1-2", number=number))
        lanes.take(passed)
        skipped += counted.get("alerts_skipped", 0)
    assert skipped <= MOST_NUMBER

"""Numbers in a lane: what they tell of records that are gone, and what offsets cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.counts import Lane
from services.contracts.places import Between, Log, Mark, Place, between, parse, place_of

LANE = Lane(3, 5)


def numbers(*found: int) -> dict[int, frozenset[int]]:
    return {LANE.source: frozenset(found)}


def reached(mark: Mark, *found: int) -> tuple[Mark, int]:
    missing = 0
    for number in found:
        mark, hole = mark.reach(Place("d", 3, number))
        missing += hole
    return mark, missing


def test_a_number_that_follows_leaves_nothing_out() -> None:
    assert reached(Mark(), 1, 2, 3) == (Mark(passed={3: 3}), 0)


def test_a_number_that_does_not_follow_tells_how_many_are_gone() -> None:
    assert reached(Mark(), 4, 5, 9)[1] == 3 + 3


def test_what_is_read_again_after_a_crash_is_gone_no_second_time() -> None:
    assert reached(Mark(passed={3: 9}), 8, 9, 10) == (Mark(passed={3: 10}), 0)


def test_numbers_go_on_where_the_mark_left_them() -> None:
    mark = Mark()
    for _ in range(2):
        mark, _ = mark.give(5)
    kept = parse(mark.text())
    assert kept == mark
    assert kept.give(5)[1] == 3
    assert kept.give(6)[1] == 1


@pytest.mark.parametrize(
    "text", ["note", "{}", '{"passed": 1, "given": {}}', "[" * 5000, '{"passed":{"a":1},"given":{}}']
)
def test_a_mark_that_a_tool_has_overwritten_is_known_as_none(text: str) -> None:
    assert parse(text) is None


@given(st.binary(max_size=60))
def test_a_strangers_header_is_no_place_or_a_whole_one(raw: bytes) -> None:
    place = place_of([("place", raw)])
    assert place is None or place.header() == ("place", raw) or raw.split(b"/")[1].startswith(b"0") or b"/0" in raw


def test_offsets_tell_of_records_that_were_written_without_transactions() -> None:
    mark, missing = Mark(next=100).step(107, lambda: None)
    assert (missing, mark.next) == (7, 108)


def test_where_a_group_never_committed_each_run_tells_what_came_before_its_first_frame() -> None:
    """Offsets would count the frames of every deployment that used the topic before."""
    mark, first = Mark().step(90_000, lambda: ("gate-1", 5))
    mark, other = mark.step(90_001, lambda: ("gate-2", 1))
    mark, again = mark.step(90_002, lambda: ("gate-1", 6))
    mark, hole = mark.step(90_005, lambda: ("gate-1", 9))
    assert (first, other, again, hole) == (4, 0, 0, 2)


def test_what_is_given_and_not_passed_lies_between() -> None:
    log = Log(first=0, end=9, committed=2, there=numbers(3, 4))
    assert between({LANE: 4}, {LANE: 2}, {}, {5: log}) == Between(unread=2)


def test_a_partition_that_begins_behind_the_group_has_lost_what_is_not_there() -> None:
    log = Log(first=7, end=9, committed=2, there=numbers(4))
    assert between({LANE: 4}, {LANE: 2}, {}, {5: log}) == Between(unread=1, deleted=1)


def test_what_vanished_from_a_partition_that_never_deleted_anything_is_lost() -> None:
    log = Log(first=0, end=9, committed=2, there=numbers(4))
    assert between({LANE: 4}, {LANE: 2}, {}, {5: log}) == Between(unread=1, lost=1)


def test_what_was_deleted_before_another_lane_led_the_group_past_it_is_still_known() -> None:
    """The group stands behind the hole by now, and no later record of the hole's own lane has shown it."""
    other = Lane(4, LANE.home)
    log = Log(first=6, end=9, committed=8, there={other.source: frozenset((3,))})
    assert between({LANE: 4, other: 3}, {LANE: 2, other: 2}, {}, {5: log}) == Between(unread=1, deleted=2)


def test_what_was_read_while_one_looked_is_not_deleted() -> None:
    log = Log(first=7, end=9, committed=2)
    assert between({LANE: 4}, {LANE: 2}, {LANE: 4}, {5: log}) == Between(unread=2)


@pytest.mark.parametrize(
    ("log", "begin", "shortened"),
    [
        (Log(first=0, end=0, committed=None), 0, False),
        (Log(first=5, end=9, committed=None), 5, True),
        (Log(first=5, end=9, committed=7), 7, True),
        (Log(first=0, end=9, committed=7), 7, False),
        (Log(first=9, end=9, committed=8), 9, True),  # at a marker that is gone
        (Log(first=0, end=3, committed=8), 0, True),  # a topic that was made anew
    ],
)
def test_where_a_group_goes_on(log: Log, begin: int, *, shortened: bool) -> None:
    assert (log.begin, log.shortened) == (begin, shortened)

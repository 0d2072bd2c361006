"""Numbers in a lane: what they tell of records that are gone, and what offsets cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.counts import MOST_NUMBER, PARTITIONS, Lane
from services.contracts.places import MOST_STEP, Between, Log, Mark, Place, between, parse, place_of

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


# What Kafka takes beside an offset (offset.metadata.max.bytes).
MOST_METADATA_BYTES = 4096

HEADERS = st.builds(
    lambda source, number: ("place", f"d/{source}/{number}".encode()),
    st.integers(0, 10**10) | st.integers(0, 9),
    st.integers(0, 10**20) | st.integers(0, 10**10),
)


@given(st.lists(HEADERS, max_size=60))
def test_no_strangers_places_grow_a_mark_or_a_count_beyond_their_bound(headers: list[tuple[str, bytes]]) -> None:
    """A source a record once made the mark longer than Kafka takes: its group could never commit again. And each
    number added up to 10^18 to a count that has 64 bits: the process ended, and met the same record again."""
    mark, skipped = Mark(), 0
    for header in headers:
        if (place := place_of([header])) is not None:
            mark, hole = mark.reach(place)
            assert 0 <= hole <= MOST_STEP
            skipped += hole
    assert set(mark.passed) <= set(range(PARTITIONS))
    assert skipped <= sum(mark.passed.values()) <= PARTITIONS * MOST_NUMBER < 2**63
    assert len(mark.text().encode()) < MOST_METADATA_BYTES


def test_the_largest_mark_that_there_can_be_is_kept_and_read_again() -> None:
    most = dict.fromkeys(range(PARTITIONS), 2**62)
    text = Mark(passed=most, given=most).text()
    assert len(text.encode()) < MOST_METADATA_BYTES
    assert parse(text) == Mark(passed=most, given=most)


@pytest.mark.parametrize(
    "header", [b"d/8/1", b"d/999999999/1", b"d/3/0", b"d/3/1000000000001", b"d/3/999999999999999999"]
)
def test_a_source_or_a_number_that_cannot_be_is_no_place(header: bytes) -> None:
    assert place_of([("place", header)]) is None


def test_a_number_from_too_far_ahead_moves_nothing_and_the_lane_goes_on() -> None:
    """The records that follow are the lane's own: they must not be taken for read."""
    assert reached(Mark(passed={3: 9}), 11 + MOST_STEP, 10, 12) == (Mark(passed={3: 12}), 1)
    assert reached(Mark(passed={3: 9}), 10 + MOST_STEP)[1] == MOST_STEP


@pytest.mark.parametrize(
    "text", ['{"passed":{"8":1},"given":{}}', '{"passed":{},"given":{"0":-1}}', '{"passed":{"0":1e30},"given":{}}']
)
def test_a_mark_with_what_cannot_be_is_none(text: str) -> None:
    assert parse(text) is None


def test_a_made_up_number_in_a_frame_counts_for_nothing() -> None:
    """A frame's number in its run is in its clear part, which anybody who may write to `frames` can make up."""
    mark, hole = Mark().step(7, lambda: ("gate-1", 2**64 - 1))
    assert (hole, mark.next) == (0, 8)


def test_no_number_of_made_up_runs_is_remembered_without_end() -> None:
    mark = Mark()
    for offset in range(5000):
        mark, _ = mark.step(offset, lambda: (f"run-{offset}", 1))  # noqa: B023 - called here
    assert len(mark.runs) == 4096


def test_what_lies_between_made_up_numbers_is_known_at_once() -> None:
    """It was counted number by number: for those that anybody can write, that took days."""
    log = Log(first=7, end=9, committed=2, there=numbers(4, 2**62))
    found = between({LANE: 2**63}, {LANE: 2}, {LANE: 3}, {5: log})
    assert found == Between(unread=3, deleted=2**63 - 5)
    assert between({LANE: 2}, {LANE: 2**63}, {}, {5: log}) == Between()


SMALL = st.integers(0, 30)


@given(SMALL, SMALL, SMALL, st.frozensets(SMALL, max_size=20))
def test_between_is_what_counting_each_number_says(
    last: int, read: int, later: int, there: frozenset[int]
) -> None:
    log = Log(first=7, end=9, committed=2, there={LANE.source: there})
    lying = range(read + 1, last + 1)
    gone = sum(number not in there and number > later for number in lying)
    assert between({LANE: last}, {LANE: read}, {LANE: later}, {5: log}) == Between(len(lying) - gone, gone)

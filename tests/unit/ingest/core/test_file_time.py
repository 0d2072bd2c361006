"""A file is played by its own time, bounded: every frame has its place, whatever is stamped on it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.file_time import FileTime
from services.ingest.core.moment import Moment
from services.ingest.core.reasons import ClockFault

STEP_S = 1 / 25
RATE = 5.0
EVEN = [number * STEP_S for number in range(250)]


def looked(stamps: list[float | None] | list[float], *, start_s: float = 0.0) -> list[Moment]:
    time = FileTime(RATE, step_s=STEP_S, start_s=start_s)
    return [time.look(stamp_s) for stamp_s in stamps]


def pictures(moments: list[Moment]) -> int:
    return sum(moment.takes for moment in moments)


def faults(moments: list[Moment]) -> Counter[ClockFault]:
    return Counter(moment.parted for moment in moments if moment.parted)


def test_a_good_file_is_played_by_its_own_time() -> None:
    moments = looked(EVEN)
    assert [moment.position_s for moment in moments] == pytest.approx(EVEN)
    assert pictures(moments) == 50
    assert faults(moments) == {}


def test_a_file_of_uneven_frames_keeps_its_own_time() -> None:
    moments = looked([0.0, 0.5, 3.5, 3.6, 9.0])
    assert [moment.position_s for moment in moments] == pytest.approx([0, 0.5, 3.5, 3.6, 9.0])
    assert faults(moments) == {}


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        ([5000 + at_s for at_s in EVEN], ClockFault.AHEAD),
        ([95_443.7 + at_s for at_s in EVEN], ClockFault.AHEAD),
        ([at_s - 5000 for at_s in EVEN], ClockFault.BACK),
        (EVEN, ClockFault.BACK),
    ],
    ids=["a gap ahead", "a wrapped clock", "a gap back", "the same again"],
)
def test_two_recordings_in_one_file_follow_each_other_at_once(after: list[float], fault: ClockFault) -> None:
    """A joined transport stream waited 26 hours at the place where its clock wrapped, or left its second half
    unread: an exercise hung, or its counts left frames out."""
    moments = looked([*EVEN, *after])
    assert moments[-1].position_s == pytest.approx(499 * STEP_S)
    assert faults(moments) == {fault: 1}
    assert pictures(moments) == pytest.approx(100, abs=1)


@pytest.mark.parametrize(
    ("stamps", "fault"),
    [
        ([None] * 250, ClockFault.MISSING),
        ([7.0] * 250, ClockFault.STILL),
        ([-at_s for at_s in EVEN], ClockFault.BACK),
        ([number * 40 / 90_000 for number in range(250)], ClockFault.SLOW),
    ],
    ids=["missing", "still", "backwards", "1 kHz as 90 kHz"],
)
def test_a_file_without_a_usable_clock_is_played_at_its_usual_step(
    stamps: list[float | None], fault: ClockFault
) -> None:
    moments = looked(stamps)
    assert moments[-1].position_s == pytest.approx(249 * STEP_S, abs=4 * STEP_S)
    assert pictures(moments) == pytest.approx(50, abs=2)
    assert set(faults(moments)) == {fault}


def test_a_clock_that_jumps_with_every_frame_neither_stops_the_file_nor_hurries_it() -> None:
    random = Random(5)
    moments = looked([random.uniform(-1e6, 1e6) for _ in range(250)])
    assert moments[-1].position_s == pytest.approx(249 * STEP_S, abs=1)
    assert set(faults(moments)) == {ClockFault.AHEAD, ClockFault.BACK}


def test_frames_that_a_decoder_gives_out_of_order_do_not_stretch_the_file() -> None:
    swapped = [EVEN[number ^ 1] for number in range(250)]
    moments = looked(swapped)
    assert moments[-1].position_s == pytest.approx(EVEN[-1], abs=2 * STEP_S)
    assert faults(moments) == {}


def test_a_missing_stamp_is_bridged_and_costs_no_time() -> None:
    stamps: list[float | None] = [None if number % 5 == 2 else at_s for number, at_s in enumerate(EVEN)]
    moments = looked(stamps)
    assert moments[-1].position_s == pytest.approx(EVEN[-1])
    assert faults(moments) == {ClockFault.MISSING: 50}


def test_a_file_that_is_gone_on_with_stands_where_it_was_sought() -> None:
    assert looked([8.0, 8.04], start_s=8.0)[-1].position_s == pytest.approx(8.04)


@given(stamps=st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9), st.floats(0, 5)), max_size=200))
def test_positions_only_grow_and_no_step_is_longer_than_the_longest_gap(stamps: list[float | None]) -> None:
    positions = [moment.position_s for moment in looked(stamps)]
    assert all(0 <= after - before <= 10 + 1e-6 for before, after in pairwise(positions))

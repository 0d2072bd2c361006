"""A live stream is taken at its rate whatever its clock says, and what its clock did is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.live_time import LiveTime
from services.ingest.core.moment import Moment
from services.ingest.core.reasons import ClockFault

FPS = 15.0
RATE = 5.0

Stamp = Callable[[float], float | None]


def looked(stamp: Stamp, *, seconds: float = 60, fps: float = FPS, rate_fps: float = RATE) -> list[Moment]:
    """Frames that arrive evenly, stamped with what `stamp` makes of the time at which they came."""
    time = LiveTime(rate_fps)
    arrivals = [number / fps for number in range(int(seconds * fps))]
    return [time.look(stamp(arrived_s), 1000 + arrived_s) for arrived_s in arrivals]


def pictures(moments: list[Moment]) -> int:
    return sum(moment.takes for moment in moments)


def faults(moments: list[Moment]) -> set[ClockFault]:
    return {moment.parted for moment in moments if moment.parted}


_RANDOM = Random(7)


@pytest.mark.parametrize(
    ("stamp", "fault"),
    [
        (lambda _: 12345.0, ClockFault.STILL),
        (lambda _: None, ClockFault.MISSING),
        (lambda at_s: at_s / 10, ClockFault.SLOW),
        (lambda at_s: at_s / 2, ClockFault.SLOW),
        (lambda at_s: at_s / 90, ClockFault.SLOW),
        (lambda at_s: at_s * 10, ClockFault.FAST),
        (lambda at_s: at_s * 3, ClockFault.FAST),
        (lambda at_s: -at_s, ClockFault.BACK),
        (lambda at_s: float(int(at_s)), ClockFault.ERRATIC),
        (lambda at_s: at_s // 4 * 4, ClockFault.ERRATIC),
        (lambda _: _RANDOM.uniform(0, 86_400), ClockFault.ERRATIC),
    ],
    ids=[
        *("still", "missing", "tenth", "half", "1 kHz as 90 kHz", "ten times", "three times", "backwards"),
        *("whole seconds", "steps of four seconds", "random"),
    ],
)
def test_a_clock_that_parts_from_the_frames_is_named_and_costs_no_pictures(
    stamp: Stamp, fault: ClockFault
) -> None:
    """A camera that said `reading` gave .1 to .6 pictures a second for as long as its clock stood still or ran
    slow: people who passed it were not looked for, and nobody was told."""
    moments = looked(stamp)
    assert fault in faults(moments)
    assert 0.9 * RATE * 60 <= pictures(moments) <= RATE * 60 + 3 * RATE


@pytest.mark.parametrize(
    ("jump_s", "fault"), [(18_000.0, ClockFault.AHEAD), (-18_000.0, ClockFault.BACK), (-47_721.9, ClockFault.BACK)]
)
def test_a_clock_that_jumps_once_is_named_once_and_sampled_by_as_before(jump_s: float, fault: ClockFault) -> None:
    moments = looked(lambda at_s: at_s + (jump_s if at_s > 20 else 0))
    assert Counter(moment.parted for moment in moments if moment.parted) == {fault: 1}
    assert pictures(moments) == pytest.approx(RATE * 60, abs=2)


@pytest.mark.parametrize("fps", [1.0, 4.0, 5.0, 7.0, 15.0, 25.0, 60.0])
def test_a_good_clock_is_sampled_by_and_nothing_is_said(fps: float) -> None:
    moments = looked(lambda at_s: 40_000 + at_s, fps=fps)
    assert faults(moments) == set()
    assert pictures(moments) == pytest.approx(60 * min(RATE, fps), abs=1)


def test_a_clock_a_little_wrong_is_no_fault() -> None:
    assert faults(looked(lambda at_s: at_s * 1.002, seconds=3600)) == set()


def test_frames_that_a_network_holds_back_are_taken_evenly_by_their_stamps() -> None:
    """Arrival alone would take one of a burst that holds a second of the street."""
    time = LiveTime(RATE)
    stamps = [number / FPS for number in range(int(30 * FPS))]
    # Every second's frames arrive together, at its end.
    moments = [time.look(stamp_s, float(int(stamp_s) + 1)) for stamp_s in stamps]
    assert pictures(moments) == pytest.approx(RATE * 30, abs=5)
    assert faults(moments) == set()


def test_a_burst_after_a_stall_is_no_fault_and_bounded() -> None:
    time = LiveTime(RATE)
    stamps = [number / FPS for number in range(int(40 * FPS))]
    moments = [time.look(at_s, at_s if at_s < 20 else max(at_s, 26.0)) for at_s in stamps]
    assert faults(moments) == set()
    assert RATE * 34 <= pictures(moments) <= RATE * 40 + 1


def test_frames_in_decoding_order_are_no_jumps() -> None:
    moments = looked(lambda at_s: at_s + (0.12 if int(at_s * FPS) % 3 == 0 else 0))
    assert faults(moments) == set()
    assert pictures(moments) == pytest.approx(RATE * 60, rel=0.02)


def test_a_clock_that_is_mended_is_sampled_by_again() -> None:
    moments = looked(lambda at_s: 0.0 if at_s < 20 else at_s, seconds=60)
    late = moments[int(40 * FPS) :]
    assert faults(late) == set()
    assert pictures(late) == pytest.approx(RATE * 20, abs=1)


def test_a_first_frame_without_a_stamp_is_no_jump() -> None:
    """A decoder gives it so when a stream begins: each run of every camera began with a fault of its clock."""
    first = iter([None])
    moments = looked(lambda at_s: next(first, 40_000 + at_s))
    assert faults(moments) == set()


def test_positions_are_the_time_since_the_first_frame_came() -> None:
    moments = looked(lambda _: 7.0, seconds=10)
    assert [moment.position_s for moment in moments] == pytest.approx([n / FPS for n in range(150)])


_STAMPS = st.one_of(st.none(), st.floats(-1e9, 1e9), st.floats(0, 100), st.integers(0, 3).map(float))


@given(
    stamps=st.lists(_STAMPS, min_size=1, max_size=40),
    fps=st.floats(1.0, 60.0),
    share=st.floats(0.1, 1.0),
)
def test_whatever_is_stamped_three_quarters_of_the_rate_are_taken_and_never_much_more(
    stamps: list[float | None], fps: float, share: float
) -> None:
    """The stamps are repeated over and over: a clock of any shape, by arrival even."""
    rate_fps = fps * share
    number = 0

    def stamp(_: float) -> float | None:
        nonlocal number
        number += 1
        return stamps[number % len(stamps)]

    seconds = max(60.0, 120 / rate_fps)
    moments = looked(stamp, seconds=seconds, fps=fps, rate_fps=rate_fps)
    most_blind_s = max(3.0, 10 / rate_fps) + 2 / fps
    assert pictures(moments) >= 0.75 * rate_fps * (seconds - 2 * most_blind_s) - 2
    assert pictures(moments) <= 1.3 * rate_fps * seconds + 2 * rate_fps + 2
    positions = [moment.position_s for moment in moments]
    assert positions == sorted(positions)

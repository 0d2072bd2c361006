"""The clock says what the kernel says of it, and takes no other word."""

from __future__ import annotations

import pytest

from services.contracts.authorisation.enums import ClockState
from services.runtime.clock_sync import SynchronisedClock, ask_kernel
from tests.fakes.clock import A_MORNING, ManualClock


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((0, 0x2001), ClockState.SYNCHRONISED),
        ((1, 0x0011), ClockState.SYNCHRONISED),  # a leap second is announced
        ((5, 0x0040), ClockState.UNSYNCHRONISED),
        ((5, 0x2001), ClockState.UNSYNCHRONISED),  # the kernel has given up on its source
        ((0, 0x0041), ClockState.UNSYNCHRONISED),
        (None, ClockState.UNKNOWN),
    ],
)
def test_anything_but_a_kernel_that_says_so_is_not_synchronised(
    answer: tuple[int, int] | None, state: ClockState
) -> None:
    assert SynchronisedClock(ManualClock(), lambda: answer).reading().state is state


def test_a_reading_has_both_times_and_asks_anew() -> None:
    answers = iter([(0, 0), None])
    clock = ManualClock()
    watched = SynchronisedClock(clock, lambda: next(answers))
    first = watched.reading()
    clock.advance(2.5)
    second = watched.reading()
    assert (first.wall, first.state) == (A_MORNING, ClockState.SYNCHRONISED)
    assert ((second.wall - A_MORNING).total_seconds(), second.monotonic_s) == (2.5, 2.5)
    assert second.state is ClockState.UNKNOWN


def test_the_kernel_is_asked_five_times_a_second_however_often_a_reading_is_taken() -> None:
    asked: list[float] = []
    clock = ManualClock()

    def ask() -> tuple[int, int]:
        asked.append(clock.monotonic())
        return (0, 0)

    watched = SynchronisedClock(clock, ask)
    for _ in range(30):
        assert watched.reading().monotonic_s == clock.monotonic()
        clock.advance(0.05)
    assert len(asked) == pytest.approx(30 * 0.05 / 0.2, abs=1)


def test_this_machine_answers_or_says_that_it_does_not() -> None:
    answer = ask_kernel()
    assert answer is None or answer[0] in range(6)

"""Retry tries until its deadline, with pauses that grow, and lets other errors through."""

from __future__ import annotations

import pytest

from services.runtime.retry import retry
from tests.fakes.clock import ManualClock


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, failures: int, error: type[Exception] = ConnectionError) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error("not yet")
        return "answer"


def attempt(call: Flaky, clock: ManualClock, pauses: list[float] | None = None, *, deadline_s: float = 10) -> str:
    def sleep(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)
        clock.advance(seconds)

    return retry(
        call,
        on=(ConnectionError,),
        deadline_s=deadline_s,
        first_s=0.1,
        max_s=0.4,
        clock=clock,
        sleep=sleep,
        rng=lambda: 1.0,
    )


def test_an_error_that_passes_is_never_seen() -> None:
    assert attempt(Flaky(3), ManualClock()) == "answer"


def test_pauses_double_up_to_the_longest() -> None:
    pauses: list[float] = []
    attempt(Flaky(5), ManualClock(), pauses)
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.4, 0.4])


def test_the_last_error_is_raised_before_the_deadline_is_overrun() -> None:
    clock = ManualClock()
    with pytest.raises(ConnectionError):
        attempt(Flaky(1000), clock, deadline_s=1)
    assert 0.5 < clock.monotonic() < 1


def test_an_error_of_another_type_is_raised_at_once() -> None:
    call = Flaky(1, ValueError)
    with pytest.raises(ValueError, match="not yet"):
        attempt(call, ManualClock())
    assert call.calls == 1


def test_jitter_halves_a_pause_at_most() -> None:
    pauses: list[float] = []
    retry(Flaky(1), on=(ConnectionError,), deadline_s=9, first_s=0.2, sleep=pauses.append, rng=lambda: 0.0)
    assert pauses == pytest.approx([0.1])

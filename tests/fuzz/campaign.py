"""Rounds of inputs for one surface: as many as told, or as long."""

from __future__ import annotations

import time
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.inputs import batches
from tests.fuzz.surface import BATCH, Found, Surface, Trial

# Nothing is kept between runs; what a fault needs to be seen again is in what is told of it.
_QUIET = {
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.generate],
}
# Batches of one round of `for_so_long`.
_ROUND = 20


def so_many(surface: Surface, inputs: int) -> Found:
    """At least this many inputs, the same in every run."""
    trial = Trial(surface)
    try:
        _round(surface, trial, max(1, inputs // BATCH), derandomize=True, over=lambda: False)
    finally:
        trial.close()
    return trial.found


def for_so_long(surface: Surface, seconds: float) -> Found:
    """Inputs at random until the time is up."""
    trial, until = Trial(surface), time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            _round(surface, trial, _ROUND, derandomize=False, over=lambda: time.monotonic() >= until)
    finally:
        trial.close()
    return trial.found


def _round(
    surface: Surface, trial: Trial, batches_wanted: int, *, derandomize: bool, over: Callable[[], bool]
) -> None:
    @settings(max_examples=batches_wanted, derandomize=derandomize, **_QUIET)  # type: ignore[arg-type]
    @given(batches(surface))
    def take(inputs: list[bytes]) -> None:
        if not over():
            trial.take(inputs)

    take()

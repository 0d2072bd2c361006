"""Try again, with growing jittered pauses, until a deadline."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from services.runtime.clock import Clock, SystemClock

T = TypeVar("T")

_SYSTEM_CLOCK = SystemClock()


def retry(
    call: Callable[[], T],
    *,
    on: tuple[type[Exception], ...],
    deadline_s: float,
    first_s: float = 0.05,
    max_s: float = 2.0,
    clock: Clock = _SYSTEM_CLOCK,
    sleep: Callable[[float], object] = time.sleep,
    rng: Callable[[], float] = random.random,
) -> T:
    """Return what `call` returns, calling it again after an error of the types in `on`.

    Blocks at most `deadline_s` plus one call. Raises the last error once the next pause would not
    end before the deadline; any other error at once. A pause lies between half and all of
    `first_s`, doubled each time up to `max_s`, so that many processes do not come back together.
    Pass an event's `wait` as `sleep` where a stop has to cut it short.
    """
    ends = clock.monotonic() + deadline_s
    bound_s = first_s
    while True:
        try:
            return call()
        except on:
            pause_s = bound_s * (0.5 + 0.5 * rng())
            if clock.monotonic() + pause_s >= ends:
                raise
        sleep(pause_s)
        bound_s = min(bound_s * 2, max_s)

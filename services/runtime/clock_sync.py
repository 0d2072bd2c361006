"""The machine's clock with what its kernel knows of it: does anybody keep the time of day right?"""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable
from functools import cache

from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.enums import ClockState
from services.runtime.clock import Clock

# linux/timex.h
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
# A clock that nobody keeps any longer is known so much later; a reading is taken for every record.
_ASK_EVERY_S = 0.2


class _Timex(ctypes.Structure):
    """`struct timex`; only `modes` (0: change nothing) and `status` are looked at."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 64),  # more than any kernel writes
    )


Ask = Callable[[], tuple[int, int] | None]
"""What adjtimex(2) returns, and `status`; None where there is no such call, or it is not allowed."""


class SynchronisedClock:
    """The port `authorisation.clock.Clock`. No setting overrides what it says."""

    def __init__(self, clock: Clock, ask: Ask | None = None) -> None:
        self._clock = clock
        self._ask = ask or ask_kernel
        # When it was asked, and its answer: replaced whole, so that any thread may read it.
        self._told = (-math.inf, ClockState.UNKNOWN)

    def reading(self) -> ClockReading:
        now_s = self._clock.monotonic()
        asked_s, state = self._told
        if not asked_s <= now_s < asked_s + _ASK_EVERY_S:
            state = self._state()
            self._told = (now_s, state)
        return ClockReading(self._clock.now(), now_s, state)

    def _state(self) -> ClockState:
        answer = self._ask()
        if answer is None:
            return ClockState.UNKNOWN
        returned, status = answer
        off = returned == _TIME_ERROR or status & _STA_UNSYNC
        return ClockState.UNSYNCHRONISED if off else ClockState.SYNCHRONISED


def ask_kernel() -> tuple[int, int] | None:
    """Asks Linux, in about a microsecond; other systems have no answer that we trust."""
    adjtimex = _adjtimex()
    if adjtimex is None:
        return None
    found = _Timex()
    returned = adjtimex(ctypes.byref(found))
    return None if returned < 0 else (returned, found.status)


@cache
def _adjtimex() -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)

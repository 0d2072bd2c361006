"""What time it is, how far that can be trusted, and whether it jumped (C-29)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from services.contracts.authorisation.enums import ClockState

# Wall and monotonic time may part by this much at once, and by the most that a clock is slewed (500 ppm).
# At 0 every leap of a millisecond would stop the search; it must stay well below a lease's life.
_JUMP_S = 1.0
SLEW = 0.0005
# After a jump nothing is believed until every lease taken before it has run out.
SETTLE_S = 10.0


@dataclass(frozen=True)
class ClockReading:
    """Both kinds of time at one moment, and the state of the first. `wall` is aware."""

    wall: datetime
    monotonic_s: float
    state: ClockState


class Clock(Protocol):
    """The machine's clock with its synchronisation. Never blocks; any thread may ask."""

    def reading(self) -> ClockReading: ...


@dataclass(frozen=True)
class TimeWatch:
    """How far wall time has run away from monotonic time, less what a slewed clock may: small steps add up.

    Not a comparison with one anchor: what slewing allows since an anchor of yesterday would hide a step of 40 s.
    """

    last: ClockReading | None = None
    drift_s: float = 0.0
    stepped_at_s: float | None = None

    def observe(self, reading: ClockReading) -> TimeWatch:
        """The watch after a reading; after a jump it begins anew."""
        drift_s = self._drift_s(reading)
        if abs(drift_s) > _JUMP_S:
            return TimeWatch(reading, 0.0, reading.monotonic_s)
        return replace(self, last=reading, drift_s=drift_s)

    def unsettled(self, reading: ClockReading) -> bool:
        """Whether time jumped up to now, or lately."""
        if abs(self._drift_s(reading)) > _JUMP_S:
            return True
        return self.stepped_at_s is not None and reading.monotonic_s - self.stepped_at_s <= SETTLE_S

    def _drift_s(self, reading: ClockReading) -> float:
        if self.last is None:
            return 0.0
        passed_s = reading.monotonic_s - self.last.monotonic_s
        drift_s = self.drift_s + (reading.wall - self.last.wall).total_seconds() - passed_s
        return math.copysign(max(abs(drift_s) - SLEW * max(passed_s, 0.0), 0.0), drift_s)


STEPPED = "stepped"


def faults(time: TimeWatch, reading: ClockReading) -> frozenset[str]:
    """What is wrong with the clock at a reading that `time` has observed, whether it is accepted or not."""
    found = {STEPPED} if time.unsettled(reading) else set()
    if reading.state is not ClockState.SYNCHRONISED:
        found.add(reading.state.value)
    return frozenset(found)

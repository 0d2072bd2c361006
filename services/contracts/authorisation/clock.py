"""What time it is, how far that can be trusted, and whether it jumped (C-29)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from services.contracts.authorisation.enums import ClockState

# Wall and monotonic time may part by this much at once, and by the most that a clock is slewed (500 ppm).
# At 0 every leap of a millisecond would stop the search; it must stay well below a lease's life.
_JUMP_S = 1.0
_SLEW = 0.0005
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
    """Compares wall with monotonic time since an anchor, so that many small steps add up to one that shows."""

    anchor: ClockReading | None = None
    stepped_at_s: float | None = None

    def observe(self, reading: ClockReading) -> TimeWatch:
        """The watch after a reading; a jump takes a new anchor."""
        if self.anchor is None:
            return replace(self, anchor=reading)
        if not self._jumped(reading):
            return self
        return TimeWatch(reading, reading.monotonic_s)

    def unsettled(self, reading: ClockReading) -> bool:
        """Whether time jumped up to now, or lately."""
        if self._jumped(reading):
            return True
        return self.stepped_at_s is not None and reading.monotonic_s - self.stepped_at_s <= SETTLE_S

    def _jumped(self, reading: ClockReading) -> bool:
        if self.anchor is None:
            return False
        passed_s = reading.monotonic_s - self.anchor.monotonic_s
        wall_s = (reading.wall - self.anchor.wall).total_seconds()
        return abs(wall_s - passed_s) > _JUMP_S + _SLEW * max(passed_s, 0.0)

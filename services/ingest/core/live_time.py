"""Sampling a live stream by two clocks: the time stamped on its frames, and the time at which they arrive.

Stamps are even where the network is not, so frames are chosen by them for as long as they agree with arrival.
Where the two part (the clock stands still, runs at a wrong rate, jumps about), frames are chosen by arrival: what
a camera gives is then taken at the rate asked for, whatever its clock says.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.ingest.core.moment import Moment
from services.ingest.core.reasons import ClockFault
from services.ingest.core.sampling import Sampler

# The two clocks are compared over so long at least, and over so many pictures: shorter, a late packet would be a
# fault; longer, a clock that stands still would cost more pictures before it is found.
_WINDOW_S = 3.0
_WINDOW_PICTURES = 10
_WINDOW_MOST_S = 60.0
# Windows in a row that must agree before stamps are believed again.
_AGREEING = 3
# By stamps there may be so much less or more than by arrival; what is missing is lost for a camera's clock.
_LEAST_SHARE, _MOST_SHARE = 0.85, 1.3
_STILL_SHARE = 0.002
# A step so far from arrival's is a jump: more than what a network holds back and then gives at once.
_JUMP_S = 10.0
# Reordered frames go back by less; more is a jump back.
_REORDERED_S = 1.0
_JUMPS_OF_AN_ERRATIC_CLOCK = 3
# What may come in one burst, in seconds of pictures: a stream's first key frame group, or what a stall held back.
_BURST_S = 2.0
_MOST_HELD_BACK_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Window:
    """Some seconds of a stream by both clocks. `stamped_s` leaves out jumps; `held_back_s` is how far arrival was
    behind before; `by_stamp` and `by_arrival` are the pictures that each would have taken."""

    rate_fps: float
    arrived_s: float
    stamped_s: float
    frames: int
    missing: int
    ahead: int
    back: int
    by_stamp: int
    by_arrival: int
    held_back_s: float = 0.0

    def parted(self) -> ClockFault | None:
        """Why stamps are not to be sampled by; None where they agree with arrival, but for a jump."""
        if self.missing * 2 > self.frames:
            return ClockFault.MISSING
        if self.ahead + self.back >= _JUMPS_OF_AN_ERRATIC_CLOCK:
            return ClockFault.ERRATIC
        if self.stamped_s < -_REORDERED_S:
            return ClockFault.BACK
        if self.by_stamp < _LEAST_SHARE * self.by_arrival - 1:
            return self._behind()
        in_time_s = self.arrived_s + self.held_back_s
        if self.by_stamp > _MOST_SHARE * self.rate_fps * in_time_s + 2:
            return ClockFault.FAST
        return ClockFault.FAST if self.stamped_s > 2 * in_time_s + 1 else None

    def jumped(self) -> ClockFault | None:
        """A jump after which the clock ran on as before."""
        if self.ahead:
            return ClockFault.AHEAD
        return ClockFault.BACK if self.back else None

    def _behind(self) -> ClockFault:
        if self.stamped_s < _STILL_SHARE * self.arrived_s:
            return ClockFault.STILL
        return ClockFault.SLOW if self.stamped_s < _LEAST_SHARE * self.arrived_s else ClockFault.ERRATIC


class LiveTime:
    """Says of each frame of one live stream whether to take it. Positions are seconds since the first arrival.

    However its stamps run, a stream that gives frames at the rate or faster has at least three quarters of it
    taken, but for the first seconds, and never more than the rate allows, but for one burst. One thread.
    """

    def __init__(self, rate_fps: float) -> None:
        self._rate_fps = rate_fps
        self._by_stamp, self._by_arrival = Sampler(rate_fps), Sampler(rate_fps)
        self._window_s = min(_WINDOW_MOST_S, max(_WINDOW_S, _WINDOW_PICTURES / rate_fps))
        self._began_s: float | None = None
        self._last = (0.0, 0.0)
        self._first_ahead_s: float | None = None
        self._newest_s: float | None = None
        self._count = _Counting(0.0)
        self._held_back_s = _BURST_S
        self._agreeing = _AGREEING
        self._most_spare = 1 + _BURST_S * rate_fps
        self._spare = self._most_spare

    def look(self, stamp_s: float | None, arrived_s: float) -> Moment:
        """The next frame: what is stamped on it, if anything is, and when it came by a clock that only grows."""
        if self._began_s is None:
            self._began_s = arrived_s
            self._count = _Counting(arrived_s)
            self._last = (arrived_s, arrived_s)
        stepped_s = arrived_s - self._last[0]
        at_s = self._stamped(stamp_s, stepped_s)
        self._count.step(at_s - self._last[1], stepped_s, missing=stamp_s is None)
        self._last = (arrived_s, at_s)
        by_stamp, by_arrival = self._by_stamp.takes(self._newest(at_s)), self._by_arrival.takes(arrived_s)
        self._count.by_stamp += by_stamp
        self._count.by_arrival += by_arrival
        takes = self._affords(stepped_s, by_stamp if self._agreeing >= _AGREEING else by_arrival)
        return Moment(arrived_s - self._began_s, takes, self._judged(arrived_s))

    def _stamped(self, stamp_s: float | None, stepped_s: float) -> float:
        """The stamp, counted from the first one's arrival; where there is none, a step of arrival's."""
        guessed_s = self._last[1] + stepped_s
        if stamp_s is None:
            return guessed_s
        if self._first_ahead_s is None:
            self._first_ahead_s = guessed_s - stamp_s
        return stamp_s + self._first_ahead_s

    def _newest(self, at_s: float) -> float:
        """The newest stamp so far: a frame out of order is in the slot of those before it."""
        within = self._newest_s is not None and self._newest_s - _REORDERED_S <= at_s <= self._newest_s
        if not within:
            self._newest_s = at_s
        return self._newest_s or 0.0

    def _affords(self, stepped_s: float, takes: bool) -> bool:
        """Whether a picture that is due is within what the rate allows: the bound that no clock gets past."""
        self._spare = min(self._most_spare, self._spare + stepped_s * self._rate_fps * _MOST_SHARE)
        if not takes or self._spare < 1:
            return False
        self._spare -= 1
        return True

    def _judged(self, arrived_s: float) -> ClockFault | None:
        if arrived_s - self._count.began_s < self._window_s:
            return None
        window = self._count.window(arrived_s, self._rate_fps, self._held_back_s)
        self._count = _Counting(arrived_s)
        parted = window.parted()
        self._agreeing = 0 if parted else min(_AGREEING, self._agreeing + 1)
        behind_s = self._held_back_s + window.arrived_s - window.stamped_s
        self._held_back_s = min(_MOST_HELD_BACK_S, max(0.0, behind_s))
        return parted or window.jumped()


@dataclass
class _Counting:
    """A window while it is counted."""

    began_s: float
    stamped_s: float = 0.0
    frames: int = 0
    missing: int = 0
    ahead: int = 0
    back: int = 0
    by_stamp: int = 0
    by_arrival: int = 0

    def step(self, stamped_s: float, arrived_s: float, *, missing: bool) -> None:
        self.frames += 1
        self.missing += missing
        if stamped_s > arrived_s + _JUMP_S:
            self.ahead += 1
        elif stamped_s < -_REORDERED_S:
            self.back += 1
        else:
            self.stamped_s += stamped_s

    def window(self, arrived_s: float, rate_fps: float, held_back_s: float) -> Window:
        return Window(
            rate_fps=rate_fps,
            arrived_s=arrived_s - self.began_s,
            stamped_s=self.stamped_s,
            frames=self.frames,
            missing=self.missing,
            ahead=self.ahead,
            back=self.back,
            by_stamp=self.by_stamp,
            by_arrival=self.by_arrival,
            held_back_s=held_back_s,
        )

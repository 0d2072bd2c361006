"""The time of a file: its own stamps, as far as one frame can follow another in them.

A file has no second clock to be held against, so its time is believed, but for what cannot be: stamps that are
missing, stand still, go back, or leave a gap that nobody would wait for (two recordings in one file are 26 hours
apart where their clock wrapped). There one frame follows the other at the file's usual step.
"""

from __future__ import annotations

from services.ingest.core.moment import Moment
from services.ingest.core.reasons import ClockFault
from services.ingest.core.sampling import Sampler

# A longer gap between two frames is not waited for: a recorder that films on motion is silent for hours.
MOST_GAP_S = 10.0
# No camera is faster than 500 frames/s: shorter steps are a clock that was read in the wrong unit.
_LEAST_STEP_S = 0.002
_USUAL_STEP_S = 1 / 25
# Frames that a decoder gives out of order stand behind the newest by less than this, and by few frames in a row.
_REORDERED_S = 1.0
_REORDERED_FRAMES = 3


class FileTime:
    """Says of each frame of a file where it is and whether to take it; they begin at `start_s`. One thread."""

    def __init__(self, rate_fps: float, *, step_s: float | None = None, start_s: float = 0.0) -> None:
        """`step_s` is what the container says of its frames' distance; it is used once stamps fail."""
        self._sampler = Sampler(rate_fps)
        self._step_s = step_s if step_s and _LEAST_STEP_S <= step_s <= 1 else _USUAL_STEP_S
        self._position_s = start_s
        self._newest_s: float | None = None
        self._begun = False
        self._not_newer = 0

    def look(self, stamp_s: float | None) -> Moment:
        """The next frame, in the order in which the decoder gives them."""
        fault = None
        if self._begun:
            stepped_s, fault = self._step(stamp_s)
            self._position_s += stepped_s
        elif stamp_s is not None:
            self._newest_s = stamp_s
        self._begun = True
        return Moment(self._position_s, self._sampler.takes(self._position_s), fault)

    def _step(self, stamp_s: float | None) -> tuple[float, ClockFault | None]:
        """How far the frame is from the one before it, and what was wrong with its stamp."""
        newest_s, self._newest_s = self._newest_s, stamp_s
        if stamp_s is None or newest_s is None:
            # Guessed, so that the next stamp is not a step of two.
            self._newest_s = stamp_s if newest_s is None else newest_s + self._step_s
            return self._step_s, ClockFault.MISSING if stamp_s is None else None
        ahead_s = stamp_s - newest_s
        if ahead_s < _LEAST_STEP_S:
            return self._not_ahead(newest_s, ahead_s)
        if ahead_s > MOST_GAP_S:
            return self._step_s, ClockFault.AHEAD
        self._not_newer = 0
        self._step_s = min(ahead_s, 1.0)
        return ahead_s, None

    def _not_ahead(self, newest_s: float, ahead_s: float) -> tuple[float, ClockFault | None]:
        self._not_newer += 1
        if self._not_newer <= _REORDERED_FRAMES and ahead_s >= -_REORDERED_S:
            self._newest_s = max(newest_s, newest_s + ahead_s)
            return 0.0, None
        if ahead_s == 0:
            return self._step_s, ClockFault.STILL
        return self._step_s, ClockFault.BACK if ahead_s < 0 else ClockFault.SLOW

"""How much of its rate a camera gives: what its alert is about."""

from __future__ import annotations

from collections import deque

# Short, so that a camera that slows down is known within a minute; long enough that a stream which is read anew
# after a stall (10 s), or changes hands (6 s), is below half of its rate for a moment only.
_WINDOW_S = 15.0
# A camera asked for few pictures is judged over so many of them.
_WINDOW_PICTURES = 5


class Given:
    """The pictures of the last seconds. One thread adds to it; any may ask."""

    def __init__(self, rate_fps: float, *, began_s: float) -> None:
        self._rate_fps = rate_fps
        self._window_s = max(_WINDOW_S, _WINDOW_PICTURES / rate_fps)
        self._began_s = began_s
        self._at_s: deque[float] = deque(maxlen=int(self._window_s * rate_fps) + 1)

    def picture(self, now_s: float) -> None:
        """One more."""
        self._at_s.append(now_s)

    def share(self, now_s: float) -> float:
        """Pictures given, of those that the rate asks for, 0 to 1: since it began, at most over the window."""
        over_s = min(self._window_s, now_s - self._began_s)
        if over_s <= 0:
            return 0.0
        given = sum(1 for at_s in tuple(self._at_s) if at_s >= now_s - over_s)
        return min(1.0, given / (self._rate_fps * over_s))

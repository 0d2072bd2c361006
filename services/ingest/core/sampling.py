"""Which frames of a source to take, and how large."""

from __future__ import annotations

import math

# Of a slot: a frame due at .2000 that comes at .1999, because its time base rounds, is not late.
_TOLERANCE = 0.02
_LEAST_PIXEL_ASPECT = 1 / 3


class Sampler:
    """Takes the first frame of each slot of 1/rate seconds, counted from the first frame.

    So the mean rate is right whatever the source's own, and a source slower than `rate_fps` is taken
    whole. It believes the positions it is given: `core/live_time.py` and `core/file_time.py` make them.
    Owned by one thread.
    """

    def __init__(self, rate_fps: float) -> None:
        self._rate_fps = rate_fps
        self._origin_s: float | None = None
        self._slot = -1

    def takes(self, position_s: float) -> bool:
        """Whether to take the frame at `position_s`. A position before the last one starts over."""
        if self._origin_s is None or self._place(position_s) < self._slot:
            self._origin_s, self._slot = position_s, -1
        slot = self._place(position_s)
        if slot == self._slot:
            return False
        self._slot = slot
        return True

    def _place(self, position_s: float) -> int:
        origin_s = self._origin_s or 0.0
        return math.floor((position_s - origin_s) * self._rate_fps + _TOLERANCE)


def fitted(width_px: int, height_px: int, *, max_side_px: int) -> tuple[int, int]:
    """The size to encode: no side above `max_side_px`, the shape kept, both even (4:2:0 halves them)."""
    scale = min(1.0, max_side_px / max(width_px, height_px))
    return _even(width_px * scale), _even(height_px * scale)


def _even(length_px: float) -> int:
    return max(2, int(length_px + 0.5) // 2 * 2)


def squared(width_px: int, height_px: int, pixel_aspect: float) -> tuple[int, int]:
    """The size once pixels are squares: a recorder of 720 x 576 for 16:9 has wide ones. The finer side stays.

    `pixel_aspect` is width over height; what no camera has (below a third, above three) is a mistake and ignored.
    """
    if not _LEAST_PIXEL_ASPECT <= pixel_aspect <= 1 / _LEAST_PIXEL_ASPECT:
        return width_px, height_px
    if pixel_aspect >= 1:
        return round(width_px * pixel_aspect), height_px
    return width_px, round(height_px / pixel_aspect)

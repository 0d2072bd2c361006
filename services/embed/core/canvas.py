"""At which size a picture is looked at for faces, so that the smallest face it asks for can be found in it.

A detector sees a picture laid on a canvas of a fixed size. How small a face it finds there is a matter of the
face's pixels on the canvas, so the scale decides, and the scale follows from what is asked for: a least distance
between the eyes in pixels of the picture. A picture gets the canvas of about the usual cost that fits its shape
best; only where that is too small for what is asked, a larger one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

# Between the eyes on the canvas: from here on YuNet finds every face of ours, wherever it lies; at 6 px nine of
# ten, at 5 px half (docs/adr/0003-models-and-runtimes.md).
FINDABLE_INTER_EYE_PX = 20 / 3
# All multiples of the coarsest stride, and of about the same cost: upright and lying, from a square to a strip.
# The last is for what is cut out of a picture (`upright.py`), and for narrow strips.
USUAL = ((640, 384), (384, 640), (576, 448), (448, 576), (512, 512), (896, 288), (288, 896), (640, 160))
# Larger ones are made in these steps, so that formats that differ little share one.
_STEP_PX = 128
# A thousandth of a pixel is no reason for a larger canvas.
_ROUNDING = 1 - 1e-6
# Eight times the usual: what a worker may spend on one picture, in time and memory.
MOST_PIXELS = 2**21


class Canvas(NamedTuple):
    """A size at which a network runs."""

    width_px: int
    height_px: int


@dataclass(frozen=True)
class Laid:
    """A picture on a canvas: reduced to this size, in its upper left."""

    canvas: Canvas
    width_px: int
    height_px: int
    # Of the picture's own pixels.
    scale: float

    @property
    def least_inter_eye_px(self) -> float:
        """The smallest face that is found, in the picture's own pixels."""
        return FINDABLE_INTER_EYE_PX / self.scale


class CanvasPlan:
    """Which canvas for which picture. Any thread; holds nothing."""

    def __init__(self, *, min_inter_eye_px: float) -> None:
        """`min_inter_eye_px` is the smallest face that is asked for, in pixels of the picture."""
        self.min_inter_eye_px = min_inter_eye_px
        self._need = min(1.0, FINDABLE_INTER_EYE_PX / min_inter_eye_px)

    def lay(self, width_px: int, height_px: int) -> Laid:
        """Where a picture of this size goes. A small picture is never enlarged."""
        scale, _, canvas = max(_fit(Canvas(*size), width_px, height_px) for size in USUAL)
        if scale < self._need * _ROUNDING:
            canvas = self._larger(width_px, height_px)
            scale = _fit(canvas, width_px, height_px)[0]
        return Laid(canvas, max(1, round(width_px * scale)), max(1, round(height_px * scale)), scale)

    def size(self, width_px: int, height_px: int) -> tuple[int, int]:
        """To which size a picture of this size is reduced."""
        laid = self.lay(width_px, height_px)
        return laid.width_px, laid.height_px

    def keeps(self, width_px: int, height_px: int) -> bool:
        """Whether the smallest face asked for is found in a picture of this size."""
        return self.lay(width_px, height_px).scale >= self._need * _ROUNDING

    @property
    def most_mpx(self) -> float:
        """Up to how many megapixels of a picture of any shape what is asked for is kept."""
        return MOST_PIXELS / self._need**2 / 1e6

    def _larger(self, width_px: int, height_px: int) -> Canvas:
        scale = min(self._need, math.sqrt(MOST_PIXELS / (width_px * height_px)))
        return Canvas(_stepped(width_px * scale), _stepped(height_px * scale))


def _stepped(side_px: float) -> int:
    return max(1, math.ceil(side_px * _ROUNDING / _STEP_PX)) * _STEP_PX


def _fit(canvas: Canvas, width_px: int, height_px: int) -> tuple[float, int, Canvas]:
    """The scale of a picture on `canvas`, then the cheaper first."""
    scale = min(1.0, canvas.width_px / width_px, canvas.height_px / height_px)
    return scale, -canvas.width_px * canvas.height_px, canvas

"""A frame on its way through a worker."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.contracts.events import FrameCaptured
from services.embed.core.detections import Detections


@dataclass(frozen=True)
class Frame:
    """A frame ready to be searched for faces: its event, and its picture at the detector's size."""

    event: FrameCaptured = field(repr=False)
    camera_index: int
    small: NDArray[np.uint8] = field(repr=False, compare=False)

    def in_full_px(self, found: Detections) -> Detections:
        """`found` in `small`, in pixels of the frame."""
        across = np.float32(self.event.width_px / self.small.shape[1])
        down = np.float32(self.event.height_px / self.small.shape[0])
        factors = np.array([across, down], np.float32)
        return Detections(found.boxes * np.tile(factors, 2), found.landmarks * factors, found.scores)


def chosen(found: Detections, rows: NDArray[np.bool_]) -> Detections:
    """Those of `found` for which `rows` [n] is true."""
    return Detections(found.boxes[rows], found.landmarks[rows], found.scores[rows])

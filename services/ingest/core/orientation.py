"""Which way up a picture is to be shown: eight ways, by EXIF, a display matrix or a camera's `rotate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_QUARTERS = 4


@dataclass(frozen=True)
class Orientation:
    """Mirrored left to right first, then turned by so many quarters clockwise."""

    quarters: int = 0
    mirrored: bool = False

    @property
    def upright(self) -> bool:
        """Nothing is to be done."""
        return self == UPRIGHT

    def then(self, quarters: int) -> Orientation:
        """Turned by so many more quarters."""
        return Orientation((self.quarters + quarters) % _QUARTERS, self.mirrored)

    def size(self, width_px: int, height_px: int) -> tuple[int, int]:
        """What becomes of a size."""
        return (height_px, width_px) if self.quarters % 2 else (width_px, height_px)

    def applied(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """One plane, [height, width], as it is to be shown; contiguous."""
        if self.mirrored:
            plane = plane[:, ::-1]
        return np.ascontiguousarray(np.rot90(plane, -self.quarters))


UPRIGHT = Orientation()
# By the number that EXIF gives them, from 1.
_BY_EXIF = (
    *(UPRIGHT, Orientation(0, True), Orientation(2), Orientation(2, True)),
    *(Orientation(3, True), Orientation(1), Orientation(1, True), Orientation(3)),
)


def of_exif(number: int) -> Orientation:
    """EXIF's orientation; upright for a number that is none."""
    return _BY_EXIF[number - 1] if 1 <= number <= len(_BY_EXIF) else UPRIGHT


def of_display_matrix(matrix: Sequence[int]) -> Orientation:
    """The nearest of the eight to a display matrix as libav gives it (nine numbers, by rows)."""
    across_x, across_y, _, down_x, down_y = matrix[:5]
    mirrored = across_x * down_y - across_y * down_x < 0
    # Mirroring leaves the way down as it is: where it points now tells the turn.
    if abs(down_y) >= abs(down_x):
        return Orientation(0 if down_y >= 0 else 2, mirrored)
    return Orientation(1 if down_x < 0 else 3, mirrored)


def of_rotation(degrees: float) -> Orientation:
    """The nearest to a turn by so many degrees counter-clockwise."""
    return Orientation(round(-degrees / 90) % _QUARTERS)

"""Which way up libav says a decoded frame is to be shown."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame

from services.ingest.core.orientation import UPRIGHT, Orientation, of_display_matrix, of_rotation

_MATRIX_BYTES = 36


class Orientations:
    """Of one stream's frames. One thread.

    A frame whose side data was looked at is held by them, in a circle, until Python's collector comes by, and with
    it its pixels: so they are looked at once for each turn that the stream shows, not in each frame.
    """

    def __init__(self) -> None:
        self._by_rotation: dict[float, Orientation] = {}

    def of(self, frame: VideoFrame) -> Orientation:
        """From the display matrix of the frame's container or stream."""
        rotation = float(frame.rotation)
        if rotation not in self._by_rotation:
            self._by_rotation[rotation] = _orientation_of(frame)
        return self._by_rotation[rotation]


def _orientation_of(frame: VideoFrame) -> Orientation:
    try:
        matrix = bytes(frame.side_data["DISPLAYMATRIX"])  # type: ignore[typeddict-item]  # not in PyAV's stubs
    except KeyError:
        return UPRIGHT
    except ValueError:
        # Beside a kind of data that this version of PyAV has no name for it shows none: the turn is known all the
        # same, only a mirror is not.
        return of_rotation(frame.rotation)
    if len(matrix) != _MATRIX_BYTES:
        return UPRIGHT
    return of_display_matrix([int(number) for number in np.frombuffer(matrix, "=i4")])

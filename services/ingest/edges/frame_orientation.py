"""Which way up libav says a decoded frame is to be shown."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame

from services.ingest.core.orientation import UPRIGHT, Orientation, of_display_matrix, of_rotation

_MATRIX_BYTES = 36


def orientation_of(frame: VideoFrame) -> Orientation:
    """From the display matrix of its container or of its stream."""
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

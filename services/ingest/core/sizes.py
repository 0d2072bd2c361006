"""How large a picture may be, so that its frame fits its topic, and what is tried where it is larger."""

from __future__ import annotations

from collections.abc import Iterator

from services.contracts import topics

# What a frame's record holds beside its picture: seven names of at most 63 characters or 32 digits, ten numbers,
# what seals it, and the length of each. A test holds the longest of all to it.
_BESIDE_BYTES = 2048
MOST_JPEG_BYTES = topics.FRAMES.max_value_bytes - _BESIDE_BYTES

# Coarser before smaller: a face that is found by its size is lost with it. At 35 a face is still a face.
_COARSER = (70, 50, 35)
_SMALLER = 0.75
# Whatever the picture, it fits long before this.
_LEAST_SIDE_PX = 64


def attempts(quality: int, side_px: int) -> Iterator[tuple[int, int]]:
    """Quality and longest side to encode at, until one fits; the first is as asked."""
    steps = [quality, *(coarser for coarser in _COARSER if coarser < quality)]
    for step in steps:
        yield step, side_px
    while (side_px := int(side_px * _SMALLER)) >= _LEAST_SIDE_PX:
        yield steps[-1], side_px

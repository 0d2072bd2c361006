"""Pictures in and out of JPEG: one conversion, in YUV, from whatever a decoder gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import simplejpeg
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from services.ingest.core.orientation import UPRIGHT, Orientation
from services.ingest.core.sampling import fitted, squared
from services.ingest.core.sizes import MOST_JPEG_BYTES, attempts


@dataclass(frozen=True)
class Jpeg:
    """An encoded picture and its size."""

    width_px: int
    height_px: int
    content: bytes = field(repr=False)


def encoded(
    frame: VideoFrame,
    *,
    max_side_px: int,
    quality: int,
    shown: Orientation = UPRIGHT,
    pixel_aspect: float = 1.0,
    most_bytes: int = MOST_JPEG_BYTES,
) -> Jpeg:
    """`frame` scaled down to the limit, turned as it is to be `shown`, and encoded (4:2:0, full range).

    What is larger than `most_bytes` (noise, a camera without light) is encoded coarser, then smaller.
    Raises av's errors; ValueError if nothing fits.
    """
    size_px, planes = None, np.empty(0, np.uint8)
    square_px = squared(frame.width, frame.height, pixel_aspect)
    for step, side_px in attempts(quality, min(max_side_px, max(square_px))):
        wanted_px = fitted(*square_px, max_side_px=side_px)
        if wanted_px != size_px:
            size_px, planes = wanted_px, _planes(frame, *wanted_px)
        content = _encoded(planes, *wanted_px, step, shown)
        if len(content) <= most_bytes:
            return Jpeg(*shown.size(*wanted_px), content)
    raise ValueError(f"no size of this picture fits {most_bytes} bytes")


def _planes(frame: VideoFrame, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """yuvj420p is what a JPEG holds: no way through RGB and back, and half the bytes."""
    # One thread: many cameras share the machine, and each frame would start some of its own.
    scaled = frame.reformat(
        width_px, height_px, "yuvj420p", dst_colorspace="ITU601", interpolation="AREA", threads=1
    )
    return np.asarray(scaled.to_ndarray(), np.uint8)


def _encoded(planes: NDArray[np.uint8], width_px: int, height_px: int, quality: int, shown: Orientation) -> bytes:
    luma, chroma = planes[:height_px], planes[height_px:].reshape(2, height_px // 2, width_px // 2)
    turned = (shown.applied(plane) for plane in (luma, chroma[0], chroma[1]))
    return bytes(simplejpeg.encode_jpeg_yuv_planes(*turned, quality))

"""Pictures in and out of JPEG: one conversion, in YUV, from whatever a decoder gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import simplejpeg
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from services.ingest.core.sampling import fitted
from services.ingest.core.sizes import MOST_JPEG_BYTES, attempts


@dataclass(frozen=True)
class Jpeg:
    """An encoded picture and its size."""

    width_px: int
    height_px: int
    content: bytes = field(repr=False)


def encoded(frame: VideoFrame, *, max_side_px: int, quality: int, most_bytes: int = MOST_JPEG_BYTES) -> Jpeg:
    """`frame` scaled down to the limit and encoded (4:2:0, full range).

    What is larger than `most_bytes` (noise, a camera without light) is encoded coarser, then smaller.
    Raises av's errors; ValueError if nothing fits.
    """
    size_px, planes = None, np.empty(0, np.uint8)
    for step, side_px in attempts(quality, min(max_side_px, max(frame.width, frame.height))):
        wanted_px = fitted(frame.width, frame.height, max_side_px=side_px)
        if wanted_px != size_px:
            size_px, planes = wanted_px, _planes(frame, *wanted_px)
        content = _encoded(planes, *wanted_px, step)
        if len(content) <= most_bytes:
            return Jpeg(*wanted_px, content)
    raise ValueError(f"no size of this picture fits {most_bytes} bytes")


def _planes(frame: VideoFrame, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """yuvj420p is what a JPEG holds: no way through RGB and back, and half the bytes."""
    scaled = frame.reformat(width_px, height_px, "yuvj420p", dst_colorspace="ITU601", interpolation="AREA")
    return np.asarray(scaled.to_ndarray(), np.uint8)


def _encoded(planes: NDArray[np.uint8], width_px: int, height_px: int, quality: int) -> bytes:
    luma, chroma = planes[:height_px], planes[height_px:].reshape(2, height_px // 2, width_px // 2)
    return bytes(simplejpeg.encode_jpeg_yuv_planes(luma, chroma[0], chroma[1], quality))

"""Pictures in and out of JPEG: one conversion, in YUV, from whatever a decoder gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import simplejpeg
from av.video.frame import VideoFrame

from services.ingest.core.sampling import fitted


@dataclass(frozen=True)
class Jpeg:
    """An encoded picture and its size."""

    width_px: int
    height_px: int
    content: bytes = field(repr=False)


def encoded(frame: VideoFrame, *, max_side_px: int, quality: int) -> Jpeg:
    """`frame` scaled down to the limit and encoded (4:2:0, full range). Raises av's errors."""
    width_px, height_px = fitted(frame.width, frame.height, max_side_px=max_side_px)
    # yuvj420p is what a JPEG holds: no way through RGB and back, and half the bytes.
    planes = frame.reformat(
        width_px, height_px, "yuvj420p", dst_colorspace="ITU601", interpolation="AREA"
    ).to_ndarray()
    half = (height_px // 2, width_px // 2)
    luma, chroma = planes[:height_px], planes[height_px:].reshape(2, *half)
    content = simplejpeg.encode_jpeg_yuv_planes(luma, chroma[0], chroma[1], quality)
    return Jpeg(width_px, height_px, content)

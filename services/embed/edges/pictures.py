"""JPEG in and out, and what is cut from a picture: chips' surroundings with other people made unrecognisable."""

from __future__ import annotations

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from services.contracts.errors import Permanent

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

# What a frame may be at the most, before a byte of it is decoded: 4096 x 4096 in three colours is 50 MB.
MAX_FRAME_PIXELS = 4096 * 4096
# For a reviewer's eyes; lower shows blocks around eyes and mouth, the very features they compare.
_CROP_QUALITY = 92
_CONTEXT_QUALITY = 75
# What one picture of a face, and of its surroundings, may take: four of the first and one of the other fit a
# face's record. What does not compress (noise, a cloth of fine dots) is encoded coarser, then smaller.
MOST_CROP_BYTES = 480 * 1024
MOST_CONTEXT_BYTES = 96 * 1024
_COARSER = (80, 65, 50)
_SMALLER = 0.75
# A face's own box is tight at chin and brow; reviewers compare ears and hairline too.
_CROP_MARGIN = 0.6
_CROP_SIDE_PX = 720
_CONTEXT_REACH = 3.0
_CONTEXT_SIDE_PX = 400
# A blurred face is this many blocks wide, whatever its size: nobody is told from 4 x 4 averages.
_BLUR_BLOCKS = 4
_BLUR_MARGIN = 0.25


def frame_size(jpeg: bytes, *, max_pixels: int = MAX_FRAME_PIXELS) -> tuple[int, int]:
    """Width and height from the header alone. Raises Permanent: not_a_picture, too_large."""
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(jpeg)
    except ValueError as error:
        raise Permanent("not_a_picture", "the bytes are not a JPEG picture") from error
    if width * height > max_pixels:
        raise Permanent("too_large", f"a picture of {width} x {height}, at most {max_pixels} pixels are decoded")
    return int(width), int(height)


def decode(jpeg: bytes, *, at_least: tuple[int, int] | None = None, max_pixels: int = MAX_FRAME_PIXELS) -> Image:
    """uint8 [h, w, 3] BGR; with `at_least` (width, height) the smallest size JPEG can be scaled to that is no
    smaller. Raises Permanent: not_a_picture (also a torn one), too_large."""
    frame_size(jpeg, max_pixels=max_pixels)
    width, height = at_least or (0, 0)
    try:
        image: Image = (
            simplejpeg.decode_jpeg(
                jpeg, colorspace="BGR", fastdct=True, fastupsample=True, min_width=width, min_height=height
            )
            if at_least
            else simplejpeg.decode_jpeg(jpeg, colorspace="BGR", fastdct=True)
        )
    except ValueError as error:
        raise Permanent("not_a_picture", "the bytes are a torn or broken JPEG picture") from error
    return image


def encode_crop(image: Image) -> bytes:
    """A face as a reviewer compares it, in at most 480 KiB."""
    return _within(MOST_CROP_BYTES, image, _CROP_QUALITY, "444")


def encode_context(image: Image) -> bytes:
    """The surroundings of a face, in at most 96 KiB."""
    return _within(MOST_CONTEXT_BYTES, image, _CONTEXT_QUALITY, "420")


def cut_crop(image: Image, box: Floats, others: Floats) -> Image:
    """A copy of the face in `box` (corners) with a margin, at the picture's own pixels up to 720 a side."""
    return _cut(image, box, others, margin=_CROP_MARGIN, side_px=_CROP_SIDE_PX)


def cut_context(image: Image, box: Floats, others: Floats) -> Image:
    """A copy of the surroundings of `box`, at most 400 px a side: where somebody was, not who was there too."""
    return _cut(image, box, others, margin=_CONTEXT_REACH, side_px=_CONTEXT_SIDE_PX)


def _cut(image: Image, box: Floats, others: Floats, *, margin: float, side_px: int) -> Image:
    """`box` and its surroundings, each of `others` [n, 4] blurred beyond recognition.

    Where boxes overlap the face's own pixels stay: it is the one looked at.
    """
    left, top, right, bottom = _grown(box, margin, image)
    cut = image[top:bottom, left:right].copy()
    shift = np.array([left, top, left, top], np.float32)
    own = _clipped(box - shift, cut)
    face = cut[own[1] : own[3], own[0] : own[2]].copy()
    for other in others:
        blur(cut, _grown(other - shift, _BLUR_MARGIN, cut))
    cut[own[1] : own[3], own[0] : own[2]] = face
    scale = side_px / max(cut.shape[:2])
    if scale < 1:
        size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cut


def blur(image: Image, area: tuple[int, int, int, int]) -> None:
    """Leave of `area` (left, top, right, bottom) only a few averages, in place."""
    left, top, right, bottom = area
    if right <= left or bottom <= top:
        return
    region = image[top:bottom, left:right]
    blocks = cv2.resize(region, (_BLUR_BLOCKS, _BLUR_BLOCKS), interpolation=cv2.INTER_AREA)
    region[:] = cv2.resize(blocks, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)


def _within(most_bytes: int, image: Image, quality: int, sampling: str) -> bytes:
    """Encoded as asked, else coarser, else smaller: some size of every picture fits."""
    for step in (quality, *(coarser for coarser in _COARSER if coarser < quality)):
        encoded = _encode(image, step, sampling)
        if len(encoded) <= most_bytes:
            return encoded
    height, width = image.shape[:2]
    size = (max(1, int(width * _SMALLER)), max(1, int(height * _SMALLER)))
    smaller = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _within(most_bytes, smaller, _COARSER[-1], sampling)


def _encode(image: Image, quality: int, sampling: str) -> bytes:
    return bytes(
        simplejpeg.encode_jpeg(
            np.ascontiguousarray(image), quality=quality, colorspace="BGR", colorsubsampling=sampling
        )
    )


def _grown(box: Floats, by: float, image: Image) -> tuple[int, int, int, int]:
    """`box` larger by `by` of its longer side on each side, as whole pixels inside `image`."""
    margin = by * float(max(box[2] - box[0], box[3] - box[1]))
    return _clipped(box + np.array([-margin, -margin, margin, margin], np.float32), image)


def _clipped(box: Floats, image: Image) -> tuple[int, int, int, int]:
    height, width = image.shape[:2]
    left, top = (int(np.clip(np.floor(v), 0, limit)) for v, limit in zip(box[:2], (width, height), strict=True))
    right, bottom = (int(np.clip(np.ceil(v), 0, limit)) for v, limit in zip(box[2:], (width, height), strict=True))
    return left, top, right, bottom

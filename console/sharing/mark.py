"""A mark in a picture that says to whom it was given: a strip below it for people, and one in its brightness.

The hidden one is 32 bits spread over a grid that is laid on the picture whatever its size, so it outlives encoding
anew, scaling, and the loss of the strip. It is no proof against somebody who crops, turns or repaints on purpose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np

from services.contracts.errors import Misconfigured

Floats = np.ndarray[Any, np.dtype[np.float32]]
Image = np.ndarray[Any, np.dtype[np.uint8]]

# The picture is this part of what is given out, the strip the rest: a share, so that scaling keeps it.
_PICTURE, _WHOLE = 8, 9
_LEAST_PX = 240
_GRID = 48
_BITS = 32
_QUALITY = 92
# How far every bit's mean lies from zero, in levels of brightness: what encoding anew at half quality leaves of it
# is still twice what decides.
_WANTED = 3.0
_STEPS = 12
# Above it no bit of a marked picture lies by chance alone; the register decides whether the mark was ever given.
_LEAST = 0.2
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Label:
    """What the strip says. All of them are ids."""

    organisation: str
    party: str
    serial: int


def marked(jpeg: bytes, mark: str, label: Label) -> bytes:
    """The picture as it is given out. Small ones are enlarged, for the mark has to lie in it. Raises
    Misconfigured for what is no picture."""
    picture = _large(_decoded(jpeg))
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb)
    brightness, signs = grey[..., 0].astype(np.float32), _signs(mark)
    pushed = np.zeros((_GRID, _GRID), np.float32)
    found = b""
    for _ in range(_STEPS):
        change = cv2.resize(pushed, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
        grey[..., 0] = np.clip(brightness + change, 0, 255).round().astype(np.uint8)
        found = _encoded(_with_strip(cv2.cvtColor(grey, cv2.COLOR_YCrCb2BGR).astype(np.uint8), mark, label))
        lacks = np.maximum(0.0, _WANTED - signs * _means(_top(_decoded(found))))
        if not lacks.any():
            break
        bits, flips = _layout()
        pushed += (signs * lacks)[bits] * flips
    return found


def marks(picture: bytes) -> tuple[str, ...]:
    """What may be a mark in it, most likely first: with the strip, and without. Only the register knows whether
    one was ever given. Raises Misconfigured for what is no picture."""
    whole = _decoded(picture)
    found = [(float(np.abs(means).min()), _text(means)) for means in map(_means, (_top(whole), whole))]
    return tuple(text for least, text in sorted(found, reverse=True) if least >= _LEAST)


@cache
def _layout() -> tuple[np.ndarray[Any, Any], Floats]:
    """Which bit each cell of the grid belongs to, and its sign. By hashes, so that it never becomes another."""
    hashes = [hashlib.sha256(f"signpost mark 1/{cell}".encode()).digest() for cell in range(_GRID * _GRID)]
    bits = np.empty(_GRID * _GRID, np.intp)
    bits[sorted(range(len(hashes)), key=hashes.__getitem__)] = np.arange(len(hashes)) % _BITS
    flips = np.array([1.0 if one[-1] & 1 else -1.0 for one in hashes], np.float32)
    return bits.reshape(_GRID, _GRID), flips.reshape(_GRID, _GRID)


def _means(picture: Image) -> Floats:
    """Each bit's mean: positive for 1. What varies slowly over the picture is its own, and taken out."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb)[..., 0].astype(np.float32)
    cells = cv2.resize(grey, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    cells = cells - cv2.GaussianBlur(cells, (0, 0), 2.0)
    bits, flips = _layout()
    sums = np.bincount(bits.ravel(), (cells * flips).ravel(), minlength=_BITS)
    return (sums / np.bincount(bits.ravel(), minlength=_BITS)).astype(np.float32)


def _signs(mark: str) -> Floats:
    number = int(mark, 16)
    return np.array([1.0 if number >> bit & 1 else -1.0 for bit in range(_BITS)], np.float32)


def _text(means: Floats) -> str:
    return f"{sum(1 << bit for bit in range(_BITS) if means[bit] > 0):08x}"


def _large(picture: Image) -> Image:
    """With sides that a mark fits in, and a height that its strip is an even part of."""
    height, width = picture.shape[:2]
    scale = max(1.0, _LEAST_PX / min(height, width))
    size = (round(width * scale), -(-round(height * scale) // _PICTURE) * _PICTURE)
    return cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def _top(whole: Image) -> Image:
    return whole[: max(1, round(whole.shape[0] * _PICTURE / _WHOLE))]


def _with_strip(picture: Image, mark: str, label: Label) -> Image:
    height, width = picture.shape[0] // _PICTURE, picture.shape[1]
    strip = np.zeros((height, width, 3), np.uint8)
    for line, text in enumerate(_lines(mark, label)):
        (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
        scale = min(0.9 * width / wide, 0.32 * height / high)
        place = (round(0.05 * width), round(height * (0.42 + 0.45 * line)))
        cv2.putText(strip, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack((picture, strip)).astype(np.uint8)


def _lines(mark: str, label: Label) -> Iterator[str]:
    yield f"{label.organisation} to {label.party}, share {label.serial}"
    yield f"not to be passed on [{mark}]"


def _decoded(raw: bytes) -> Image:
    if not 0 < len(raw) <= _MOST_BYTES:
        raise Misconfigured("no picture, or one larger than any")
    found = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        raise Misconfigured("no picture that can be read")
    return found.astype(np.uint8)


def _encoded(picture: Image) -> bytes:
    done, raw = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise Misconfigured("a picture could not be encoded")
    return raw.tobytes()

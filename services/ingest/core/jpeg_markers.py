"""Whether a JPEG holds a picture and nothing else: no camera's name, no place, no comment, no second picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_START = b"\xff\xd8"
_END = 0xD9
_START_OF_SCAN = 0xDA
_FRAMES = (0xC0, 0xC1, 0xC2)
_ONCE = frozenset({0xE0, 0xEE, *_FRAMES})
# What ends the data of a scan: any marker that is neither a stuffed byte nor a restart within it.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)
# JFIF's head, without the small picture that may follow in it, and Adobe's colour transform.
_JFIF = re.compile(rb"JFIF\x00\x01.[\x00-\x02].{4}\x00\x00", re.DOTALL)
_ADOBE = re.compile(rb"Adobe.{7}", re.DOTALL)
_HUFFMAN_HEAD = 17


def holds_picture_only(content: bytes) -> bool:
    """True if every byte is needed to draw one picture: no other segment before, between or behind its scans."""
    if not content.startswith(_START):
        return False
    at, seen = len(_START), set[int]()
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        fits = _SEGMENTS.get(marker)
        if fits is None or end > len(content) or not fits(content[at + 4 : end]):
            return False
        if marker in _ONCE and marker in seen:
            return False
        seen.add(marker)
        if marker == _START_OF_SCAN:
            found = _MARKER.search(content, end)
            if found is None:
                return False
            end = found.start()
            if content[end + 1] == _END:
                return not seen.isdisjoint(_FRAMES) and end + 2 == len(content)
        at = end
    return False


def _is_quantisation(segment: bytes) -> bool:
    at = 0
    while at < len(segment):
        at += 129 if segment[at] >> 4 else 65
    return at == len(segment) > 0


def _is_huffman(segment: bytes) -> bool:
    at = 0
    while at + _HUFFMAN_HEAD <= len(segment):
        at += _HUFFMAN_HEAD + sum(segment[at + 1 : at + _HUFFMAN_HEAD])
    return at == len(segment) > 0


def _is_frame(segment: bytes) -> bool:
    return len(segment) > 5 and len(segment) == 6 + 3 * segment[5]


def _is_scan(segment: bytes) -> bool:
    return len(segment) > 0 and len(segment) == 4 + 2 * segment[0]


_SEGMENTS: Mapping[int, Callable[[bytes], bool]] = {
    0xE0: lambda segment: _JFIF.fullmatch(segment) is not None,
    0xEE: lambda segment: _ADOBE.fullmatch(segment) is not None,
    0xDB: _is_quantisation,
    0xC4: _is_huffman,
    0xDD: lambda segment: len(segment) == 2,
    **dict.fromkeys(_FRAMES, _is_frame),
    _START_OF_SCAN: _is_scan,
}
"""The segments that a picture needs, and whether one is what it should be to its last byte."""

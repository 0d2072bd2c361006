"""Whether a JPEG holds a picture and nothing else: no camera's name, no place, no comment."""

from __future__ import annotations

_START = b"\xff\xd8"
_END = b"\xff\xd9"
_START_OF_SCAN = 0xDA
# JFIF's head and Adobe's colour transform; tables and frame headers.
_PICTURE_ONLY = frozenset({0xE0, 0xEE, 0xDB, 0xC4, 0xDD, *range(0xC0, 0xC4)})


def holds_picture_only(content: bytes) -> bool:
    """True if every segment before the scan is needed to draw the picture, and the file ends where it does."""
    if not (content.startswith(_START) and content.endswith(_END)):
        return False
    at = len(_START)
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == _START_OF_SCAN:
            return True
        if marker not in _PICTURE_ONLY:
            return False
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return False

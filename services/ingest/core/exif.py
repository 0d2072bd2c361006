"""The orientation in a JPEG's or PNG's EXIF data, found without believing anything else in it."""

from __future__ import annotations

from services.ingest.core.orientation import UPRIGHT, Orientation, of_exif

_JPEG_START = b"\xff\xd8"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_APP1, _START_OF_SCAN = 0xE1, 0xDA
_EXIF = b"Exif\0\0"
_LITTLE, _BIG = b"II*\0", b"MM\0*"
_ORIENTATION = 0x0112
_SHORT = 3
_ENTRY_BYTES = 12
# A directory of more entries than any camera writes is noise.
_MOST_ENTRIES = 500


def jpeg_orientation(content: bytes) -> Orientation:
    """Upright where nothing says otherwise, or what says so is broken: a viewer shows it so too."""
    at = len(_JPEG_START)
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            break
        segment = content[at + 4 : at + 2 + length]
        if marker == _APP1 and segment.startswith(_EXIF):
            return _of_tiff(segment[len(_EXIF) :])
        at += 2 + max(2, length)
    return UPRIGHT


def png_orientation(content: bytes) -> Orientation:
    """As `jpeg_orientation`; the chunk may stand before the picture or behind it."""
    at = len(_PNG_START)
    while at + 8 <= len(content):
        length, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if name == b"eXIf":
            return _of_tiff(content[at + 8 : at + 8 + length])
        at += 12 + length
    return UPRIGHT


def _of_tiff(tiff: bytes) -> Orientation:
    """The orientation in the first directory."""
    if tiff[:4] not in (_LITTLE, _BIG):
        return UPRIGHT

    def number(start: int, length: int) -> int:
        return int.from_bytes(tiff[start : start + length], "little" if tiff.startswith(_LITTLE) else "big")

    begins = number(4, 4)
    for place in range(min(number(begins, 2), _MOST_ENTRIES)):
        entry = begins + 2 + place * _ENTRY_BYTES
        if number(entry, 2) == _ORIENTATION and number(entry + 2, 2) == _SHORT:
            return of_exif(number(entry + 8, 2))
    return UPRIGHT

"""Mends JPEG files whose scan headers are odd and whose pictures are whole, for a strict decoder to take them."""

from __future__ import annotations

_SCAN, _END = b"\xff\xda", b"\xff\xd9"
# Sequential frames: their scan has all 64 coefficients, whatever its header says (ITU-T T.81, B.2.3).
_SEQUENTIAL = (0xC0, 0xC1)
_OTHER_FRAMES = frozenset(range(0xC2, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALL_COEFFICIENTS = b"\x00\x3f\x00"


def mended(jpeg: bytes) -> bytes:
    """The same picture with the header of each sequential scan as it has to be, and with an end.

    Some phones write zeros there, which viewers pass over. What is torn stays torn: an end mends no missing row.
    """
    first = _first_scan(jpeg)
    if first is None:
        return jpeg + _END
    out = bytearray(jpeg)
    at = first
    # In what a scan holds, these two bytes are a marker and nothing else.
    while at >= 0 and jpeg.find(_END, first, at) < 0:
        behind = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if behind > len(jpeg):
            break
        out[behind - 3 : behind] = _ALL_COEFFICIENTS
        at = jpeg.find(_SCAN, behind)
    return bytes(out) + _END


def _first_scan(jpeg: bytes) -> int | None:
    """Where the first scan of a sequential picture begins; None for another kind, or one without."""
    at, sequential = 2, False
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xDA:
            return at if sequential else None
        elif marker in _OTHER_FRAMES:
            return None
        else:
            sequential = sequential or marker in _SEQUENTIAL
            at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return None

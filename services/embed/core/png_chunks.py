"""Leaves out of a PNG file what no picture needs, for a strict decoder to take it."""

from __future__ import annotations

import zlib

_SIGNATURE_BYTES = 8
_AROUND_BYTES = 12  # of a chunk: length, name, checksum
_SMALL_LETTER = 0x20  # in a name's first letter: the picture can be shown without this chunk
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# Some note an orientation there.
_XMP = b"XML:com.adobe.xmp\0\0"


def mended(png: bytes) -> bytes:
    """The same picture without texts, and without chunks that it can do without and whose checksum is wrong.

    Viewers pass over both; a decoder of ours takes a wrong checksum, or a text of megabytes, for a broken picture.
    """
    out, at = bytearray(png[:_SIGNATURE_BYTES]), _SIGNATURE_BYTES
    while at + _AROUND_BYTES <= len(png):
        end = at + _AROUND_BYTES + int.from_bytes(png[at : at + 4], "big")
        if end > len(png):
            break
        if _is_needed(png[at:end]):
            out += png[at:end]
        at = end
    return bytes(out + png[at:])


def _is_needed(chunk: bytes) -> bool:
    name, content, checksum = chunk[4:8], chunk[8:-4], chunk[-4:]
    extra = bool(name[0] & _SMALL_LETTER)
    text = name in _TEXTS and not content.startswith(_XMP)
    broken = zlib.crc32(content, zlib.crc32(name)).to_bytes(4, "big") != checksum
    return not (extra and (text or broken))

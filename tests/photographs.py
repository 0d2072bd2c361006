"""Small pictures in every form in which people have photographs: four quarters of known colours, nobody's face."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms

Pixels = NDArray[np.uint8]

pillow_heif.register_heif_opener()

WIDTH, HEIGHT = 96, 64
# Top left, top right, bottom left, bottom right, in RGB.
QUARTERS = ((200, 40, 40), (40, 180, 60), (50, 60, 200), (230, 230, 60))
FORMS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP", "TIFF", "JPEG2000", "MPO")
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quarters(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """The picture, upright."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for place, colour in enumerate(QUARTERS):
        down, across = divmod(place, 2)
        rows = slice(down * height // 2, (down + 1) * height // 2)
        pixels[rows, across * width // 2 : (across + 1) * width // 2] = colour
    return Image.fromarray(pixels)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """The file's bytes."""
    if form in ("JPEG", "MPO", "WEBP", "HEIF", "AVIF"):
        options.setdefault("quality", 95)
    if form == "MPO":
        options |= {"save_all": True, "append_images": [image.resize((16, 16))]}
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def turned(form: str, orientation: int) -> bytes:
    """The picture as a camera that was held so stores it, with the note that says how."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = quarters()
    return saved(image.transpose(_TURN[orientation]) if orientation in _TURN else image, form, exif=exif.tobytes())


def is_upright(pixels: Pixels, *, within: int = 24) -> bool:
    """Whether BGR `pixels` show the four quarters where they belong, in their colours."""
    height, width = pixels.shape[:2]
    middles = [
        pixels[height * (2 * down + 1) // 4, width * (2 * across + 1) // 4] for down in (0, 1) for across in (0, 1)
    ]
    return bool(np.abs(np.array(middles)[:, ::-1].astype(int) - np.array(QUARTERS)).max() <= within)


def with_odd_scans(jpeg: bytes) -> bytes:
    """The last bytes of each scan's header zero, as a phone maker writes them."""
    out, at = bytearray(jpeg), jpeg.find(b"\xff\xda")
    while at >= 0:
        behind = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        out[behind - 3 : behind] = bytes(3)
        at = jpeg.find(b"\xff\xda", behind)
    return bytes(out)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels, and has none."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def swapped_profile() -> bytes:
    """sRGB with the places of red and green exchanged: in it (200, 40, 40) is a green."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {profile[place : place + 4].decode(): place for place in range(132, 132 + 12 * profile[131], 12)}
    red, green = at["rXYZ"] + 4, at["gXYZ"] + 4
    profile[red : red + 8], profile[green : green + 8] = profile[green : green + 8], profile[red : red + 8]
    return bytes(profile).replace(b"s\0R\0G\0B", b"t\0e\0s\0t").replace(b"\0s\0R\0G\0B", b"\0t\0e\0s\0t")


def with_chunk(name: bytes, content: bytes, *, checksum: bytes | None = None) -> bytes:
    """The picture as a PNG with one chunk more before its pixels."""
    plain = saved(quarters(), "PNG")
    right = struct.pack(">I", zlib.crc32(name + content))
    chunk = struct.pack(">I", len(content)) + name + content + (right if checksum is None else checksum)
    at = plain.index(b"IDAT") - 4
    return plain[:at] + chunk + plain[at:]

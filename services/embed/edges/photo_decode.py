"""From a photograph as people have it to upright pixels: the one door to Pillow and to libheif.

It reads strangers' bytes: `photo_process` runs it in a process of its own, behind limits.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pi_heif  # type: ignore[import-untyped]
import simplejpeg
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, ImageCms, ImageFile, TiffImagePlugin

from services.contracts import picture_kinds as kinds
from services.contracts.errors import Permanent
from services.embed.core import jpeg_scans, png_chunks
from services.embed.core.photo_wire import WORK_PIXELS

Pixels = NDArray[np.uint8]

_FORMATS = {
    kinds.JPEG: ("JPEG", "MPO"),
    kinds.PNG: ("PNG",),
    kinds.WEBP: ("WEBP",),
    kinds.HEIC: ("HEIF",),
    kinds.AVIF: ("AVIF",),
    kinds.GIF: ("GIF",),
    kinds.BMP: ("BMP",),
    kinds.TIFF: ("TIFF",),
    kinds.JPEG_2000: ("JPEG2000",),
}
# What every viewer passes over, and a strict decoder does not.
_MENDS = {kinds.JPEG: jpeg_scans.mended, kinds.PNG: png_chunks.mended}
# Broken bytes come out of its decoders as many types; which one tells nobody anything.
_BROKEN = (
    *(OSError, ValueError, SyntaxError, RuntimeError, EOFError, struct.error),
    *(TypeError, KeyError, IndexError, OverflowError, ZeroDivisionError, AttributeError),
)
# What libjpeg says of a picture of which something is missing; its other warnings are of oddities.
_TORN = ("premature end", "bad huffman", "bad arithmetic", "found marker")
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# TIFF: the first picture is a small copy of another, or the file is a digital negative.
_SUBFILE, _DNG = 254, 50706

# Every decoder is loaded now: the process that uses this opens no file later.
Image.init()
pi_heif.register_heif_opener(thumbnails=False)
# Sizes are checked by us, from the header, before anything is made for them.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
_SRGB = ImageCms.createProfile("sRGB")


def decoded(picture: bytes, *, max_pixels: int) -> Pixels:
    """uint8 [h, w, 3] BGR, the first picture of the file, upright, in sRGB, what is transparent white, at most
    WORK_PIXELS. Raises Permanent: not_a_picture (also torn, or not read), too_large; and MemoryError."""
    kind = kinds.kind_of(picture[: kinds.HEAD_BYTES])
    if not kind.is_read:
        raise Permanent("not_a_picture", kind.refusal)
    with _said_of(kind):
        content = _MENDS[kind](picture) if kind in _MENDS else picture
        with Image.open(io.BytesIO(content), formats=_FORMATS[kind]) as image:
            _check_size(image, max_pixels)
            _check_first(image)
            if kind is kinds.JPEG:
                _check_whole(content)
            wanted = _wanted(image.size)
            image.draft(None, wanted)
            image.load()
            return _upright(image, wanted)


@contextmanager
def _said_of(kind: kinds.Kind) -> Iterator[None]:
    try:
        # Its warnings are of oddities that viewers pass over.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _BROKEN:
        raise Permanent(
            "not_a_picture",
            f"{kind.name} that is torn, broken or of an uncommon kind: copy it again, or save it as JPEG",
        ) from None


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise Permanent(
            "too_large",
            f"a picture of {width} x {height}, at most {max_pixels / 1e6:g} megapixels are decoded: save it "
            "smaller, or raise MAX_PICTURE_MPX of the enrolment server",
        )


def _check_first(image: Image.Image) -> None:
    """A camera's raw file is a TIFF whose first picture is a thumbnail: nobody means that one."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        if _DNG in tags or int(tags.get(_SUBFILE, 0)) & 1:
            raise Permanent("not_a_picture", kinds.RAW.refusal)


def _check_whole(jpeg: bytes) -> None:
    """Pillow fills what is missing with grey and says nothing: a strict decoder looks first, in small."""
    colours = simplejpeg.decode_jpeg_header(jpeg)[2]
    try:
        simplejpeg.decode_jpeg(jpeg, "CMYK" if colours in ("CMYK", "YCCK") else "GRAY", min_factor=8)
    except ValueError as error:
        if any(words in str(error).lower() for words in _TORN):
            raise Permanent("not_a_picture", "a torn JPEG picture, its end is missing: copy it again") from None


def _wanted(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    scale = min(1.0, math.sqrt(WORK_PIXELS / max(1, width * height)))
    return max(1, int(width * scale)), max(1, int(height * scale))


def _upright(image: Image.Image, wanted: tuple[int, int]) -> Pixels:
    profile, orientation = image.info.get("icc_profile"), _orientation(image)
    plain = _eight_bits(image)
    if plain.width * plain.height > WORK_PIXELS:
        plain = plain.resize(wanted, Image.Resampling.LANCZOS, reducing_gap=2.0)
    coloured = _srgb(_opaque(plain), profile)
    turned = coloured.transpose(_TURNS[orientation]) if orientation in _TURNS else coloured
    return np.ascontiguousarray(np.asarray(turned, np.uint8)[:, :, ::-1])


def _orientation(image: Image.Image) -> int:
    """As the camera noted it; upright where the note cannot be read, as viewers have it."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN:
        return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """Eight bits a colour, no palette."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        values = np.asarray(image).astype(np.float64)
        most = float(np.nanmax(values)) if values.size else 0.0
        factor = 255.0 if most <= 1.0 and image.mode == "F" else 1.0 if most <= 255 else 1 / 256
        return Image.fromarray(np.clip(np.nan_to_num(values * factor), 0, 255).astype(np.uint8))
    if image.mode in ("P", "PA", "1"):
        return image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    if "transparency" in image.info and image.mode in ("L", "RGB"):
        return image.convert("RGBA")
    return image


def _opaque(image: Image.Image) -> Image.Image:
    """On white, where it is transparent."""
    if image.mode not in ("RGBA", "LA", "La", "RGBa"):
        return image
    clear = image.convert("RGBA")
    ground = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(ground, clear).convert("RGB")


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """As its profile says; a profile that cannot be used is passed over, as viewers do."""
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(own):
                return _converted(image, own)
        except (ImageCms.PyCMSError, *_BROKEN):
            pass
    return image.convert("RGB")


def _converted(image: Image.Image, own: ImageCms.ImageCmsProfile) -> Image.Image:
    made = ImageCms.profileToProfile(image, own, _SRGB, outputMode="RGB")
    assert made is not None  # noqa: S101 - a new picture was asked for; narrows for the checker
    return made

"""A folder of pictures as a camera: JPEG and PNG, in the order of their names."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import av
import simplejpeg
from av.video.frame import VideoFrame

from services.contracts.file_names import is_system
from services.ingest.core.exif import jpeg_orientation, png_orientation
from services.ingest.core.jpeg_markers import holds_picture_only
from services.ingest.core.order import ReadOrder
from services.ingest.core.orientation import Orientation
from services.ingest.core.reasons import Fault, Flaw
from services.ingest.core.sampling import fitted
from services.ingest.core.sizes import MOST_JPEG_BYTES
from services.ingest.edges.jpeg import Jpeg, encoded
from services.ingest.edges.still import Flawed, SourceFault, Still

# A picture's file, not its pixels: nothing sensible is larger, and it is read whole.
_MAX_FILE_BYTES = 64 * 1024 * 1024
# Digests of pictures that were decoded and found whole, in this process of one camera; as many are remembered.
_whole: set[bytes] = set()
_MOST_KNOWN_WHOLE = 10_000
_JPEG_START = b"\xff\xd8\xff"
# Signature and the head of the chunk that must come first: width and height stand right behind.
_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_SIZE = struct.Struct(">II")


def stills(order: ReadOrder) -> Iterator[Still]:
    """Every file of the folder as one frame at `rate_fps`; hidden and system files, and folders, are none.

    Raises SourceFault if there is no such folder or nothing in it.
    """
    for place, path in enumerate(_files(Path(order.address))):
        yield Still(place / order.rate_fps, partial(_picture, path, order))


def readable(folder: Path) -> list[Path]:
    """What a reader of this folder must be able to open: the folder, and what its links lead to.

    Raises SourceFault if there is no such folder.
    """
    try:
        linked = [path.resolve(strict=True) for path in folder.iterdir() if path.is_symlink() and path.exists()]
    except (FileNotFoundError, NotADirectoryError):
        raise SourceFault(Fault.NOT_FOUND) from None
    except OSError:
        raise SourceFault(Fault.UNREADABLE) from None
    return [folder.resolve(), *linked]


def _files(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file() and not is_system(path.name))
    except (FileNotFoundError, NotADirectoryError):
        raise SourceFault(Fault.NOT_FOUND) from None
    except OSError:
        raise SourceFault(Fault.UNREADABLE) from None
    if not found:
        raise SourceFault(Fault.EMPTY)
    return found


def _picture(path: Path, order: ReadOrder) -> Jpeg:
    content = _content(path)
    try:
        ready = _as_it_is(content, order)
        if ready is not None:
            return ready
        frame, shown = _decoded(content, order)
        return encoded(
            frame,
            max_side_px=order.max_side_px,
            quality=order.jpeg_quality,
            shown=shown.then(order.quarters),
        )
    except (ValueError, OSError, MemoryError, av.FFmpegError):
        # Decoders say "broken" in many types; which one tells nobody anything.
        raise Flawed(Flaw.PICTURE_UNREADABLE) from None


def _as_it_is(content: bytes, order: ReadOrder) -> Jpeg | None:
    """A JPEG that fits and holds nothing but its picture needs no second encoding; None for any other.

    Raises ValueError if it is not whole.
    """
    if order.quarters or len(content) > MOST_JPEG_BYTES or not holds_picture_only(content):
        return None
    height_px, width_px, _, _ = simplejpeg.decode_jpeg_header(content)
    _check_size(width_px, height_px, order)
    if fitted(width_px, height_px, max_side_px=order.max_side_px) != (width_px, height_px):
        return None
    # Whether it is whole shows only when it is decoded: as small as can be, and once, not in each round of a loop.
    digest = hashlib.blake2b(content, digest_size=16).digest()
    if digest not in _whole:
        simplejpeg.decode_jpeg(content, "GRAY", min_factor=8)
        if len(_whole) < _MOST_KNOWN_WHOLE:
            _whole.add(digest)
    return Jpeg(width_px, height_px, content)


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= _MAX_FILE_BYTES else b""
    except OSError:
        raise Flawed(Flaw.PICTURE_UNREADABLE) from None
    if size > _MAX_FILE_BYTES:
        raise Flawed(Flaw.PICTURE_TOO_LARGE)
    if not content:
        raise Flawed(Flaw.EMPTY_PICTURE)
    return content


def _decoded(content: bytes, order: ReadOrder) -> tuple[VideoFrame, Orientation]:
    """The picture and which way up it is to be shown; its size is checked before anything is allocated for it."""
    if content.startswith(_JPEG_START):
        height_px, width_px, _, _ = simplejpeg.decode_jpeg_header(content)
        _check_size(width_px, height_px, order)
        return _decoded_jpeg(content, width_px, height_px, order), jpeg_orientation(content)
    if content.startswith(_PNG_START) and len(content) >= len(_PNG_START) + _PNG_SIZE.size:
        width_px, height_px = _PNG_SIZE.unpack_from(content, len(_PNG_START))
        _check_size(width_px, height_px, order)
        return _decoded_png(content), png_orientation(content)
    raise Flawed(Flaw.NOT_A_PICTURE)


def _check_size(width_px: int, height_px: int, order: ReadOrder) -> None:
    if width_px * height_px > order.max_source_px:
        raise Flawed(Flaw.PICTURE_TOO_LARGE)


def _decoded_jpeg(content: bytes, width_px: int, height_px: int, order: ReadOrder) -> VideoFrame:
    wanted_px = fitted(width_px, height_px, max_side_px=order.max_side_px)
    # The decoder's own scaling to at least the wanted size costs nothing; the rest is done while encoding.
    pixels = simplejpeg.decode_jpeg(content, "RGB", min_width=wanted_px[0], min_height=wanted_px[1])
    return VideoFrame.from_ndarray(pixels, format="rgb24")


def _decoded_png(content: bytes) -> VideoFrame:
    with av.open(io.BytesIO(content), "r", format="png_pipe") as container:
        frame = next(container.decode(video=0), None)
    if frame is None:
        raise Flawed(Flaw.PICTURE_UNREADABLE)
    return frame

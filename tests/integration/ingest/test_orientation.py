"""Pictures come out upright, whatever the source says of how it lies, and as the file of cameras turns it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from services.ingest.core.readings import Picture
from tests.integration.ingest.recording import record
from tests.reliability.misbehaving.modes import MODES
from tests.reliability.misbehaving.server import cameras
from tests.unit.ingest.core.test_orientation import STORED, a_tiff

WIDTH_PX, HEIGHT_PX = 96, 64
# Brightness by quarter as it is to be shown: upper left, upper right, lower left, lower right.
SHADES = (30, 100, 170, 240)


def shown() -> NDArray[np.uint8]:
    picture = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    across, down = WIDTH_PX // 2, HEIGHT_PX // 2
    for place, shade in enumerate(SHADES):
        row, column = divmod(place, 2)
        picture[row * down : (row + 1) * down, column * across : (column + 1) * across] = shade
    return picture


def shades(picture: Picture) -> tuple[int, ...]:
    """The brightness of each quarter, upper left first, to the nearest that there is."""
    pixels = simplejpeg.decode_jpeg(picture.jpeg, "GRAY")[..., 0]
    assert pixels.shape == (picture.height_px, picture.width_px)
    height, width = pixels.shape
    found = [pixels[height * row // 4, width * column // 4] for row in (1, 3) for column in (1, 3)]
    return tuple(SHADES[int(np.argmin(np.abs(np.array(SHADES) - int(one))))] for one in found)


def stored(number: int) -> NDArray[np.uint8]:
    """The picture as orientation `number` of EXIF has it stored."""
    places = np.arange(HEIGHT_PX * WIDTH_PX).reshape(HEIGHT_PX, WIDTH_PX)
    lying = {
        1: places,
        2: places[:, ::-1],
        3: places[::-1, ::-1],
        4: places[::-1],
        5: places.T,
        6: np.rot90(places, 1),
        7: places[::-1, ::-1].T,
        8: np.rot90(places, -1),
    }
    return np.ascontiguousarray(shown().reshape(-1, 3)[lying[number]])


def write_jpeg(path: Path, number: int) -> None:
    content = simplejpeg.encode_jpeg(stored(number), quality=95)
    app1 = b"Exif\0\0" + a_tiff(number)
    path.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + content[2:])


def write_png(path: Path, number: int) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    pixels = stored(number)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    body = chunk(b"IHDR", head) + chunk(b"eXIf", a_tiff(number)) + chunk(b"IDAT", zlib.compress(rows))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b""))


def write_video(
    path: Path,
    pixels: NDArray[np.uint8],
    *,
    turned: tuple[int, bool] | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """A video of one picture; `turned` is how its container says it is to be shown: degrees and a mirror."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = pixels.shape[1], pixels.shape[0], "yuv420p"
        stream.options = {"preset": "ultrafast", "qp": "10"}
        if turned is not None:
            stream.set_display_rotation(turned[0], hflip=turned[1])
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("write", [write_jpeg, write_png])
@pytest.mark.parametrize("number", STORED)
def test_a_folders_picture_is_turned_as_its_exif_says(
    tmp_path: Path, number: int, write: Callable[[Path, int], None]
) -> None:
    """Photographs of a phone stood on their heads, and faces in them got meaningless templates."""
    write(tmp_path / f"1.{'jpg' if write is write_jpeg else 'png'}", number)
    (picture,) = record(tmp_path, source="folder").pictures
    assert (picture.width_px, picture.height_px) == (WIDTH_PX, HEIGHT_PX)
    assert shades(picture) == SHADES


@pytest.mark.parametrize(("degrees", "number"), [(0, 1), (-90, 6), (90, 8), (180, 3)])
def test_a_video_is_turned_as_its_container_says(tmp_path: Path, degrees: int, number: int) -> None:
    """A phone held upright films on its side and says so in a display matrix: nobody in it was found."""
    path = write_video(tmp_path / "phone.mp4", stored(number), turned=(degrees, False))
    picture = record(path).pictures[0]
    assert (picture.width_px, picture.height_px) == (WIDTH_PX, HEIGHT_PX)
    assert shades(picture) == SHADES


def test_a_video_that_says_it_is_mirrored_is_mirrored_back(tmp_path: Path) -> None:
    path = write_video(tmp_path / "selfie.mp4", stored(2), turned=(0, True))
    assert shades(record(path).pictures[0]) == SHADES


@pytest.mark.parametrize(("rotate", "number"), [(90, 6), (180, 3), (270, 8)])
def test_a_camera_is_turned_as_the_file_of_cameras_says(tmp_path: Path, rotate: int, number: int) -> None:
    """A camera mounted upside down or on its side: its faces were searched under meaningless templates."""
    path = write_video(tmp_path / "mounted.mp4", stored(number))
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "1.jpg").write_bytes(simplejpeg.encode_jpeg(stored(number), quality=95))
    for picture in (
        record(path, rotate=rotate).pictures[0],
        *record(folder, source="folder", rotate=rotate).pictures,
    ):
        assert (picture.width_px, picture.height_px) == (WIDTH_PX, HEIGHT_PX)
        assert shades(picture) == SHADES


def test_rotate_comes_after_what_the_source_says(tmp_path: Path) -> None:
    path = write_video(tmp_path / "phone.mp4", stored(6), turned=(-90, False))
    picture = record(path, rotate=180).pictures[0]
    assert shades(picture) == SHADES[::-1]


def test_a_live_camera_is_turned_too() -> None:
    with cameras({"good": MODES["good"]}) as addresses:
        upright = record(addresses["good"], source="rtsp", most=1).pictures[0]
        on_its_side = record(addresses["good"], source="rtsp", most=1, rotate=90).pictures[0]
    assert (upright.width_px, upright.height_px) == (320, 240)
    assert (on_its_side.width_px, on_its_side.height_px) == (240, 320)


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (128, 64)), (Fraction(3, 4), (96, 84))])
def test_pixels_that_are_no_squares_are_made_squares(
    tmp_path: Path, aspect: Fraction, size: tuple[int, int]
) -> None:
    """A recorder's faces were a third too narrow, and a recogniser knows no narrow faces."""
    picture = record(write_video(tmp_path / "recorder.mp4", shown(), aspect=aspect)).pictures[0]
    assert (picture.width_px, picture.height_px) == size
    assert shades(picture) == SHADES

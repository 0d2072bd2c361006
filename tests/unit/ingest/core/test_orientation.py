"""Which way up a picture is shown, whatever said so; and nothing that EXIF may hold does anything else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.exif import jpeg_orientation, png_orientation
from services.ingest.core.orientation import UPRIGHT, Orientation, of_display_matrix, of_exif, of_rotation

# A picture whose corners tell every way up from every other.
SHOWN = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
# As each orientation of EXIF has it stored: what the specification says of rows and columns.
STORED = {
    1: SHOWN,
    2: SHOWN[:, ::-1],
    3: SHOWN[::-1, ::-1],
    4: SHOWN[::-1],
    5: SHOWN.T,
    6: np.rot90(SHOWN, 1),
    7: SHOWN[::-1, ::-1].T,
    8: np.rot90(SHOWN, -1),
}
ONE = 65_536


@pytest.mark.parametrize("number", STORED)
def test_what_exif_says_is_undone(number: int) -> None:
    orientation = of_exif(number)
    stored = STORED[number]
    assert orientation.applied(stored).tolist() == SHOWN.tolist()
    assert orientation.size(stored.shape[1], stored.shape[0]) == (3, 2)


@pytest.mark.parametrize("number", [0, 9, 99, 65_535])
def test_a_number_that_is_no_orientation_changes_nothing(number: int) -> None:
    assert of_exif(number) is UPRIGHT


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_display_matrix_says_the_same(degrees: int, mirrored: bool) -> None:
    """The matrix of a turn clockwise, with libav's own signs, and with a mirror before it."""
    cos, sin = round(math.cos(math.radians(degrees))), round(math.sin(math.radians(degrees)))
    sign = -1 if mirrored else 1
    matrix = [sign * cos * ONE, sign * sin * ONE, 0, -sin * ONE, cos * ONE, 0, 0, 0, 1 << 30]
    assert of_display_matrix(matrix) == Orientation(degrees // 90, mirrored)


@pytest.mark.parametrize(("degrees", "quarters"), [(0, 0), (-90, 1), (90, 3), (180, 2), (-180, 2), (3, 0)])
def test_a_rotation_counter_clockwise_says_it_too(degrees: float, quarters: int) -> None:
    assert of_rotation(degrees) == Orientation(quarters)


def test_a_camera_that_is_turned_besides_is_turned_after_what_its_source_says() -> None:
    assert of_exif(6).then(3) == UPRIGHT
    assert of_exif(2).then(1) == Orientation(1, mirrored=True)
    assert of_exif(8).then(2).quarters == 1


def a_jpeg(tiff: bytes) -> bytes:
    app1 = b"Exif\0\0" + tiff
    return b"\xff\xd8\xff\xe0\x00\x04ab\xff\xe1" + (len(app1) + 2).to_bytes(2, "big") + app1 + b"\xff\xda\x00\x02"


def a_tiff(number: int, *, order: str = "little") -> bytes:
    def word(value: int, length: int) -> bytes:
        return value.to_bytes(length, "little" if order == "little" else "big")

    head = (b"II*\0" if order == "little" else b"MM\0*") + word(8, 4)
    other = word(0x010F, 2) + word(2, 2) + word(4, 4) + b"abc\0"
    entry = word(0x0112, 2) + word(3, 2) + word(1, 4) + word(number, 2) + b"\0\0"
    return head + word(2, 2) + other + entry + word(0, 4)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("number", range(1, 9))
def test_the_orientation_is_found_in_a_jpeg(number: int, order: str) -> None:
    assert jpeg_orientation(a_jpeg(a_tiff(number, order=order))) == of_exif(number)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", a_jpeg(b""), a_jpeg(b"II*\0\xff\xff\xff\xff"), a_jpeg(a_tiff(6)[:-20])]
)
def test_exif_that_is_broken_is_upright(content: bytes) -> None:
    assert jpeg_orientation(content) is UPRIGHT


@given(noise=st.binary(max_size=300), cut=st.integers(0, 60), at=st.integers(0, 60))
def test_no_bytes_do_anything_but_turn(noise: bytes, cut: int, at: int) -> None:
    whole = a_jpeg(a_tiff(6))
    for content in (noise, b"\xff\xd8" + noise, a_jpeg(noise), whole[:at] + noise + whole[at + cut :]):
        assert isinstance(jpeg_orientation(content), Orientation)
        assert isinstance(png_orientation(b"\x89PNG\r\n\x1a\n" + content), Orientation)

"""Photographs as people have them: what a viewer shows is taken, upright and in its colours; the rest is named."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from services.contracts.errors import Permanent
from services.embed.core.photo_wire import WORK_PIXELS
from services.embed.edges.photo_decode import decoded
from tests.photographs import (
    FORMS,
    HEIGHT,
    WIDTH,
    Pixels,
    is_upright,
    png_of_size,
    quarters,
    saved,
    swapped_profile,
    turned,
    with_chunk,
    with_odd_scans,
)

MOST = 210_000_000
PLAIN = saved(quarters(), "JPEG")
# Large enough that half of it is more than a header.
LARGE = quarters(960, 640)


def shown(picture: bytes, max_pixels: int = MOST) -> Pixels:
    return decoded(picture, max_pixels=max_pixels)


def refused(picture: bytes, max_pixels: int = MOST) -> Permanent:
    with pytest.raises(Permanent) as raised:
        decoded(picture, max_pixels=max_pixels)
    return raised.value


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_is_shown_in_whatever_form_it_comes(form: str) -> None:
    """HEIC, AVIF and WebP were `not a JPEG picture`: a phone's album could not be enrolled."""
    pixels = shown(saved(quarters(), form))
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert pixels.dtype == np.uint8
    assert is_upright(pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_picture_is_turned_once_as_its_camera_noted_whatever_its_form(form: str, orientation: int) -> None:
    """A face on its side is not found; HEIC and AVIF say it in two places, and are turned once."""
    pixels = shown(turned(form, orientation))
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert is_upright(pixels)


@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"],
    ids=["beyond its end", "empty", "cut"],
)
def test_a_note_that_cannot_be_read_turns_nothing(exif: bytes) -> None:
    assert is_upright(shown(saved(quarters(), "JPEG", exif=exif)))


def test_an_orientation_that_is_none_turns_nothing() -> None:
    exif = Image.Exif()
    exif[0x0112] = 99
    assert is_upright(shown(saved(quarters(), "JPEG", exif=exif)))


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(saved(quarters(), "JPEG", progressive=True), id="progressive"),
        pytest.param(saved(quarters(), "JPEG", keep_rgb=True), id="rgb"),
        pytest.param(saved(quarters().convert("CMYK"), "JPEG"), id="cmyk"),
        pytest.param(saved(quarters().convert("RGBA"), "PNG"), id="rgba"),
        pytest.param(saved(quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG"), id="palette"),
        pytest.param(saved(quarters().convert("CMYK"), "TIFF"), id="cmyk tiff"),
        pytest.param(saved(quarters().convert("YCbCr"), "TIFF"), id="ycbcr tiff"),
        pytest.param(saved(quarters(), "TIFF", compression="jpeg"), id="jpeg in tiff"),
        pytest.param(saved(quarters(), "TIFF", compression="tiff_lzw"), id="lzw tiff"),
        pytest.param(
            saved(quarters(), "PNG", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))]),
            id="animated png",
        ),
        pytest.param(
            saved(quarters(), "WEBP", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))]),
            id="animated webp",
        ),
        pytest.param(
            saved(quarters(), "GIF", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))]),
            id="animated gif",
        ),
    ],
)
def test_a_picture_is_shown_in_its_colours_however_it_holds_them(picture: bytes) -> None:
    assert is_upright(shown(picture))


def grey(sixteen: bool) -> Image.Image:
    values = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint16), (HEIGHT, 1))
    return Image.fromarray(values * 257) if sixteen else Image.fromarray(values.astype(np.uint8))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG2000"])
def test_sixteen_bits_of_grey_are_shown_as_their_upper_eight(form: str) -> None:
    """Cut at 255 instead, a scan would be white all over."""
    assert np.abs(shown(saved(grey(True), form)).astype(int) - shown(saved(grey(False), "PNG"))).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white_and_not_what_lies_beneath(mode: str) -> None:
    image = quarters().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    made = image.convert("LA") if mode == "LA" else image
    if mode == "P":
        made = Image.new("P", (WIDTH, HEIGHT), 0)
        made.putpalette([10, 20, 30])
    pixels = shown(saved(made, "PNG", **({"transparency": 0} if mode == "P" else {})))
    assert pixels.min() == 255


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_colour_profile_is_followed(form: str) -> None:
    """Phones save in wider colour spaces than sRGB; unread, faces come out pale."""
    pixels = shown(saved(quarters(), form, icc_profile=swapped_profile()))
    blue, green, red = (int(value) for value in pixels[HEIGHT // 4, WIDTH // 4])
    assert green > 150 > red
    assert blue < 90


def test_a_colour_profile_that_is_none_is_passed_over() -> None:
    assert is_upright(shown(saved(quarters(), "PNG", icc_profile=b"no profile")))


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(with_odd_scans(PLAIN), id="odd scan header"),
        pytest.param(PLAIN + bytes(4096), id="zeros behind the end"),
        pytest.param(PLAIN + b"\0\0\0\x1cftypisom" + bytes(range(256)) * 20, id="a film behind the end"),
        pytest.param(PLAIN + PLAIN[: len(PLAIN) // 2], id="half a picture behind the end"),
        pytest.param(PLAIN[:-2], id="no end marker"),
        pytest.param(PLAIN[:-2] + b"\x12\x34\x56\x78" + PLAIN[-2:], id="bytes before the end"),
        pytest.param(saved(quarters(), "PNG") + b"\n", id="png and a line break"),
        pytest.param(saved(quarters(), "PNG") + b"left over of a longer file" * 9, id="png and more"),
        pytest.param(with_chunk(b"tEXt", b"c\0x", checksum=bytes(4)), id="png and a wrong checksum of a text"),
        pytest.param(with_chunk(b"pHYs", bytes(9), checksum=bytes(4)), id="png and a wrong checksum of a size"),
        pytest.param(with_chunk(b"zTXt", b"c\0\0" + zlib.compress(bytes(9_000_000))), id="png and a long text"),
        pytest.param(with_chunk(b"iTXt", b"c\0\1\0\0\0" + zlib.compress(bytes(9_000_000))), id="png and a longer"),
        pytest.param(saved(quarters(), "WEBP") + b"left over", id="webp and more"),
        pytest.param(saved(quarters(), "GIF") + b"left over", id="gif and more"),
    ],
)
def test_an_oddity_that_every_viewer_passes_over_is_no_tear(picture: bytes) -> None:
    """Phones, chats and editors leave such files; they were `torn`, and everybody could see that they are not."""
    assert is_upright(shown(picture))


@pytest.mark.parametrize("form", [form for form in FORMS if form != "MPO"])
def test_a_torn_picture_is_refused_and_named_by_its_form(form: str) -> None:
    """Half a download decodes to grey below, with a face in it or not."""
    whole = saved(LARGE, form)
    why = refused(whole[: len(whole) // 2])
    assert why.reason == "not_a_picture"
    assert {"HEIF": "HEIC", "JPEG2000": "JPEG 2000", "WEBP": "WebP"}.get(form, form) in str(why)
    assert "copy it again" in str(why)


@pytest.mark.parametrize("progressive", [False, True], ids=["sequential", "progressive"])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9"], ids=["cut", "cut and closed"])
@pytest.mark.parametrize("odd", [False, True], ids=["", "odd scan header"])
def test_rows_that_are_missing_are_a_tear_whatever_else_is_odd(progressive: bool, end: bytes, odd: bool) -> None:
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 255, (480, 640, 3)).astype(np.uint8))
    whole = saved(noise, "JPEG", progressive=progressive)
    whole = with_odd_scans(whole) if odd and not progressive else whole
    assert "torn" in str(refused(whole[: int(len(whole) * 0.97)] + end))


@pytest.mark.parametrize("megapixels", [24.5, 48.8])
def test_a_phones_large_photograph_is_taken_and_made_smaller(megapixels: float) -> None:
    """Photos of 24 and 48 megapixels, what phones make today, were `too_large`."""
    scale = (megapixels * 1e6 / 12) ** 0.5
    pixels = shown(saved(quarters(int(4 * scale), int(3 * scale)), "JPEG"))
    height, width = pixels.shape[:2]
    assert 0.9 * WORK_PIXELS < width * height <= WORK_PIXELS
    assert width / height == pytest.approx(4 / 3, rel=0.01)
    assert is_upright(pixels)


def patched(picture: bytes, at: bytes, skip: int, words: bytes) -> bytes:
    """`picture` with the bytes `skip` behind each `at` replaced."""
    out, place = bytearray(picture), picture.find(at)
    assert place >= 0
    while place >= 0:
        out[place + skip : place + skip + len(words)] = words
        place = picture.find(at, place + 1)
    return bytes(out)


BIG = (65_000).to_bytes(4, "big") * 2
BIG_LITTLE = (65_000).to_bytes(4, "little") * 2
BOMBS: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: patched(PLAIN, b"\xff\xc0", 5, (65_000).to_bytes(2, "big") * 2),
    "png": lambda: png_of_size(65_000, 65_000),
    "gif": lambda: patched(saved(quarters(), "GIF"), b"GIF8", 6, (65_000).to_bytes(2, "little") * 2),
    "bmp": lambda: patched(saved(quarters(), "BMP"), b"BM", 18, BIG_LITTLE),
    "webp": lambda: patched(turned("WEBP", 1), b"VP8X", 12, b"\xff\x3f\0\xff\x3f\0"),
    "heic": lambda: patched(saved(quarters(), "HEIF"), b"ispe", 8, BIG),
    "avif": lambda: patched(saved(quarters(), "AVIF"), b"ispe", 8, (32_000).to_bytes(4, "big") * 2),
    "jpeg 2000": lambda: patched(saved(quarters(), "JPEG2000"), b"ihdr", 4, BIG),
}


@pytest.mark.parametrize("form", BOMBS)
def test_a_picture_that_says_it_is_huge_takes_no_room(form: str) -> None:
    """A file of a kilobyte that unpacks to gigabytes ends whoever opens it."""
    assert refused(BOMBS[form]()).reason in ("too_large", "not_a_picture")


def test_a_picture_that_is_too_large_names_the_setting() -> None:
    why = refused(PLAIN, max_pixels=1000)
    assert (why.reason, str(why).count("MAX_PICTURE_MPX")) == ("too_large", 1)
    assert f"{WIDTH} x {HEIGHT}" in str(why)


def tiff(**tags: int) -> bytes:
    made = TiffImagePlugin.ImageFileDirectory_v2()
    for name, value in tags.items():
        made[int(name.removeprefix("tag"))] = value
    return saved(quarters(), "TIFF", tiffinfo=made)


@pytest.mark.parametrize("raw", [tiff(tag254=1), b"II*\0\x10\0\0\0CR\2\0" + bytes(40)], ids=["thumbnail", "cr2"])
def test_a_cameras_raw_file_is_named_and_its_thumbnail_is_not_taken_for_it(raw: bytes) -> None:
    assert "camera's raw picture: export it as JPEG" in str(refused(raw))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "empty"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\0\0\0\x1cftypisom\0\0\2\0isomiso2mp41", "a video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"<svg xmlns='...'>", "an SVG drawing"),
        (b"PK\x03\x04\x14\0", "an archive"),
        (b"8BPS\0\1", "a Photoshop picture"),
        (b"\xff\x0a\xfa\x1f", "a JPEG XL picture"),
        ("Zo\u00eb: my holidays\n".encode(), "text"),
        (bytes(range(1, 60)), "of no kind of picture that is known"),
    ],
    ids=str,
)
def test_what_is_no_picture_is_named_with_what_to_do(content: bytes, named: str) -> None:
    why = str(refused(content))
    assert why.startswith(f"the file is {named}")
    assert len(why.split(": ", 1)[1]) > 10


WHOLE = [saved(quarters(), form) for form in FORMS]


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0, len(FORMS) - 1),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    st.floats(0, 1),
)
def test_whatever_a_stranger_alters_it_is_shown_or_refused(
    form: int, changes: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray(WHOLE[form])
    for place, value in changes:
        content[int(place * (len(content) - 1))] = value
    try:
        pixels = shown(bytes(content[: int(len(content) * max(kept, 0.2))]), max_pixels=4 * WIDTH * HEIGHT)
    except Permanent as why:
        assert why.reason in ("not_a_picture", "too_large")
    else:
        assert pixels.shape[0] * pixels.shape[1] <= 4 * WIDTH * HEIGHT


def test_pictures_of_the_fixture_are_what_they_say() -> None:
    """The fixture itself: read back by nothing of ours."""
    for form in FORMS:
        image = Image.open(io.BytesIO(saved(quarters(), form))).convert("RGB")
        assert is_upright(np.asarray(image)[:, :, ::-1])
        assert not is_upright(np.asarray(image)[:, ::-1, ::-1])

"""What a file is, told by its first bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import picture_kinds as kinds
from services.contracts.picture_kinds import kind_of


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe1\0\x10Exif", kinds.JPEG),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", kinds.PNG),
        (b"RIFF\x10\0\0\0WEBPVP8 ", kinds.WEBP),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", kinds.HEIC),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", kinds.HEIC),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", kinds.AVIF),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", kinds.AVIF),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", kinds.RAW),
        (b"II*\0\x08\0\0\0", kinds.TIFF),
        (b"MM\0*\0\0\0\x08", kinds.TIFF),
        (b"II*\0\x10\0\0\0CR\2\0", kinds.RAW),
        (b"GIF89a", kinds.GIF),
        (b"BM\x36\0\0\0", kinds.BMP),
        (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ", kinds.JPEG_2000),
    ],
    ids=str,
)
def test_a_picture_is_known_by_its_bytes_and_not_by_its_name(head: bytes, kind: kinds.Kind) -> None:
    assert kind_of(head) == kind


@pytest.mark.parametrize(
    ("head", "name", "is_picture"),
    [
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "a video", False),
        (b"RIFF\x10\0\0\0AVI LIST", "a video", False),
        (b"RIFF\x10\0\0\0WAVEfmt ", "a sound", False),
        (b"entry_id: e-1\nsubject_ref: Zo\xc3\xab\n", "text", False),
        (b'\xef\xbb\xbf{"title": "IMG_1.jpg"}', "text", False),
        (b"\xef\xbb\xbf<html><body>", "a web page", False),
        (b"<svg width='5'>", "an SVG drawing", True),
        (b"\0\0\0\0\0\0\0\0", "of no kind of picture that is known", False),
        (b"", "empty", False),
    ],
    ids=str,
)
def test_what_is_not_read_is_named(head: bytes, name: str, is_picture: bool) -> None:
    found = kind_of(head)
    assert (found.name, found.is_picture, found.is_read) == (name, is_picture, False)
    assert found.refusal == f"the file is {name}: {found.advice}"


def test_a_text_that_is_cut_within_a_character_is_text_still() -> None:
    assert kind_of(("x" * 63 + "\u00eb").encode()[:64]).name == "text"


@given(st.binary(max_size=80))
def test_any_bytes_are_of_some_kind(head: bytes) -> None:
    found = kind_of(head)
    assert found.is_read != bool(found.advice)

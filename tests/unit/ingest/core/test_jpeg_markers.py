"""Which JPEGs may go on as they are."""

from __future__ import annotations

import io

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.ingest.core.jpeg_markers import holds_picture_only

PICTURE: bytes = simplejpeg.encode_jpeg(np.zeros((16, 16, 3), np.uint8))
_EXIF = b"\xff\xe1\x00\x10Exif\x00\x00GPS here."


def test_a_plain_picture_goes_on_as_it_is() -> None:
    assert holds_picture_only(PICTURE)


def test_a_picture_that_says_where_it_was_taken_does_not() -> None:
    assert not holds_picture_only(PICTURE[:2] + _EXIF + PICTURE[2:])


def test_a_comment_is_not_part_of_a_picture() -> None:
    assert not holds_picture_only(PICTURE[:2] + b"\xff\xfe\x00\x06name" + PICTURE[2:])


def test_what_is_hidden_behind_the_end_is_not_passed_on() -> None:
    assert not holds_picture_only(PICTURE + b"more")


@pytest.mark.parametrize(
    "hidden",
    [
        _EXIF,
        b"\xff\xfe\x00\x06name",
        b"\xff\xe0\x00\x09JFXX\x00\x13\x00",
        b"\xff\xdb\x00\x06name",
        b"\xff\xdd\x00\x08secret",
        b"\xff\xd8",
    ],
)
@pytest.mark.parametrize("place", ["before the scan", "behind the scan"])
def test_what_is_no_part_of_the_picture_is_found_wherever_it_lies(hidden: bytes, place: str) -> None:
    """EXIF behind the first scan passed as it was: nothing was looked at from there on."""
    at = len(PICTURE) - 2 if place == "behind the scan" else PICTURE.index(b"\xff\xda")
    assert not holds_picture_only(PICTURE[:at] + hidden + PICTURE[at:])


def test_bytes_behind_the_end_are_found_though_an_end_follows_them() -> None:
    assert not holds_picture_only(PICTURE + b"HIDDEN" + b"\xff\xd9")
    assert not holds_picture_only(PICTURE + PICTURE)


def test_the_small_picture_that_a_head_may_hold_is_found() -> None:
    head = b"\xff\xe0\x00\x13JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01abc"
    plain = PICTURE.index(b"\xff\xe0")
    assert not holds_picture_only(PICTURE[:plain] + head + PICTURE[plain + 18 :])


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}, {"restart_marker_rows": 1}])
def test_every_kind_of_plain_picture_goes_on(options: dict[str, object]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG", **options)
    assert holds_picture_only(out.getvalue())


def _where_segments_may_lie() -> list[int]:
    """Where one ends and the next begins, and anywhere in the scan."""
    at, found = 2, [2]
    while PICTURE[at + 1] != 0xDA:
        at += 2 + int.from_bytes(PICTURE[at + 2 : at + 4], "big")
        found.append(at)
    scan = at + 2 + int.from_bytes(PICTURE[at + 2 : at + 4], "big")
    return [*found, *range(scan, len(PICTURE) + 1)]


@given(st.sampled_from(_where_segments_may_lie()), st.binary(min_size=1, max_size=40))
def test_a_segment_put_in_anywhere_never_goes_on(at: int, secret: bytes) -> None:
    segment = b"\xff\xe1" + (len(secret) + 2).to_bytes(2, "big") + secret
    assert not holds_picture_only(PICTURE[:at] + segment + PICTURE[at:])


def test_a_torn_picture_is_not_whole() -> None:
    assert not holds_picture_only(PICTURE[:-20])
    assert not holds_picture_only(b"")
    assert not holds_picture_only(b"\xff\xd8\xff\xd9")

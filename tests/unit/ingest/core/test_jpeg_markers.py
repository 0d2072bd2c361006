"""Which JPEGs may go on as they are."""

from __future__ import annotations

import numpy as np
import simplejpeg

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


def test_a_torn_picture_is_not_whole() -> None:
    assert not holds_picture_only(PICTURE[:-20])
    assert not holds_picture_only(b"")
    assert not holds_picture_only(b"\xff\xd8\xff\xd9")

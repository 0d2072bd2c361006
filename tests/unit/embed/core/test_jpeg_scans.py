"""Scan headers are mended, and nothing else is touched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.embed.core.jpeg_scans import mended
from tests.photographs import quarters, saved, with_odd_scans

PLAIN = saved(quarters(), "JPEG")
END = b"\xff\xd9"


def test_a_zeroed_scan_header_becomes_what_it_was() -> None:
    odd = with_odd_scans(PLAIN)
    assert odd != PLAIN
    assert mended(odd) == PLAIN + END


def test_a_picture_without_oddities_stays_as_it_is_and_gets_an_end() -> None:
    assert mended(PLAIN) == PLAIN + END


def test_the_scans_of_a_progressive_picture_say_which_coefficients_they_have() -> None:
    progressive = saved(quarters(), "JPEG", progressive=True)
    assert mended(progressive) == progressive + END


def test_what_lies_behind_the_end_stays() -> None:
    behind = PLAIN + with_odd_scans(PLAIN)
    assert mended(behind) == behind + END


def test_a_thumbnail_in_a_header_is_no_scan_of_the_picture() -> None:
    thumbnail = with_odd_scans(saved(quarters(), "JPEG", quality=20))
    header = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    assert mended(PLAIN[:2] + header + PLAIN[2:]) == PLAIN[:2] + header + PLAIN[2:] + END


@given(st.binary(max_size=200).map(lambda rest: b"\xff\xd8\xff\xc0" + rest))
def test_any_bytes_keep_their_length(jpeg: bytes) -> None:
    assert len(mended(jpeg)) == len(jpeg) + len(END)


@given(st.integers(0, len(PLAIN)))
def test_a_picture_cut_anywhere_keeps_its_length(at: int) -> None:
    assert len(mended(PLAIN[:at])) == at + len(END)

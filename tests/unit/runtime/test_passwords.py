"""A password stands in a file only as its salted hash."""

from __future__ import annotations

import pytest

from services.runtime.passwords import hashed, matches

PASSWORD = "correct horse"


def test_a_password_is_hashed_with_a_salt_of_its_own() -> None:
    first, second = hashed(PASSWORD), hashed(PASSWORD)
    assert first != second
    assert matches(PASSWORD, first)
    assert matches(PASSWORD, second)
    assert PASSWORD not in first


def test_another_password_does_not_match() -> None:
    assert not matches("wrong", hashed(PASSWORD))


@pytest.mark.parametrize("kept", ["", "scrypt$only", "scrypt$not base64$!!!", PASSWORD])
def test_what_is_no_hash_matches_nothing(kept: str) -> None:
    assert not matches(PASSWORD, kept)

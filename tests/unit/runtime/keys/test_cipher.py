"""What is sealed opens with the same key in the same place, and nowhere else."""

from __future__ import annotations

import secrets

import pytest

from services.contracts.errors import Tampered
from services.runtime.keys.cipher import AesGcm, Key
from services.runtime.keys.derive import derive
from services.runtime.keys.port import OtherKey

KEY = secrets.token_bytes(32)
AAD = b"faces|city|face/1"


def test_what_is_sealed_opens_again() -> None:
    sealed = AesGcm().seal(KEY, b"a picture", AAD)
    assert b"a picture" not in sealed
    assert AesGcm().open(KEY, sealed, AAD) == b"a picture"


def test_the_same_twice_looks_different() -> None:
    assert AesGcm().seal(KEY, b"same", AAD) != AesGcm().seal(KEY, b"same", AAD)


def test_a_key_that_was_used_is_gone_with_its_last_holder() -> None:
    """What the cipher made of it kept it alive, past its deadline and its destruction, for good."""
    gone: list[int] = []

    class Watched(Key):
        def __del__(self) -> None:
            gone.append(1)

    key = Watched(secrets.token_bytes(32))
    sealed = AesGcm().seal(key, b"a picture", AAD)
    assert AesGcm().open(key, sealed, AAD) == b"a picture"
    del key
    assert gone


def test_a_message_moved_to_another_place_is_refused() -> None:
    sealed = AesGcm().seal(KEY, b"a picture", AAD)
    with pytest.raises(Tampered):
        AesGcm().open(KEY, sealed, b"faces|city|face/2")


@pytest.mark.parametrize("position", [8, 20, 25, -1])
def test_one_altered_bit_is_refused(position: int) -> None:
    sealed = bytearray(AesGcm().seal(KEY, b"a picture", AAD))
    sealed[position] ^= 1
    with pytest.raises(Tampered):
        AesGcm().open(KEY, bytes(sealed), AAD)


def test_a_message_under_another_key_is_told_from_a_forged_one() -> None:
    """After the volatile store died, forged and lost messages looked alike: a stopped consumer."""
    sealed = AesGcm().seal(secrets.token_bytes(32), b"a picture", AAD)
    with pytest.raises(OtherKey) as caught:
        AesGcm().open(KEY, sealed, AAD)
    assert caught.value.reason == "key_lost"


@pytest.mark.parametrize("length", [0, 7, 8, 35])
def test_a_message_too_short_to_be_one_is_refused(length: int) -> None:
    with pytest.raises(Tampered):
        AesGcm().open(KEY, AesGcm().seal(KEY, b"", AAD)[:length], AAD)


def test_a_key_of_the_wrong_length_is_a_bug() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        AesGcm().seal(b"short", b"a picture", AAD)


def test_a_derived_key_needs_every_part_and_serves_one_purpose() -> None:
    one, two = secrets.token_bytes(32), secrets.token_bytes(32)
    key = derive(one, two, info="city/frame/7")
    assert len(key) == 32
    others = {derive(two, one, info="city/frame/7"), derive(one, two, info="city/frame/8"), derive(one, info="x")}
    assert key not in others


def test_derivation_is_the_one_of_rfc_5869() -> None:
    """Pinned: a change would make everything sealed before unreadable."""
    assert derive(bytes(32), bytes([1]) * 32, info="city/frame/7").hex() == (
        "a73de84e0a8e1417233d38f53fe586e36f4e101b4b030f714c1090f6ec997613"
    )


def test_parts_of_a_wrong_length_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive(bytes(31), bytes(33), info="x")

"""Signatures on raw keys, by the first vector of RFC 8032, 7.1."""

from __future__ import annotations

import pytest

from services.runtime.keys.ed25519 import Ed25519Signer, verify

SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0"
    "595bbe24655141438e7a100b"
)


def test_it_signs_and_verifies_as_the_rfc_says() -> None:
    signer = Ed25519Signer(SECRET)
    assert signer.public_key == PUBLIC
    assert signer.sign(b"") == SIGNATURE
    assert verify(PUBLIC, SIGNATURE, b"")


@pytest.mark.parametrize(
    ("key", "signature", "message"),
    [(PUBLIC, SIGNATURE, b"x"), (PUBLIC, bytes(64), b""), (PUBLIC, b"short", b""), (b"no key", SIGNATURE, b"")],
)
def test_what_was_not_signed_so_is_refused_without_an_exception(
    key: bytes, signature: bytes, message: bytes
) -> None:
    assert not verify(key, signature, message)


def test_a_signer_shows_no_secret_and_takes_none_of_another_length() -> None:
    assert SECRET.hex() not in repr(Ed25519Signer(SECRET))
    with pytest.raises(ValueError, match="32"):
        Ed25519Signer(b"short")

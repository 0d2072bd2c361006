"""A signing key is read from a file that only its owner may read, and nothing of it is said when it is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from services.contracts.authorisation.signing import SigningKey
from services.contracts.errors import Misconfigured
from services.runtime.signing_key import read_signing_key

SECRET = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SECRET)


def pem(encryption: KeySerializationEncryption | None = None) -> bytes:
    return KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def a_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "key.pem"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_key_of_the_right_kind_is_read(tmp_path: Path) -> None:
    found = read_signing_key(a_file(tmp_path, pem()), variable="KEY_FILE")
    assert found.kid == SigningKey(SECRET).kid


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(Misconfigured, match=r"KEY_FILE: .*chmod 600"):
        read_signing_key(a_file(tmp_path, pem(), mode), variable="KEY_FILE")


@pytest.mark.parametrize(
    "content",
    [b"", b"secret", pem(BestAvailableEncryption(b"password")), KEY.public_key().public_bytes_raw()],
    ids=["nothing", "text", "encrypted", "raw"],
)
def test_what_is_no_key_is_refused_without_a_word_of_it(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Misconfigured, match="no private key in PEM") as raised:
        read_signing_key(a_file(tmp_path, content), variable="KEY_FILE")
    assert raised.value.__cause__ is None
    assert "secret" not in str(raised.value)


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(Misconfigured, match="another kind of key than Ed25519"):
        read_signing_key(a_file(tmp_path, other), variable="KEY_FILE")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"KEY_FILE: .*none.pem cannot be read"):
        read_signing_key(tmp_path / "none.pem", variable="KEY_FILE")

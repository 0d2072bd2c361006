"""Private keys as files: PEM (PKCS#8) that only its owner may read; the root's is sealed with a passphrase."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from console.edges.private_file import write_private
from services.contracts.authorisation.signing import SigningKey
from services.contracts.errors import Misconfigured

_FORMAT = "signpost-sealed-key-1"
# OWASP's first choice: 128 MiB and about half a second for each guess.
_SCRYPT_N = 2**17
_NONCE_BYTES = 12
MIN_PASSPHRASE = 12


def new_secret() -> bytes:
    """The secret of a new Ed25519 key."""
    return secrets.token_bytes(32)


def write_key(path: Path, secret: bytes) -> None:
    """Write an open key, readable by nobody else. Raises Misconfigured if the file is there already."""
    pem = Ed25519PrivateKey.from_private_bytes(secret).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    _write_new(path, pem.decode())


def write_sealed_key(path: Path, secret: bytes, passphrase: str) -> None:
    """Write a key that only its passphrase opens. Blocks for half a second. Raises Misconfigured."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise Misconfigured(f"the passphrase must have at least {MIN_PASSPHRASE} characters")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_derived(passphrase, salt)).encrypt(nonce, secret, _FORMAT.encode())
    parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
    told = {"format": _FORMAT} | {name: base64.b64encode(part).decode() for name, part in parts.items()}
    _write_new(path, json.dumps(told, indent=2) + "\n")


def read_sealed_key(path: Path, passphrase: str) -> SigningKey:
    """The key that the passphrase opens. Blocks for half a second. Raises Misconfigured."""
    try:
        told = json.loads(_read(path))
        salt, nonce, sealed = (base64.b64decode(told[name], validate=True) for name in ("salt", "nonce", "sealed"))
        secret = AESGCM(_derived(passphrase, salt)).decrypt(nonce, sealed, _FORMAT.encode())
    except (ValueError, KeyError, TypeError):
        raise Misconfigured(f"{path}: is no key sealed by `signpost keys root`") from None
    except InvalidTag:
        raise Misconfigured(f"{path}: the passphrase does not open it") from None
    return SigningKey(secret)


def _derived(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=8, p=1).derive(passphrase.encode())


def _write_new(path: Path, text: str) -> None:
    if path.exists():
        raise Misconfigured(f"{path}: is there already; a key is never written over")
    write_private(path, text)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: cannot be read ({type(error).__name__})") from None

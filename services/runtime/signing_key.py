"""A private signing key in a file that nobody but its owner may read."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.contracts.authorisation.signing import SigningKey
from services.contracts.errors import Misconfigured
from services.runtime.keys.ed25519 import Ed25519Signer

# What others may not do with a file of ours; and with one of root's, which is how a platform hands out secrets:
# owned by root, readable by the one process's group.
_NOT_OURS = 0o077
_NOT_ROOTS = 0o037


def read_signing_key(path: Path, *, variable: str) -> SigningKey:
    """An Ed25519 key (PEM, PKCS#8, not encrypted). Raises Misconfigured naming the setting and what to do."""
    return SigningKey(_secret(path, variable))


def read_signer(path: Path, *, variable: str) -> Ed25519Signer:
    """The same key, to sign bytes of the audit chain with. Raises Misconfigured."""
    return Ed25519Signer(_secret(path, variable))


def _secret(path: Path, variable: str) -> bytes:
    try:
        found = path.stat()
        raw = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{variable}: {path} cannot be read ({type(error).__name__})") from error
    handed_out = found.st_uid == 0 and os.geteuid() != 0
    if found.st_mode & (_NOT_ROOTS if handed_out else _NOT_OURS):
        raise Misconfigured(f"{variable}: {path} may be read by others: chmod 600")
    try:
        key = load_pem_private_key(raw, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without its cause: what is wrong with a key may say what the key is.
        raise Misconfigured(f"{variable}: {path} is no private key in PEM, or is encrypted") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{variable}: {path} holds another kind of key than Ed25519")
    return key.private_bytes_raw()

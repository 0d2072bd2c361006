"""Passwords as they stand in a file: salted scrypt."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

# scrypt: 16 MiB and about 50 ms a guess.
_N, _R, _P = 2**14, 8, 1
_SALT_BYTES = 16
_HASH_BYTES = 32
_PREFIX = "scrypt"


def hashed(password: str) -> str:
    """The password as it stands in a file: scrypt$salt$hash. Blocks for about 50 ms."""
    salt = os.urandom(_SALT_BYTES)
    return "$".join((_PREFIX, _text(salt), _text(_scrypt(password, salt))))


def matches(password: str, kept: str) -> bool:
    """Whether `kept` is of this password. Blocks for about 50 ms."""
    try:
        _, salt, wanted = kept.split("$")
        raw_salt, raw_wanted = base64.b64decode(salt, validate=True), base64.b64decode(wanted, validate=True)
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(_scrypt(password, raw_salt), raw_wanted)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=_HASH_BYTES)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

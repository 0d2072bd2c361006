"""AES-256-GCM with random nonces: the one cipher."""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.errors import Tampered
from services.runtime.keys.port import KEY_BYTES, OtherKey

# Ids are deterministic, so a nonce from an id would repeat. Random 96-bit nonces are safe for 2^32
# messages a key; the busiest key lives for seconds.
_NONCE_BYTES = 12
_MARK_BYTES = 8
_TAG_BYTES = 16
_HEAD_BYTES = _MARK_BYTES + _NONCE_BYTES


class Key(bytes):
    """A key with what the cipher has made of it, which is kept as long as the key is: by whoever keeps the key."""

    def __new__(cls, key: bytes) -> Key:
        """Raises ValueError for a key that is not 32 bytes long."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        return super().__new__(cls, key)

    @cached_property
    def aead(self) -> AESGCM:
        # Of a copy: it keeps what it is given, and a key that it kept alive would keep it alive, for good.
        return AESGCM(bytes(self))

    @cached_property
    def mark(self) -> bytes:
        """Tells keys apart, and nothing about them."""
        return hmac.digest(self, b"signpost key mark", hashlib.sha256)[:_MARK_BYTES]


class AesGcm:
    """Sealed = mark of the key (8) ‖ nonce (12) ‖ ciphertext and tag.

    The mark tells a message under a lost key (minted anew after its Redis died) from a forged one:
    the first is a counted loss, the second an alarm.
    """

    def seal(self, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Raises ValueError for a key that is not 32 bytes long."""
        known, nonce = _known(key), os.urandom(_NONCE_BYTES)
        return b"".join((known.mark, nonce, known.aead.encrypt(nonce, plaintext, aad)))

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Raises OtherKey, Tampered; ValueError for a key that is not 32 bytes long."""
        if len(sealed) < _HEAD_BYTES + _TAG_BYTES:
            raise Tampered("shorter than anything sealed")
        known = _known(key)
        if not hmac.compare_digest(sealed[:_MARK_BYTES], known.mark):
            raise OtherKey
        # A view: a frame is not copied to be opened.
        ciphertext = memoryview(sealed)[_HEAD_BYTES:]
        try:
            return known.aead.decrypt(sealed[_MARK_BYTES:_HEAD_BYTES], ciphertext, aad)
        except InvalidTag:
            raise Tampered("altered, or moved from another place") from None


def _known(key: bytes) -> Key:
    return key if isinstance(key, Key) else Key(key)

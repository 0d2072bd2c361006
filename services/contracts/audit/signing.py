"""What is signed and how its bytes are laid out; the curve itself is at the edges, behind two small ports.

Every signature is Ed25519 over `framed(context, ...)`: each part behind its length, the context first, so that
what was signed as one thing never passes for another.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Protocol

REQUEST = b"signpost-audit-request-1"
HEAD = b"signpost-audit-head-1"
ENTERED = b"signpost-audit-entered-1"
TERM = b"signpost-audit-term-1"

KEY_BYTES = 32
SIGNATURE_BYTES = 64


class Signer(Protocol):
    """One Ed25519 private key. Does not block on anything but arithmetic, unless it stands in a KMS."""

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes of the public half."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes; the same for the same message (RFC 8032), so that a repeat is the same bytes."""


class Verify(Protocol):
    """Ed25519 verification of raw keys and signatures. False, never an exception, for what does not verify."""

    def __call__(self, public_key: bytes, signature: bytes, message: bytes) -> bool: ...


def fingerprint(public_key: bytes) -> str:
    """How a key is named: its RFC 7638 thumbprint, as everywhere else in Signpost: one root, one fingerprint."""
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{_base64url(public_key)}"}}'
    return _base64url(hashlib.sha256(jwk.encode()).digest())


def framed(*parts: bytes) -> bytes:
    """The parts one after the other, each behind its length in 4 bytes (big-endian)."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def number(value: int) -> bytes:
    """A count, size or time in microseconds as 8 bytes, big-endian."""
    return value.to_bytes(8, "big")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

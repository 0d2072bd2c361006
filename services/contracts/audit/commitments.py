"""People and subjects in the chain: salted commitments. Without its salt one says nothing about anybody.

The salts are kept elsewhere (a key store), one a person and chain; erasing the salt makes the chain silent about
the person while every hash and signature in it still holds.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NewType

from services.contracts.events import require

Commitment = NewType("Commitment", bytes)

NOBODY = Commitment(b"")
COMMITMENT_BYTES = 32
SALT_BYTES = 32
_CONTEXT = b"signpost-audit-commitment-1\x00"


def commit(salt: bytes, value: str) -> Commitment:
    """HMAC-SHA-256 under the salt, secret and random, for names have little entropy. Invalid unless 32 bytes."""
    require(len(salt) == SALT_BYTES, "a commitment's salt has 32 bytes")
    require(bool(value), "a commitment is to something")
    return Commitment(hmac.new(salt, _CONTEXT + value.encode(), hashlib.sha256).digest())


def opens(commitment: Commitment, salt: bytes, value: str) -> bool:
    """Whether `commitment` is to `value` under `salt`; takes the same time either way."""
    return hmac.compare_digest(commitment, commit(salt, value))


def require_commitment(commitment: Commitment, name: str) -> None:
    """Raises Invalid unless it is NOBODY or has a commitment's length: no name fits in by mistake."""
    require(len(commitment) in (0, COMMITMENT_BYTES), f"{name} is a commitment of 32 bytes, or empty")

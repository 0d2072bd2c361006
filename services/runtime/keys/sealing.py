"""Seal and open under a key of the ring, in the one right order."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.contracts.keyspec import KeySpec
from services.runtime.keys.port import Cipher, OtherKey
from services.runtime.keys.ring import Expired, Found, Keyring, Lost


@dataclass(frozen=True)
class Opened:
    """The key was there and the message is what its writer sealed."""

    plaintext: bytes = field(repr=False)


def seal(ring: Keyring, cipher: Cipher, spec: KeySpec, plaintext: bytes, *, aad: bytes) -> bytes:
    """Raises DeadlinePassed, and Transient with the stores."""
    return cipher.seal(ring.mint(spec), plaintext, aad)


def unseal(ring: Keyring, cipher: Cipher, spec: KeySpec, sealed: bytes, *, aad: bytes) -> Opened | Expired | Lost:
    """Raises Tampered, and Transient with the stores.

    A key in hand may have been replaced since (its store died and a writer minted anew): the store
    is asked once more before the message counts as lost.
    """
    answer = ring.find(spec)
    if not isinstance(answer, Found):
        return answer
    try:
        return Opened(cipher.open(answer.key, sealed, aad))
    except OtherKey:
        ring.forget([spec])
    again = ring.find(spec)
    if not isinstance(again, Found):
        return again
    try:
        return Opened(cipher.open(again.key, sealed, aad))
    except OtherKey:
        return Lost(spec.parts[0].where)

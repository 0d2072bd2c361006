"""The two ports of this package: a store of keys that expire, and a cipher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.contracts.errors import Permanent

KEY_BYTES = 32


class DeadlinePassed(Permanent):
    """A key was asked for whose deadline has passed: a normal outcome, counted as expired."""

    def __init__(self) -> None:
        super().__init__("expired", "the deadline of the key has passed")


class OtherKey(Permanent):
    """Sealed under another key of the same id: the store lost that one and a new one was minted."""

    def __init__(self) -> None:
        super().__init__("key_lost", "sealed under a key that is no longer there")


class KeyStore(Protocol):
    """32-byte random keys by id, each with a deadline that the store itself enforces.

    Every method may block on the store and raises Transient if it does not answer. Any thread, any
    number of processes at once.
    """

    def get(self, key_id: str) -> bytes | None:
        """The key; None if it is not there (destroyed or expired)."""
        ...

    def get_many(self, key_ids: Sequence[str]) -> dict[str, bytes]:
        """Those of these keys that are there, in one round trip where the store has those."""
        ...

    def get_or_create(self, key_id: str, *, expires_at: datetime) -> bytes:
        """The key, minted if it is not there. The first writer wins, key and deadline; all read it back.

        Raises DeadlinePassed if `expires_at` is not in the future.
        """
        ...

    def get_or_create_many(self, wanted: Mapping[str, datetime]) -> dict[str, bytes]:
        """As `get_or_create` for each id and its deadline, in one round trip where the store has those.

        An id whose deadline is not in the future is left out.
        """
        ...

    def destroy(self, *key_ids: str) -> int:
        """Destroy these keys; how many were there. Nothing can read them from the store on return."""
        ...

    def lives_s(self, prefix: str) -> list[float]:
        """Of every key whose id begins with `prefix`: how long it still lives, in seconds."""
        ...

    def destroy_prefix(self, prefix: str) -> int:
        """Destroy every key whose id begins with `prefix`; how many were there."""
        ...


class Cipher(Protocol):
    """Authenticated encryption under a 32-byte key. Any thread; never blocks."""

    def seal(self, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Ciphertext that only opens with the same `key` and `aad`."""
        ...

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext. Raises OtherKey if it was sealed under another key, Tampered if it was
        altered or moved (another `aad`)."""
        ...

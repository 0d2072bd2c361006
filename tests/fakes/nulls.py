"""A cipher that hides nothing, a key ring of one key, an authority that allows all: what to measure against.

There is nothing like them outside tests/ (tests/architecture/test_no_null.py), and no setting that leads here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.contracts.authorisation.refusals import Refusal
from services.contracts.keyspec import KeySpec
from services.runtime.keys.port import KEY_BYTES
from services.runtime.keys.ring import Expired, Found, Keyring, Lost

NULL_KEY = bytes(KEY_BYTES)


class NullCipher:
    """`Cipher` that leaves everything as it is."""

    def seal(self, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
        return plaintext

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        return sealed


class NullRing(Keyring):
    """Every key is there, is the same one, and asks no store."""

    def mint(self, spec: KeySpec) -> bytes:
        return NULL_KEY

    def mint_once(self, specs: Sequence[KeySpec]) -> dict[str, bytes]:
        return {spec.id: NULL_KEY for spec in specs}

    def find(self, spec: KeySpec) -> Found | Expired | Lost:
        return Found(NULL_KEY)

    def find_once(self, specs: Sequence[KeySpec]) -> dict[str, Found | Expired | Lost]:
        return {spec.id: Found(NULL_KEY) for spec in specs}

    def destroy(self, specs: Sequence[KeySpec]) -> int:
        return len(specs)

    def forget(self, specs: Sequence[KeySpec]) -> None:
        pass


class NullStanding:
    """`Standing` that refuses nothing."""

    def standing(self) -> Refusal | None:
        return None

    def refusal(self, camera: str, /, *, deployment: str, at: datetime) -> Refusal | None:
        return None

    def refusal_of_alert(
        self,
        *,
        deployment: str,
        camera: str,
        captured_at: datetime,
        searched_at: datetime,
        list_digest: str,
        tokens: frozenset[str],
    ) -> Refusal | None:
        return None

    def revoked(self, list_digest: str, /) -> frozenset[str]:
        return frozenset()

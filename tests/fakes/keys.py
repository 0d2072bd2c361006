"""A key store in memory, whose deadlines follow a clock."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.contracts.errors import Transient
from services.runtime.clock import Clock
from services.runtime.keys.port import KEY_BYTES, DeadlinePassed


class FakeKeys:
    """`KeyStore` kept to the port by tests/contracts/key_store.py. One thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keys: dict[str, tuple[bytes, datetime]] = {}
        self.away = False
        """Set it, and every call raises Transient, as a store does that does not answer."""
        self.reads = 0
        """Calls of `get` and `get_many`: round trips."""

    def get(self, key_id: str) -> bytes | None:
        self.reads += 1
        self._answer()
        return self._live(key_id)

    def get_many(self, key_ids: Sequence[str]) -> dict[str, bytes]:
        self.reads += 1
        self._answer()
        found = {key_id: self._live(key_id) for key_id in key_ids}
        return {key_id: key for key_id, key in found.items() if key is not None}

    def get_or_create(self, key_id: str, *, expires_at: datetime) -> bytes:
        self._answer()
        if expires_at <= self._clock.now():
            raise DeadlinePassed
        found = self._live(key_id)
        if found is None:
            found = secrets.token_bytes(KEY_BYTES)
            self._keys[key_id] = (found, expires_at)
        return found

    def get_or_create_many(self, wanted: Mapping[str, datetime]) -> dict[str, bytes]:
        self._answer()
        live = {key_id: end for key_id, end in wanted.items() if end > self._clock.now()}
        return {key_id: self.get_or_create(key_id, expires_at=end) for key_id, end in live.items()}

    def put(self, key_id: str, key: bytes, *, expires_at: datetime) -> None:
        """A key that a test knows, unless there is one."""
        self._keys.setdefault(key_id, (key, expires_at))

    def destroy(self, *key_ids: str) -> int:
        self._answer()
        live = {key_id for key_id in key_ids if self._live(key_id) is not None}
        for key_id in live:
            del self._keys[key_id]
        return len(live)

    def lives_s(self, prefix: str) -> list[float]:
        self._answer()
        ends = [end for key_id, (_, end) in self._keys.items() if key_id.startswith(prefix)]
        left = [(end - self._clock.now()).total_seconds() for end in ends]
        return [one for one in left if one > 0]

    def destroy_prefix(self, prefix: str) -> int:
        return self.destroy(*[key_id for key_id in self._keys if key_id.startswith(prefix)])

    def lose_all(self) -> None:
        """What a volatile store does when it dies."""
        self._keys.clear()

    def _answer(self) -> None:
        if self.away:
            raise Transient("the fake store is away")

    def _live(self, key_id: str) -> bytes | None:
        held = self._keys.get(key_id)
        return held[0] if held and self._clock.now() < held[1] else None

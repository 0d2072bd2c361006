"""Keys in the Redis that never persists: for seconds and minutes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import redis

from services.runtime.clock import Clock
from services.runtime.keys.port import KEY_BYTES, DeadlinePassed
from services.runtime.redis_client import as_transient

_WHAT = "reading keys"
_GLOB = re.compile(r"([*?\[\]\\^])")
_SCAN_COUNT = 1000
# As long as the buffer in which the server reads commands, with the command around it.
_BUFFER_BYTES = 16 * 1024 - 64


class VolatileKeys:
    """`KeyStore` on Redis; deadlines are Redis' own TTLs. The server must have passed `check_volatile`.

    A deleted value is gone from every answer at once, and from memory where the server writes over what it frees
    (docs/operations.md); what the server has read last is written over at `scrub`.
    """

    def __init__(self, client: redis.Redis, clock: Clock, *, namespace: str = "key:") -> None:
        self._client = client
        self._clock = clock
        self._namespace = namespace

    def get(self, key_id: str) -> bytes | None:
        with as_transient(_WHAT):
            found = self._client.get(self._name(key_id))
        return found if isinstance(found, bytes) else None

    def get_many(self, key_ids: Sequence[str]) -> dict[str, bytes]:
        if not key_ids:
            return {}
        with as_transient(_WHAT):
            found = self._client.mget([self._name(key_id) for key_id in key_ids])
        return {key_id: key for key_id, key in zip(key_ids, found, strict=True) if isinstance(key, bytes)}

    def get_or_create(self, key_id: str, *, expires_at: datetime) -> bytes:
        if expires_at <= self._clock.now():
            raise DeadlinePassed
        fresh = secrets.token_bytes(KEY_BYTES)
        with as_transient(_WHAT):
            # NX with GET (Redis 7.0): answers what is there, or nothing if ours was taken.
            already = self._client.set(self._name(key_id), fresh, nx=True, get=True, pxat=expires_at)
        return already if isinstance(already, bytes) else fresh

    def get_or_create_many(self, wanted: Mapping[str, datetime]) -> dict[str, bytes]:
        now = self._clock.now()
        fresh = {key_id: secrets.token_bytes(KEY_BYTES) for key_id, end in wanted.items() if end > now}
        with as_transient(_WHAT), self._client.pipeline(transaction=False) as pipe:
            for key_id, key in fresh.items():
                pipe.set(self._name(key_id), key, nx=True, get=True, pxat=wanted[key_id])
            # Raised here: what a pipeline raises by itself repeats the command, and so the key.
            answers = pipe.execute(raise_on_error=False)
            for failed in (one for one in answers if isinstance(one, Exception)):
                raise failed
        already = {key_id: one for key_id, one in zip(fresh, answers, strict=True) if isinstance(one, bytes)}
        return fresh | already

    def destroy(self, *key_ids: str) -> int:
        if not key_ids:
            return 0
        # DEL, not UNLINK: on return the value is freed, not queued to be.
        with as_transient(_WHAT):
            return int(self._client.delete(*(self._name(key_id) for key_id in key_ids)))

    def lives_s(self, prefix: str) -> list[float]:
        with as_transient(_WHAT), self._client.pipeline(transaction=False) as pipe:
            for name in {name for names in self._scan(prefix) for name in names}:
                pipe.pttl(name)
            # Negative for what has gone meanwhile.
            return [left_ms / 1000 for left_ms in pipe.execute() if left_ms >= 0]

    def destroy_prefix(self, prefix: str) -> int:
        with as_transient(_WHAT):
            return sum(int(self._client.delete(*names)) for names in self._scan(prefix))

    def scrub(self) -> None:
        """Have the server write over the buffer in which it has read commands, keys among them."""
        with as_transient("scrubbing"):
            self._client.echo(bytes(_BUFFER_BYTES))

    def _scan(self, prefix: str) -> Iterator[list[bytes | str]]:
        pattern = _GLOB.sub(r"\\\1", self._name(prefix)) + "*"
        cursor = 0
        while True:
            cursor, names = self._client.scan(cursor, match=pattern, count=_SCAN_COUNT)
            if names:
                yield names
            if cursor == 0:
                return

    def _name(self, key_id: str) -> str:
        return self._namespace + key_id

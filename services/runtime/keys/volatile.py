"""Keys in the Redis that never persists: for seconds and minutes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeGuard

import redis

from services.contracts.errors import Transient
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

    Somebody else may have written there: what is no key is as if it were not there, and is written over where one
    is made. Another key in a key's place opens nothing that was sealed under the first: the cipher finds that.
    """

    def __init__(self, client: redis.Redis, clock: Clock, *, namespace: str = "key:") -> None:
        self._client = client
        self._clock = clock
        self._namespace = namespace

    def get(self, key_id: str) -> bytes | None:
        return self.get_many([key_id]).get(key_id)

    def get_many(self, key_ids: Sequence[str]) -> dict[str, bytes]:
        if not key_ids:
            return {}
        with as_transient(_WHAT):
            found = self._client.mget([self._name(key_id) for key_id in key_ids])
        return {key_id: key for key_id, key in zip(key_ids, found, strict=True) if _is_key(key)}

    def get_or_create(self, key_id: str, *, expires_at: datetime) -> bytes:
        if expires_at <= self._clock.now():
            raise DeadlinePassed
        found = self.get_or_create_many({key_id: expires_at}).get(key_id)
        if found is None:
            raise DeadlinePassed
        return found

    def get_or_create_many(self, wanted: Mapping[str, datetime]) -> dict[str, bytes]:
        now = self._clock.now()
        ends = {key_id: end for key_id, end in wanted.items() if end > now}
        made, foreign = self._made(ends)
        if foreign:
            with as_transient(_WHAT):
                self._client.delete(*(self._name(key_id) for key_id in foreign))
            again, foreign = self._made({key_id: ends[key_id] for key_id in foreign})
            made |= again
        if foreign:
            raise Transient(f"{_WHAT}: somebody else writes where keys of ours belong")
        return made

    def _made(self, ends: Mapping[str, datetime]) -> tuple[dict[str, bytes], list[str]]:
        """A key for each, found or made; and the ids where something lies that is none."""
        fresh = {key_id: secrets.token_bytes(KEY_BYTES) for key_id in ends}
        with as_transient(_WHAT), self._client.pipeline(transaction=False) as pipe:
            for key_id, key in fresh.items():
                # NX with GET (Redis 7.0): answers what is there, or nothing if ours was taken.
                pipe.set(self._name(key_id), key, nx=True, get=True, pxat=ends[key_id])
            # Raised here: what a pipeline raises by itself repeats the command, and so the key.
            answers = pipe.execute(raise_on_error=False)
            for failed in (one for one in answers if isinstance(one, Exception) and not _of_another_type(one)):
                raise failed
        found = dict(zip(fresh, answers, strict=True))
        made = {
            key_id: fresh[key_id] if one is None else one
            for key_id, one in found.items()
            if one is None or _is_key(one)
        }
        return made, [key_id for key_id in found if key_id not in made]

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


def _is_key(found: object) -> TypeGuard[bytes]:
    return isinstance(found, bytes) and len(found) == KEY_BYTES


def _of_another_type(failed: Exception) -> bool:
    return isinstance(failed, redis.ResponseError) and str(failed).startswith("WRONGTYPE")

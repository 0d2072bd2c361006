"""Camera leases in the volatile Redis.

A lease's number fences its frames: it is in every frame id, so it must never repeat and never go back, and the
volatile Redis may come back empty. So a number is not just the next one but also at least the server's clock in
milliseconds: after a loss the counter goes on where the clock stands, far above all that was granted (one lease
a millisecond would have to be taken to outrun it). A holder gives its own highest number as well, which covers
a clock that was set back.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime

import redis

from services.ingest.ports import Lease
from services.runtime.redis_client import as_transient

_WHAT = "leasing cameras"
# What is known of a camera outlives its lease by so long; after that the clock alone keeps numbers rising.
_MEMORY_MS = 7 * 24 * 3600 * 1000
# A number further ahead of the clock than this was written by somebody else: a lease a millisecond for a year.
_AHEAD_MS = 366 * 24 * 3600 * 1000
# Up to the year 5138, as milliseconds.
_MS = re.compile(rb"[0-9]{1,14}")

# KEYS: lease, memory of the camera. ARGV: holder, TTL ms, number to exceed, memory ms, how far ahead it may be.
_ACQUIRE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
-- Somebody else may have written there. What is no number, or lies far ahead of the clock, is none of ours.
if redis.call('TYPE', KEYS[2]).ok ~= 'hash' then redis.call('DEL', KEYS[2]) end
local before = tonumber(redis.call('HGET', KEYS[2], 'number') or '0') or 0
if not (before >= 0 and before < now_ms + tonumber(ARGV[5])) then before = 0 end
local number = math.max(before + 1, tonumber(ARGV[3]) + 1, now_ms)
local text = string.format('%.0f', number)
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. text, 'PX', ARGV[2])
local found = redis.call('HMGET', KEYS[2], 'last_frame_ms', 'finished', 'position_ms', 'taken_ms')
redis.call('HSET', KEYS[2], 'number', text, 'taken_ms', string.format('%.0f', now_ms))
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {text, found[1] or '', found[2] or '', found[3] or '', found[4] or ''}
"""

# ARGV: holder and number, TTL ms, memory ms, then name and value of what to remember.
_RENEW = """
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if redis.call('TYPE', KEYS[2]).ok ~= 'hash' then redis.call('DEL', KEYS[2]) end
for at = 4, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
"""

# Who gives a camera up of its own will leaves a source that may be played again, and nothing unsaid.
_RELEASE = """
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('TYPE', KEYS[2]).ok ~= 'hash' then redis.call('DEL', KEYS[2]) end
redis.call('HDEL', KEYS[2], 'finished', 'position_ms', 'taken_ms')
return redis.call('DEL', KEYS[1])
"""


class RedisLeases:
    """`Leases` of one deployment, held in the name of one process."""

    def __init__(self, client: redis.Redis, *, deployment: str, holder: str, ttl_s: float) -> None:
        self._client = client
        self._deployment = deployment
        self._holder = holder
        self._ttl_ms = int(ttl_s * 1000)
        self._acquire = client.register_script(_ACQUIRE)
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    def acquire(self, camera: str, *, above: int = 0) -> Lease | None:
        with as_transient(_WHAT):
            found = self._acquire(
                keys=self._names(camera), args=[self._holder, self._ttl_ms, above, _MEMORY_MS, _AHEAD_MS]
            )
        if found is None:
            return None
        number, last_frame_ms, finished, position_ms, taken_ms = found
        return Lease(
            camera,
            int(number),
            _time(last_frame_ms),
            finished=bool(finished),
            position_s=None if (at_ms := _ms(position_ms)) is None else at_ms / 1000,
            lost_holder_from=_time(taken_ms),
        )

    def renew(self, held: Collection[Lease]) -> set[str]:
        if not held:
            return set()
        with as_transient(_WHAT), self._client.pipeline(transaction=False) as pipe:
            for lease in held:
                arguments = [self._claim(lease), self._ttl_ms, _MEMORY_MS, *_remembered(lease)]
                self._renew(keys=self._names(lease.camera), args=arguments, client=pipe)
            answers = pipe.execute()
        return {lease.camera for lease, ours in zip(held, answers, strict=True) if ours}

    def release(self, lease: Lease) -> None:
        with as_transient(_WHAT):
            self._release(keys=self._names(lease.camera), args=[self._claim(lease)])

    def _claim(self, lease: Lease) -> str:
        return f"{self._holder} {lease.number}"

    def _names(self, camera: str) -> list[str]:
        """The lease and what outlives it; the braces keep both on one shard of a cluster."""
        home = f"{{{self._deployment}:{camera}}}"
        return [f"lease:{home}", f"lease-memory:{home}"]


def _ms(text: bytes | str) -> int | None:
    """None for nothing, and for what is no time of ours: somebody else may have written it."""
    raw = text if isinstance(text, bytes) else text.encode()
    return int(raw) if _MS.fullmatch(raw) else None


def _time(text: bytes | str) -> datetime | None:
    ms = _ms(text)
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


def _remembered(lease: Lease) -> list[str | int]:
    """Names and values of what the next holder should know."""
    known: list[str | int] = []
    if lease.last_frame_at is not None:
        known += ["last_frame_ms", int(lease.last_frame_at.timestamp() * 1000)]
    if lease.position_s is not None:
        known += ["position_ms", int(lease.position_s * 1000)]
    if lease.finished:
        known += ["finished", 1]
    return known

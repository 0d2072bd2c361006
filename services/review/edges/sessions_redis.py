"""Sign-ins in the durable Redis, so that every instance knows them."""

from __future__ import annotations

import hashlib
from datetime import datetime

import redis.asyncio

from services.review.edges.plan import Names, ms
from services.runtime.redis_client import as_transient

_WHAT = "sessions"


class RedisSessions:
    """`SessionStore`. Event loop."""

    def __init__(self, client: redis.asyncio.Redis, names: Names) -> None:
        self._client = client
        self._names = names

    async def put(self, token_hash: str, user: str, *, until: datetime) -> None:
        with as_transient(_WHAT):
            await self._client.set(self._names.session(token_hash), user, pxat=ms(until))

    async def user(self, token_hash: str) -> str | None:
        with as_transient(_WHAT):
            found = await self._client.get(self._names.session(token_hash))
        return found.decode() if isinstance(found, bytes) else found

    async def remove(self, token_hash: str) -> None:
        with as_transient(_WHAT):
            await self._client.delete(self._names.session(token_hash))

    async def failures(self, user: str) -> int:
        with as_transient(_WHAT):
            return int(await self._client.get(self._failures(user)) or 0)

    async def failed(self, user: str, *, remember_s: int) -> None:
        name = self._failures(user)
        with as_transient(_WHAT):
            # In one step: a count whose deadline was not set would shut its user out for ever.
            async with self._client.pipeline(transaction=True) as pipe:
                # Queued in the pipe, which is what is awaited.
                _ = pipe.set(name, 0, nx=True, ex=remember_s)
                _ = pipe.incr(name)
                await pipe.execute()

    def _failures(self, user: str) -> str:
        return self._names.failures(hashlib.sha256(user.encode()).hexdigest())

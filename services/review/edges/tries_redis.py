"""Tries to sign in, counted in the durable Redis, so that every instance counts the same.

These are limits and nothing more: who can write to that Redis can set them back, and is no nearer to a password.
"""

from __future__ import annotations

from pathlib import Path

import redis.asyncio

from services.review.core.signing_in import Try
from services.review.edges.plan import Names
from services.runtime.redis_client import as_transient

_WHAT = "sign-ins"
_SCRIPT = (Path(__file__).parent / "lua" / "try_sign_in.lua").read_text("utf-8")
# A place where somebody was signed in is known for so long.
_KNOWN_S = 30 * 24 * 3600


class RedisTries:
    """`Tries`. Event loop."""

    def __init__(self, client: redis.asyncio.Redis, names: Names) -> None:
        self._client = client
        self._names = names
        self._script = client.register_script(_SCRIPT)

    async def count(self, tried: Try) -> float:
        counts = [*((one, 0) for one in tried.always), *((one, 1) for one in tried.where_new)]
        words: list[int] = []
        for one, where_new in counts:
            words += [one.limit.at_once, int(one.limit.every_s * 1000), where_new]
        keys = [self._names.tries(tried.place), *(self._names.tries(one.name) for one, _ in counts)]
        with as_transient(_WHAT):
            return int(await self._script(keys=keys, args=words)) / 1000

    async def succeeded(self, tried: Try) -> None:
        with as_transient(_WHAT):
            async with self._client.pipeline(transaction=True) as pipe:
                # Only queued here; `execute` is what is awaited.
                _ = pipe.set(self._names.tries(tried.place), 1, ex=_KNOWN_S)
                for one in tried.mine():
                    _ = pipe.delete(self._names.tries(one.name))
                await pipe.execute()

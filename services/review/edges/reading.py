"""Reads values whatever others have put in their place."""

from __future__ import annotations

from collections.abc import Sequence

import redis
import redis.asyncio


def values(client: redis.Redis, names: Sequence[str]) -> list[object]:
    """What lies under each name, in one round trip: its bytes, None, or an error where it is of another type.

    An error is for `Vault.open` to refuse, as any other value that is not ours. Raises redis' own errors.
    """
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.get(name)
        return _answers(pipe.execute(raise_on_error=False))


async def values_async(client: redis.asyncio.Redis, names: Sequence[str]) -> list[object]:
    """As `values`, for an event loop."""
    async with client.pipeline(transaction=False) as pipe:
        for name in names:
            # Queued in the pipe, which is what is awaited.
            _queued = pipe.get(name)
        return _answers(await pipe.execute(raise_on_error=False))


def _answers(found: Sequence[object]) -> list[object]:
    for one in found:
        if isinstance(one, Exception) and not str(one).startswith("WRONGTYPE"):
            raise one
    return list(found)

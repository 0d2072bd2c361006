"""Refused sign-ins, as Redis counts them."""

from __future__ import annotations

import asyncio

import redis
from pydantic import SecretStr

from services.runtime.redis_client import connect_async
from tests.integration.review.rig import Rig


def test_refused_sign_ins_are_counted_and_always_forgotten_again(rig: Rig, redis_durable: str) -> None:
    async def refused_thrice() -> int:
        client = connect_async(SecretStr(redis_durable), client_name="test-sessions")
        sessions = rig.sessions(client)
        for _ in range(3):
            await sessions.failed("mallory", remember_s=300)
        found = await sessions.failures("mallory")
        await client.aclose()
        return found

    assert asyncio.run(refused_thrice()) == 3
    with redis.Redis.from_url(redis_durable) as client:
        (name,) = client.keys("*failures*")
        assert b"mallory" not in name
        assert 0 < client.ttl(name) <= 300, "counted once at its first, not pushed on by each"

"""Tickets in a real Redis, by two instances."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import redis
from pydantic import SecretStr

from services.contracts import keys
from services.contracts.ids import DeploymentId
from services.review.core.tickets import Ticket
from services.review.edges.plan import Names
from services.review.edges.tickets_redis import RedisTickets
from services.review.edges.vault import Vault
from services.review.web.tickets import Tickets
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.ring import Keyring
from services.runtime.redis_client import connect_async
from tests.builders import an_authority_of
from tests.contracts.tickets import Open, TicketsContract
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys
from tests.integration.review.rig import DOCUMENT, a_clock

DEPLOYMENT = DeploymentId("oxford-street-1")
AUTHORITY = an_authority_of(DOCUMENT)


def _opened(url: str) -> Open:
    @asynccontextmanager
    async def real(clock: ManualClock) -> AsyncIterator[Tickets]:
        client = connect_async(SecretStr(url), client_name="test-tickets")
        store, named = FakeKeys(clock), keys.review_store(AUTHORITY)
        store.put(named.id, bytes(range(32)), expires_at=named.expires_at)
        ring = Keyring(FakeKeys(clock), store, clock)
        vault = Vault(AUTHORITY, ring, AesGcm(), clock, refused=lambda kind: None)
        yield RedisTickets(client, Names(DEPLOYMENT), vault, clock)
        await client.aclose()

    return real


class TestRedisTickets(TicketsContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return a_clock()

    @pytest.fixture
    def opened(self, redis_durable: str) -> Open:
        return _opened(redis_durable)


def test_another_instance_redeems_and_redis_knows_neither_token_nor_session(redis_durable: str) -> None:
    clock = a_clock()
    until = (clock.now() + timedelta(seconds=60)).replace(microsecond=0)
    ticket = Ticket(case="case-1", fence=3, picture="probe/0", expires_at=until)
    opened = _opened(redis_durable)

    async def across() -> None:
        async with opened(clock) as one, opened(clock) as other:
            token, kept = await one.issue("session-of-ann", [ticket, ticket])
            assert await other.redeem("session-of-ann", token) == ticket
            with redis.Redis.from_url(redis_durable) as client:
                (name,) = client.keys("*ticket*")
                assert 0 < client.pttl(name) <= 60_000
                stored = name + b" " + client.get(name)
            assert kept.encode() not in stored
            assert b"session-of-ann" not in stored

    asyncio.run(across())

"""Tickets in the durable Redis, so that any instance redeems what another handed out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import redis.asyncio

from services.review.core.errors import Gone
from services.review.core.tickets import Ticket, new_token, place
from services.review.edges.plan import Names, ms
from services.review.edges.vault import Vault
from services.review.metrics import Stored
from services.runtime.clock import Clock
from services.runtime.redis_client import as_transient

_WHAT = "tickets"


class RedisTickets:
    """The page's `Tickets`. Event loop. Redis holds no token and no session: a name of both, by a key of ours."""

    def __init__(self, client: redis.asyncio.Redis, names: Names, vault: Vault, clock: Clock) -> None:
        self._client = client
        self._names = names
        self._vault = vault
        self._clock = clock

    async def issue(self, session: str, tickets: Sequence[Ticket]) -> list[str]:
        """One round trip. Raises StoreUnavailable."""
        tokens = [new_token() for _ in tickets]
        with as_transient(_WHAT):
            async with self._client.pipeline(transaction=False) as pipe:
                for token, ticket in zip(tokens, tickets, strict=True):
                    name = self._name(session, token)
                    sealed = self._vault.seal(name, _packed(ticket), until=ticket.expires_at)
                    # Only queued here; `execute` is what is awaited.
                    _ = pipe.set(name, sealed, pxat=ms(ticket.expires_at))
                await pipe.execute()
        return tokens

    async def redeem(self, session: str, token: str) -> Ticket:
        """Raises Gone, StoreUnavailable."""
        name = self._name(session, token)
        with as_transient(_WHAT):
            found = self._vault.open(Stored.TICKET, name, await self._client.getdel(name))
        ticket = None if found is None else _unpacked(found.plain)
        if ticket is None or self._clock.now() >= ticket.expires_at:
            raise Gone("this address was used, has expired, or is not yours")
        return ticket

    def _name(self, session: str, token: str) -> str:
        return self._names.ticket(self._vault.name("ticket", place(session, token)))


def _packed(ticket: Ticket) -> bytes:
    return json.dumps([ticket.case, ticket.fence, ticket.picture, ms(ticket.expires_at)]).encode()


def _unpacked(raw: bytes) -> Ticket:
    case, fence, picture, until = json.loads(raw)
    return Ticket(case=case, fence=fence, picture=picture, expires_at=datetime.fromtimestamp(until / 1000, UTC))

"""Tickets in the durable Redis, so that any instance redeems what another handed out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import redis.asyncio

from services.contracts.ids import DeploymentId
from services.review.core.errors import Gone
from services.review.core.tickets import Ticket, new_token, place
from services.runtime.clock import Clock
from services.runtime.redis_client import as_transient

_WHAT = "tickets"


class RedisTickets:
    """The page's `Tickets`. Event loop. Redis holds no token and no session: only where they meet, hashed."""

    def __init__(self, client: redis.asyncio.Redis, deployment: DeploymentId, clock: Clock) -> None:
        self._client = client
        self._deployment = deployment
        self._clock = clock

    async def issue(self, session: str, tickets: Sequence[Ticket]) -> list[str]:
        """One round trip. Raises StoreUnavailable."""
        tokens = [new_token() for _ in tickets]
        with as_transient(_WHAT):
            async with self._client.pipeline(transaction=False) as pipe:
                for token, ticket in zip(tokens, tickets, strict=True):
                    # Only queued here; `execute` is what is awaited.
                    _ = pipe.set(self._name(session, token), _packed(ticket), pxat=_ms(ticket.expires_at))
                await pipe.execute()
        return tokens

    async def redeem(self, session: str, token: str) -> Ticket:
        """Raises Gone, StoreUnavailable."""
        with as_transient(_WHAT):
            found = await self._client.getdel(self._name(session, token))
        ticket = None if found is None else _unpacked(found)
        if ticket is None or self._clock.now() >= ticket.expires_at:
            raise Gone("this address was used, has expired, or is not yours")
        return ticket

    def _name(self, session: str, token: str) -> str:
        return f"review:{{{self._deployment}}}:ticket:{place(session, token)}"


def _packed(ticket: Ticket) -> str:
    return json.dumps([ticket.case, ticket.fence, ticket.picture, _ms(ticket.expires_at)])


def _unpacked(raw: bytes | str) -> Ticket:
    case, fence, picture, until = json.loads(raw)
    return Ticket(case=case, fence=fence, picture=picture, expires_at=datetime.fromtimestamp(until / 1000, UTC))


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)

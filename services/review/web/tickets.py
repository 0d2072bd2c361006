"""One-time addresses of pictures: random, bound to one session and one claim, good once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.review.core.errors import Gone
from services.runtime.clock import Clock

# Each view hands out a handful; a page that asks for views without fetching pictures must not fill memory.
_OUTSTANDING = 20_000


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What an address stands for."""

    case: str
    fence: int
    picture: str
    expires_at: datetime


class Tickets(Protocol):
    """Hands out addresses and takes each back once."""

    async def issue(self, session: str, ticket: Ticket) -> str:
        """A token that only this session can redeem, once, until the ticket expires."""
        ...

    async def redeem(self, session: str, token: str) -> Ticket:
        """Raises Gone for a token that was redeemed, has expired, or is another session's."""
        ...


class MemoryTickets:
    """Tickets of this process; a page's requests must come back to the instance that showed the case.

    Only the page's event loop touches it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tickets: dict[str, Ticket] = {}

    async def issue(self, session: str, ticket: Ticket) -> str:
        self._make_room()
        token = secrets.token_urlsafe(24)
        self._tickets[_place(session, token)] = ticket
        return token

    async def redeem(self, session: str, token: str) -> Ticket:
        ticket = self._tickets.pop(_place(session, token), None)
        if ticket is None or self._clock.now() >= ticket.expires_at:
            raise Gone("this address was used, has expired, or is not yours")
        return ticket

    def _make_room(self) -> None:
        if len(self._tickets) < _OUTSTANDING:
            return
        now = self._clock.now()
        self._tickets = {place: one for place, one in self._tickets.items() if now < one.expires_at}
        while len(self._tickets) >= _OUTSTANDING:
            del self._tickets[next(iter(self._tickets))]


def _place(session: str, token: str) -> str:
    """Under which a ticket lies: without the session nobody finds it, and nobody can use it up."""
    return hashlib.sha256(f"{session}\n{token}".encode()).hexdigest()

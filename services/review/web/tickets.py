"""One-time addresses of pictures: random, bound to one session and one claim, good once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.review.core.errors import Gone
from services.review.core.tickets import Ticket, new_token, place
from services.runtime.clock import Clock

# Each view hands out a handful; a page that asks for views without fetching pictures must not fill memory.
_OUTSTANDING = 20_000


class Tickets(Protocol):
    """Hands out tokens and takes each back once."""

    async def issue(self, session: str, tickets: Sequence[Ticket]) -> list[str]:
        """A token for each, that only this session can redeem, once, until the ticket expires."""
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

    async def issue(self, session: str, tickets: Sequence[Ticket]) -> list[str]:
        self._make_room(len(tickets))
        tokens = [new_token() for _ in tickets]
        self._tickets.update(
            (place(session, token), ticket) for token, ticket in zip(tokens, tickets, strict=True)
        )
        return tokens

    async def redeem(self, session: str, token: str) -> Ticket:
        ticket = self._tickets.pop(place(session, token), None)
        if ticket is None or self._clock.now() >= ticket.expires_at:
            raise Gone("this address was used, has expired, or is not yours")
        return ticket

    def _make_room(self, more: int) -> None:
        if len(self._tickets) + more <= _OUTSTANDING:
            return
        now = self._clock.now()
        self._tickets = {where: one for where, one in self._tickets.items() if now < one.expires_at}
        while len(self._tickets) + more > _OUTSTANDING and self._tickets:
            del self._tickets[next(iter(self._tickets))]

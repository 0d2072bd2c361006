"""What every store of picture tickets promises; a room of the tests runs it on its own kind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from services.review.core.errors import Gone
from services.review.core.tickets import Ticket
from services.review.web.tickets import Tickets
from tests.fakes.clock import ManualClock

Open = Callable[[ManualClock], AbstractAsyncContextManager[Tickets]]


class TicketsContract:
    """Subclasses give the fixtures `opened` (makes a store) and `clock`."""

    def _with(self, opened: Open, clock: ManualClock, work: Callable[[Tickets], Awaitable[None]]) -> None:
        async def run() -> None:
            async with opened(clock) as tickets:
                await work(tickets)

        asyncio.run(run())

    def _ticket(self, clock: ManualClock) -> Ticket:
        until = (clock.now() + timedelta(seconds=60)).replace(microsecond=0)
        return Ticket(case="case-1", fence=3, picture="probe/0", expires_at=until)

    def test_a_token_gives_its_ticket_back_once(self, opened: Open, clock: ManualClock) -> None:
        async def work(tickets: Tickets) -> None:
            first = self._ticket(clock)
            second = replace(first, picture="reference/1")
            one, two = await tickets.issue("ann's", [first, second])
            assert one != two
            assert await tickets.redeem("ann's", two) == second
            assert await tickets.redeem("ann's", one) == first
            with pytest.raises(Gone):
                await tickets.redeem("ann's", one)

        self._with(opened, clock, work)

    def test_another_session_neither_gets_a_ticket_nor_uses_it_up(self, opened: Open, clock: ManualClock) -> None:
        async def work(tickets: Tickets) -> None:
            ticket = self._ticket(clock)
            (token,) = await tickets.issue("ann's", [ticket])
            with pytest.raises(Gone):
                await tickets.redeem("ben's", token)
            assert await tickets.redeem("ann's", token) == ticket

        self._with(opened, clock, work)

    def test_a_ticket_ends_at_its_time(self, opened: Open, clock: ManualClock) -> None:
        async def work(tickets: Tickets) -> None:
            (token,) = await tickets.issue("ann's", [self._ticket(clock)])
            clock.advance(61)
            with pytest.raises(Gone):
                await tickets.redeem("ann's", token)

        self._with(opened, clock, work)

    def test_of_two_at_once_one_gets_the_ticket(self, opened: Open, clock: ManualClock) -> None:
        async def work(tickets: Tickets) -> None:
            (token,) = await tickets.issue("ann's", [self._ticket(clock)])
            both = await asyncio.gather(
                *(tickets.redeem("ann's", token) for _ in range(2)), return_exceptions=True
            )
            assert sorted(type(one).__name__ for one in both) == ["Gone", "Ticket"]

        self._with(opened, clock, work)

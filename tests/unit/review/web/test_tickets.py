"""Tickets of one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from services.review.core.errors import Gone
from services.review.core.tickets import Ticket
from services.review.web import tickets as module
from services.review.web.tickets import MemoryTickets, Tickets
from tests.contracts.tickets import Open, TicketsContract
from tests.fakes.clock import ManualClock


class TestMemoryTickets(TicketsContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def opened(self) -> Open:
        @asynccontextmanager
        async def memory(clock: ManualClock) -> AsyncIterator[Tickets]:
            yield MemoryTickets(clock)

        return memory


def test_what_is_never_fetched_does_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for views and never for pictures loses the oldest addresses, not the service its memory."""
    monkeypatch.setattr(module, "_OUTSTANDING", 4)
    clock = ManualClock()
    tickets = MemoryTickets(clock)
    ticket = Ticket(case="c", fence=1, picture="probe/0", expires_at=clock.now() + timedelta(seconds=60))

    async def ask() -> None:
        tokens = [token for _ in range(3) for token in await tickets.issue("ann's", [ticket, ticket])]
        with pytest.raises(Gone):
            await tickets.redeem("ann's", tokens[0])
        assert await tickets.redeem("ann's", tokens[-1]) == ticket

    asyncio.run(ask())

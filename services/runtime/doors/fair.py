"""A line in which each party has one turn before any has its second: who brings a crowd waits behind its own."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Full(Exception):
    """Too many wait, and this party has more waiting than any other."""


class FairLine:
    """So many at once; the others wait, up to a number. Event loop."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._most = waiting
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, party: str) -> AsyncIterator[None]:
        """Inside, it is this one's turn. Raises Full."""
        await self._come(party)
        try:
            yield
        finally:
            self._next()

    async def _come(self, party: str) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(party, deque()).append(mine)
        if sum(len(line) for line in self._waiting.values()) > self._most:
            self._send_away()
        try:
            await mine
        except asyncio.CancelledError:
            self._forget(party, mine)
            raise

    def _send_away(self) -> None:
        """Of whoever has the most waiting, who came last."""
        party = max(self._waiting, key=lambda one: len(self._waiting[one]))
        last = self._waiting[party].pop()
        if not self._waiting[party]:
            del self._waiting[party]
        if not last.done():
            last.set_exception(Full)

    def _next(self) -> None:
        """Whoever's turn it is; a party that has had one goes to the end of the line."""
        while self._waiting:
            party, line = self._waiting.popitem(last=False)
            turn = line.popleft()
            if line:
                self._waiting[party] = line
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _forget(self, party: str, mine: asyncio.Future[None]) -> None:
        line = self._waiting.get(party)
        if line is not None and mine in line:
            line.remove(mine)
            if not line:
                del self._waiting[party]
        elif not mine.cancelled() and mine.done() and mine.exception() is None:
            # Its turn had just come.
            self._next()

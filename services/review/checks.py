"""Passwords are checked a few at a time, each party's in turn: a check costs 50 ms and 16 MiB."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.review.core.errors import TooOften

_AT_ONCE = 2
# At most so many wait: about two seconds of work. At 0 two people could not sign in at a time.
_WAITING = 64
_BUSY_S = 5.0

T = TypeVar("T")


class FairChecks:
    """The only way to a check. Event loop; the work is done on threads that do nothing else."""

    def __init__(self, *, at_once: int = _AT_ONCE, waiting: int = _WAITING) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="signpost-passwords")
        self._free = at_once
        self._most = waiting
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def checked(self, party: str, check: Callable[[], T]) -> T:
        """What `check` returns. Raises TooOften if this party has more in hand than others leave room for."""
        await self._turn(party)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, check)
        finally:
            self._next()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, party: str) -> None:
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
        """Of whoever has the most in hand, who came last."""
        party = max(self._waiting, key=lambda one: len(self._waiting[one]))
        last = self._waiting[party].pop()
        if not self._waiting[party]:
            del self._waiting[party]
        if not last.done():
            last.set_exception(TooOften("too many people sign in at this moment", wait_s=_BUSY_S))

    def _next(self) -> None:
        """Whoever's turn it is; each party has one of its own before it goes to the end of the line."""
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

"""Passwords are checked a few at a time, each party's in turn: a check costs 50 ms and 16 MiB."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.review.core.errors import TooOften
from services.runtime.doors.fair import FairLine, Full

_AT_ONCE = 2
# At most so many wait: about two seconds of work. At 0 two people could not sign in at a time.
_WAITING = 64
_BUSY_S = 5.0

T = TypeVar("T")


class FairChecks:
    """The only way to a check. Event loop; the work is done on threads that do nothing else."""

    def __init__(self, *, at_once: int = _AT_ONCE, waiting: int = _WAITING) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="signpost-passwords")
        self._line = FairLine(at_once=at_once, waiting=waiting)

    async def checked(self, party: str, check: Callable[[], T]) -> T:
        """What `check` returns. Raises TooOften if this party has more in hand than others leave room for."""
        try:
            async with self._line.turn(party):
                return await asyncio.get_running_loop().run_in_executor(self._threads, check)
        except Full:
            raise TooOften("too many people sign in at this moment", wait_s=_BUSY_S) from None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

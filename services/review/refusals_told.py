"""Refused sign-ins in the audit chain: how many there were, not an entry for each.

What a stranger can do without end must not fill a log that is kept for seven years.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from services.contracts.audit.requests import Action
from services.contracts.errors import Transient
from services.review.ports import Trail

log = logging.getLogger(__name__)

# From the first refusal to the entry that tells of it and of those that followed. Who dies before loses them.
EVERY_S = 60.0


class RefusalsTold:
    """Counts, and has the sum recorded while it is `running`. Event loop."""

    def __init__(
        self, trail: Trail, *, every_s: float = EVERY_S, on_refused: Callable[[], None] = lambda: None
    ) -> None:
        self._trail = trail
        self._every_s = every_s
        self._on_refused = on_refused
        self._untold = 0
        self._some = asyncio.Event()

    def refused(self) -> None:
        """One more. Never blocks."""
        self._untold += 1
        self._on_refused()
        self._some.set()

    async def tell(self) -> None:
        """Have the sum recorded now. Nobody's: what was typed as a name may be anything. Raises Transient."""
        told = self._untold
        if told:
            await self._trail.chained(Action.SIGN_IN_REFUSED, about=f"refused/{told}")
            self._untold -= told

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell every so often, and once more at the end."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._try()

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            await asyncio.sleep(self._every_s)
            await self._try()

    async def _try(self) -> None:
        try:
            await self.tell()
        except Transient:
            # Told with the next: the sum stays.
            log.warning("refused sign-ins are not in the audit chain yet")
            self._some.set()

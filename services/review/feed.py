"""Word of changed cases, from the store to everybody who watches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from services.contracts.errors import Transient
from services.review.ports import CaseStore

log = logging.getLogger(__name__)

# Word may be missed (a lost connection, a slow watcher): every watcher looks at everything this often.
RESYNC_S = 5.0
_RETRY_S = 0.5
# Between two tries to end the listening.
_END_S = 0.2


class Watcher:
    """What one watcher has still to look at. The event loop's."""

    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._word = asyncio.Event()

    def tell(self, case: str) -> None:
        """A set, so a slow watcher costs no more than the cases there are."""
        self._changed.add(case)
        self._word.set()

    async def next(self) -> frozenset[str] | None:
        """Cases that changed, or None when it is time to look at all of them."""
        try:
            async with asyncio.timeout(RESYNC_S):
                await self._word.wait()
        except TimeoutError:
            return None
        self._word.clear()
        changed, self._changed = frozenset(self._changed), set()
        return changed


class Feed:
    """One subscription for all watchers of this process. The event loop's."""

    def __init__(self, store: CaseStore) -> None:
        self._store = store
        self._watchers: set[Watcher] = set()

    @contextmanager
    def watching(self) -> Iterator[Watcher]:
        watcher = Watcher()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Word comes while inside. Raises what ended the listening, if anything did."""
        listening = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            # The store's client may swallow a cancellation that comes while it connects: so until it ends.
            while not listening.done():
                listening.cancel()
                await asyncio.wait({listening}, timeout=_END_S)
            if not listening.cancelled():
                listening.result()

    async def _listen(self) -> None:
        """Until cancelled; a lost store is waited for."""
        while True:
            try:
                async for case in self._store.changes():
                    for watcher in self._watchers:
                        watcher.tell(case)
            except Transient as away:
                log.warning("feed lost its store", extra={"kind": type(away).__name__})
                await asyncio.sleep(_RETRY_S)

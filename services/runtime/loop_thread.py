"""An event loop on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

# Servers bind and a client connects; a store that does not answer raises earlier by its own deadline.
_START_S = 15.0

Main = Callable[[asyncio.Event, Callable[[], None]], Awaitable[None]]


class LoopThread:
    """Runs `main(stopping, started)` from `start` to `stop`; main calls `started` and waits for `stopping`.

    An error before `started` is raised by `start`; a later one ends the thread and with it the process.
    """

    def __init__(self, main: Main, *, name: str) -> None:
        self._main = main
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._begun = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> None:
        """Blocks until main has started. Raises what it raised, TimeoutError if it took too long."""
        self._thread.start()
        if not self._begun.wait(_START_S):
            raise TimeoutError("the event loop did not start in time")
        if self._failure is not None:
            raise self._failure

    def stop(self, within_s: float) -> bool:
        """Tell main to end; whether it did in time. Harmless if it never started or has ended."""
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        if self._thread.ident is not None:
            self._thread.join(within_s)
        return not self._thread.is_alive()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._begin())
        except BaseException as error:
            if self._begun.is_set():
                raise
            self._failure = error
            self._begun.set()

    async def _begin(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await self._main(self._stopping, self._begun.set)

"""Live queues: how many there may be, and that each ends with the session it was opened in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from services.review.core.errors import NotSignedIn, TooMany
from services.review.core.people import Person
from services.review.core.roles import Call, check

# A person has a queue, perhaps in two windows, and one that is just being opened anew.
PER_SESSION = 4
TOTAL = 200
# How long a stream may outlive its session. At 0 the store would be asked without pause.
LOOK_S = 2.0

T = TypeVar("T")


class Streams:
    """Those of one process, over gRPC and the page alike. Event loop."""

    def __init__(self, *, per_session: int = PER_SESSION, total: int = TOTAL) -> None:
        self._per_session = per_session
        self._most = total
        self._open: Counter[str] = Counter()

    def check(self, session: str) -> None:
        """Raises TooMany if this session may open none."""
        if self._open[session] >= self._per_session:
            raise TooMany(f"{self._per_session} live queues of this sign-in are open: close one")
        if self._open.total() >= self._most:
            raise TooMany("too many live queues are open here: try again in a moment")

    @contextmanager
    def held(self, session: str) -> Iterator[None]:
        """One more while inside. Raises TooMany."""
        self.check(session)
        self._open[session] += 1
        try:
            yield
        finally:
            self._open[session] -= 1
            if not self._open[session]:
                del self._open[session]


async def same_person(person: Person, call: Call, session: Awaitable[Person]) -> Person:
    """Who the session is now, if they are who they were. Raises NotSignedIn, NotAllowed, Transient.

    Somebody whose roles have changed is to see another queue: they ask for it anew.
    """
    now = await session
    check(call, now)
    if now != person:
        raise NotSignedIn("what you may do has changed: ask again")
    return now


async def while_signed_in(
    lines: AsyncIterator[T], *, still: Callable[[], Awaitable[Person]], every_s: float = LOOK_S
) -> AsyncGenerator[T, None]:
    """`lines`, until `still` raises: what it raises ends the stream, also where no line comes."""
    loop = asyncio.get_running_loop()
    upcoming = asyncio.ensure_future(anext(lines))
    due_s = loop.time() + every_s
    try:
        while True:
            await asyncio.wait((upcoming,), timeout=max(0.0, due_s - loop.time()))
            if loop.time() >= due_s:
                await still()
                due_s = loop.time() + every_s
            if upcoming.done():
                try:
                    line = upcoming.result()
                except StopAsyncIteration:
                    return
                yield line
                upcoming = asyncio.ensure_future(anext(lines))
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)

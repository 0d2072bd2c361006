"""Live queues: how many there may be, and that each ends with the session it was opened in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from services.review.core.errors import NotSignedIn, TooMany
from services.review.core.people import Person
from services.review.core.roles import Call, check

# A person has a queue, perhaps in two windows, and one that is just being opened anew.
PER_SESSION = 4
# At a desk, on the way, and what is left of connections that were lost: three sign-ins in full.
PER_PERSON = 12
TOTAL = 200
# How long a stream may outlive its session. At 0 the store would be asked without pause.
LOOK_S = 2.0

T = TypeVar("T")


@dataclass(eq=False)
class Held:
    """One live queue. `closed` is set where another person needed its place."""

    session: str
    person: str
    closed: bool = False

    async def kept(self, still: Awaitable[Person]) -> Person:
        """`still`, as long as the place is this queue's. Raises TooMany, and what `still` raises."""
        person = await still
        if self.closed:
            raise TooMany("so many live queues of yours are open that the oldest was closed for somebody else")
        return person


class Streams:
    """Those of one process, over gRPC and the page alike. Event loop.

    Bounded per sign-in, per person and in all. Where all places are taken, whoever has the most loses their oldest
    to a person who has at least two fewer: with less between them, the two would close each other's in turn.
    """

    def __init__(
        self, *, per_session: int = PER_SESSION, per_person: int = PER_PERSON, total: int = TOTAL
    ) -> None:
        self._per_session = per_session
        self._per_person = per_person
        self._most = total
        # In the order in which they were opened.
        self._open: list[Held] = []

    def check(self, session: str, person: Person) -> None:
        """Raises TooMany if this person may open none in this session. Closes none."""
        self._displaced(session, _who(person))

    @contextmanager
    def held(self, session: str, person: Person) -> Iterator[Held]:
        """One more while inside. Raises TooMany."""
        who = _who(person)
        displaced = self._displaced(session, who)
        if displaced is not None:
            displaced.closed = True
        one = Held(session, who)
        self._open.append(one)
        try:
            yield one
        finally:
            self._open.remove(one)

    def _displaced(self, session: str, person: str) -> Held | None:
        """Whose place one more would take; None where there is a free one. Raises TooMany."""
        # With those that were closed and have not ended: a client that does not read is not given more by it.
        if sum(one.session == session for one in self._open) >= self._per_session:
            raise TooMany(f"{self._per_session} live queues of this sign-in are open: close one")
        if sum(one.person == person for one in self._open) >= self._per_person:
            raise TooMany(f"{self._per_person} live queues of yours are open: close one, or sign out elsewhere")
        placed = [one for one in self._open if not one.closed]
        if len(placed) < self._most:
            return None
        counts = Counter(one.person for one in placed)
        if max(counts.values(), default=0) < counts[person] + 2:
            raise TooMany("too many live queues are open here: try again in a moment")
        most = max(counts.values())
        return next(one for one in placed if counts[one.person] == most)


def _who(person: Person) -> str:
    """The same for every account and sign-in of a person."""
    return person.person or person.user


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

"""Live queues end with their session, and nobody has more of them than they need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.review.core.errors import NotAllowed, NotSignedIn, TooMany
from services.review.core.people import Person, Role
from services.review.core.roles import Call
from services.review.core.streams import Streams, same_person, while_signed_in

ANN = Person(user="ann", name="Ann", roles=frozenset({Role.REVIEWER}))


async def silence() -> AsyncIterator[int]:
    await asyncio.Event().wait()
    yield 0


async def chatter() -> AsyncIterator[int]:
    number = 0
    while True:
        yield number
        number += 1
        await asyncio.sleep(0)


async def is_out() -> Person:
    raise NotSignedIn("the session has ended")


@pytest.mark.parametrize("lines", [silence, chatter])
def test_a_stream_ends_with_its_session_whether_it_says_much_or_nothing(lines: type[AsyncIterator[int]]) -> None:
    """A queue that was opened before went on telling cases for hours after its person had signed out."""

    async def listen() -> None:
        async for _ in while_signed_in(lines(), still=is_out, every_s=0.01):
            pass

    with pytest.raises(NotSignedIn):
        asyncio.run(asyncio.wait_for(listen(), 5))


def test_a_stream_that_has_no_more_lines_just_ends() -> None:
    async def two() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def listen() -> list[int]:
        return [line async for line in while_signed_in(two(), still=is_out, every_s=60)]

    assert asyncio.run(asyncio.wait_for(listen(), 5)) == [1, 2]


def test_who_leaves_a_stream_ends_what_it_waited_for() -> None:
    ended = False

    async def lines() -> AsyncIterator[int]:
        nonlocal ended
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            ended = True

    async def listen() -> None:
        stream = while_signed_in(lines(), still=is_out, every_s=60)
        await anext(stream)
        await stream.aclose()

    asyncio.run(asyncio.wait_for(listen(), 5))
    assert ended


@pytest.mark.parametrize(
    ("roles", "refused"),
    [
        ({Role.REVIEWER}, None),
        ({Role.REVIEWER, Role.SUPERVISOR}, NotSignedIn),
        ({Role.SUPERVISOR}, NotSignedIn),
        ({Role.AUDITOR}, NotAllowed),
    ],
)
def test_who_may_do_something_else_now_asks_anew(roles: set[Role], refused: type[Exception] | None) -> None:
    async def now() -> Person:
        return Person(user="ann", name="Ann", roles=frozenset(roles))

    async def look() -> Person:
        return await same_person(ANN, Call.WATCH_CASES, now())

    if refused is None:
        assert asyncio.run(look()) == ANN
    else:
        with pytest.raises(refused):
            asyncio.run(look())


def test_a_session_has_so_many_and_a_process_has_so_many() -> None:
    streams = Streams(per_session=2, total=3)
    with streams.held("ann"), streams.held("ann"):
        with pytest.raises(TooMany), streams.held("ann"):
            pass
        with streams.held("ben"), pytest.raises(TooMany):
            streams.check("cem")
        streams.check("cem")
    with streams.held("ann"), streams.held("ann"):
        pass

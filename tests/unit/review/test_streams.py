"""Live queues end with their session, and nobody has more of them than they need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest

from services.review.core.errors import NotAllowed, NotSignedIn, TooMany
from services.review.core.people import Person, Role
from services.review.core.roles import Call
from services.review.core.streams import PER_PERSON, TOTAL, Streams, same_person, while_signed_in

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


def of(user: str) -> Person:
    return Person(user=user, name=user, roles=frozenset({Role.REVIEWER}), person=f"p-{user}")


BEN, CEM = of("ben"), of("cem")


def test_a_session_has_so_many_and_a_process_has_so_many() -> None:
    streams = Streams(per_session=2, total=3)
    with streams.held("ann's", ANN), streams.held("ann's", ANN):
        with pytest.raises(TooMany), streams.held("ann's", ANN):
            pass
        with streams.held("ben's", BEN), pytest.raises(TooMany):
            streams.check("ann's other", ANN)
        streams.check("cem's", CEM)
    with streams.held("ann's", ANN), streams.held("ann's", ANN):
        pass


def test_a_person_has_so_many_however_often_they_sign_in() -> None:
    """Fifty sign-ins of one reviewer took every place that there is, and nobody else saw a queue."""
    streams = Streams()
    with ExitStack() as open_ones:
        opened = 0
        for number in range(50):
            # Under another user name too: who they are in the registry counts.
            one = replace(BEN, user=f"ben-{number}")
            with suppress(TooMany):
                for _ in range(4):
                    open_ones.enter_context(streams.held(f"sign-in {number}", one))
                    opened += 1
        assert opened == PER_PERSON < TOTAL
        with streams.held("cem's", CEM) as cems:
            assert not cems.closed


def test_at_the_total_the_oldest_of_whoever_has_the_most_is_closed() -> None:
    streams = Streams(total=4)
    with (
        streams.held("ann's", ANN) as anns,
        streams.held("ben's", BEN) as first,
        streams.held("ben's", BEN) as second,
        streams.held("ben's other", BEN) as third,
    ):
        streams.check("cem's", CEM)
        assert not first.closed, "a question closed one"
        with streams.held("cem's", CEM) as cems:
            assert [one.closed for one in (anns, first, second, third, cems)] == [False, True, False, False, False]


def test_at_the_total_nobody_takes_from_who_has_as_few() -> None:
    """Two pages would close each other's queue in turn, for ever."""
    streams = Streams(total=2)
    with streams.held("ann's", ANN) as anns, streams.held("ben's", BEN) as bens:
        with pytest.raises(TooMany), streams.held("cem's", CEM):
            pass
        with pytest.raises(TooMany), streams.held("ben's other", BEN):
            pass
        assert not (anns.closed or bens.closed)


def test_a_closed_one_that_has_not_ended_still_counts_for_its_person() -> None:
    """A client that never reads would be given one more each time that one of its own is closed."""
    streams = Streams(per_person=2, total=2)
    with streams.held("ben's", BEN) as first, streams.held("ben's", BEN):
        with streams.held("cem's", CEM):
            assert first.closed
        with pytest.raises(TooMany):
            streams.check("ben's other", BEN)


def test_a_stream_whose_place_is_gone_ends_and_says_why() -> None:
    async def ben() -> Person:
        return BEN

    async def look() -> None:
        streams = Streams(total=2)
        with streams.held("ben's", BEN) as first, streams.held("ben's", BEN):
            assert await first.kept(ben()) == BEN
            with streams.held("cem's", CEM), pytest.raises(TooMany, match="oldest"):
                await first.kept(ben())

    asyncio.run(look())

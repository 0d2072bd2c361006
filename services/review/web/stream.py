"""The live queue as server-sent events: what changed, and every few seconds that we are still there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import anyio

from services.contracts.errors import Transient
from services.review.core.errors import MoveRefused, TooMany
from services.review.core.people import Person
from services.review.core.views import CaseSummary
from services.review.web import answers
from services.runtime.clock import Clock

# The page calls the connection lost after two and a half of these in silence (static/js/live.js).
# At 0 a busy loop; it bounds how long a session that has ended still sees its queue.
BEAT_S = 4.0


async def queue_events(
    lines: AsyncIterator[CaseSummary],
    *,
    still_signed_in: Callable[[], Awaitable[Person]],
    clock: Clock,
    closing: asyncio.Event,
    beat_s: float = BEAT_S,
) -> AsyncGenerator[bytes, None]:
    """`hello`, then each line as `case`, `beat` with the server's time, `signed-out` at the end of the session.

    Ends with the session, when its place went to somebody else, when the store cannot be read, or once
    `closing` is set: the page then connects again.
    """
    yield _event("hello", _now(clock))
    loop = asyncio.get_running_loop()
    upcoming = asyncio.ensure_future(anext(lines))
    stop = asyncio.ensure_future(closing.wait())
    due = loop.time() + beat_s
    told: dict[str, answers.Json] = {}
    try:
        while not stop.done():
            timeout = max(0.0, due - loop.time())
            await asyncio.wait((upcoming, stop), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if upcoming.done():
                line = upcoming.result()
                # The page gets less of a line than there is: a change of the rest must not show as an event.
                if told.get(line.case) != (body := answers.summary(line)):
                    told[line.case] = body
                    yield _event("case", body | _now(clock))
                upcoming = asyncio.ensure_future(anext(lines))
            if loop.time() >= due:
                await still_signed_in()
                yield _event("beat", _now(clock))
                due = loop.time() + beat_s
    except (TooMany, Transient, StopAsyncIteration):
        return
    except MoveRefused:
        yield _event("signed-out", {})
    finally:
        # The browser is gone, and this task cancelled: what it waited for ends before it does.
        with anyio.CancelScope(shield=True):
            upcoming.cancel()
            stop.cancel()
            await asyncio.gather(upcoming, stop, return_exceptions=True)


def _now(clock: Clock) -> answers.Json:
    return {"now": answers.ms(clock.now())}


def _event(name: str, body: answers.Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps(body, separators=(',', ':'))}\n\n".encode()

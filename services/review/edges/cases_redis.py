"""Cases in the durable Redis: for the event loop, and for the threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import redis
import redis.asyncio

from services.contracts.errors import Transient
from services.review.core.case import Case
from services.review.core.change import Change
from services.review.edges import stored
from services.review.edges.plan import Names, ms, words
from services.review.ports import Known
from services.runtime.redis_client import as_transient

LUA = Path(__file__).parent / "lua"
_WHAT = "cases"
# How long a listener waits for word before it looks whether the connection lives.
_LISTEN_S = 1.0
# So that one look at a long backlog does not hold the others up.
_FADED_AT_ONCE = 1000


def script(name: str) -> str:
    """The text of a script beside this file."""
    return (LUA / f"{name}.lua").read_text("utf-8")


@contextmanager
def _reached() -> Iterator[None]:
    """As `as_transient`; a server that has no room is away too, until somebody gives it some."""
    try:
        with as_transient(_WHAT):
            yield
    except redis.exceptions.OutOfMemoryError as error:
        raise Transient("cases: Redis has no room") from error


def _cases(bodies: Iterable[bytes | str | None]) -> list[Case]:
    return [stored.load(body) for body in bodies if body is not None]


def _text(raw: object) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)


def _fields(found: Mapping[bytes | str, bytes | str]) -> dict[str, str]:
    return {_text(name): _text(held) for name, held in found.items()}


class ThreadCases:
    """`AlertStore`. Any thread; blocks."""

    def __init__(self, client: redis.Redis, names: Names) -> None:
        self._client = client
        self._names = names
        self._apply = client.register_script(script("apply"))

    def known(self, alert: str, subject: str) -> Known:
        names = self._names
        with _reached():
            seen = stored.seen(_fields(self._client.hgetall(names.seen(alert))))
            newest = _fields(self._client.hgetall(names.subject(subject)))
        window = newest.get("case", "")
        return Known(
            seen=seen,
            own=self.case(seen.case) if seen is not None and seen.case else None,
            window=self.case(window) if window else None,
            subject_version=int(newest.get("version", 0)),
        )

    def case(self, case: str) -> Case | None:
        with _reached():
            body = self._client.hget(self._names.case(case), "body")
        return next(iter(_cases([body])), None)

    def open_cases(self) -> list[Case]:
        with _reached():
            found = self._client.zrange(self._names.open, 0, -1)
            with self._client.pipeline(transaction=False) as pipe:
                for case in found:
                    pipe.hget(self._names.case(_text(case)), "body")
                bodies = pipe.execute()
        return _cases(bodies)

    def apply(self, change: Change) -> bool:
        keys, arguments = words(self._names, change)
        with _reached():
            return bool(self._apply(keys=keys, args=arguments))

    def forget_closed(self, before: datetime) -> None:
        with _reached():
            self._client.zremrangebyscore(self._names.closed, "-inf", ms(before))

    def drop_faded(self, now: datetime) -> None:
        names = self._names
        with _reached():
            found = self._client.zrangebyscore(names.fading, "-inf", ms(now), start=0, num=_FADED_AT_ONCE)
            due = [_text(content) for content in found]
            with self._client.pipeline(transaction=False) as pipe:
                for content in due:
                    pipe.exists(names.content(content))
                there = pipe.execute()
            gone = [content for content, lives in zip(due, there, strict=True) if not lives]
            if gone:
                self._client.zrem(names.fading, *gone)


class LoopCases:
    """`CaseStore`. Event loop."""

    def __init__(self, client: redis.asyncio.Redis, names: Names) -> None:
        self._client = client
        self._names = names
        self._apply = client.register_script(script("apply"))

    async def case(self, case: str) -> Case | None:
        with _reached():
            body = await self._client.hget(self._names.case(case), "body")
        return next(iter(_cases([body])), None)

    async def open_cases(self) -> list[Case]:
        return await self._listed(self._names.open)

    async def closed_cases(self) -> list[Case]:
        return await self._listed(self._names.closed)

    async def contents(self, names: Sequence[str]) -> list[bytes | None]:
        if not names:
            return []
        with _reached():
            found = await self._client.mget([self._names.content(name) for name in names])
        return [raw if isinstance(raw, bytes) else None for raw in found]

    async def apply(self, change: Change) -> bool:
        keys, arguments = words(self._names, change)
        with _reached():
            return bool(await self._apply(keys=keys, args=arguments))

    async def changes(self) -> AsyncIterator[str]:
        async with self._client.pubsub(ignore_subscribe_messages=True) as channel:
            with _reached():
                await channel.subscribe(self._names.changes)
            while True:
                with _reached():
                    message = await channel.get_message(timeout=_LISTEN_S)
                if message is not None:
                    yield _text(message["data"])
                else:
                    await asyncio.sleep(0)

    async def _listed(self, index: str) -> list[Case]:
        with _reached():
            found = await self._client.zrange(index, 0, -1)
            async with self._client.pipeline(transaction=False) as pipe:
                for case in found:
                    # Queued in the pipe, which is what is awaited.
                    _queued = pipe.hget(self._names.case(_text(case)), "body")
                bodies = await pipe.execute()
        return _cases(bodies)

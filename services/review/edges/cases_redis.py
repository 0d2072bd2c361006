"""Cases in the durable Redis: for the event loop, and for the threads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import redis
import redis.asyncio

from services.contracts.errors import Transient
from services.review.core.case import Case
from services.review.core.change import CaseAfter, Change, Passed
from services.review.edges import past, stored
from services.review.edges.lanes import Lanes
from services.review.edges.past import Past
from services.review.edges.plan import Names, Words, ms, words
from services.review.edges.reading import values, values_async
from services.review.edges.tally import Sum, Tally, opened
from services.review.edges.vault import HEAD_BYTES, Opened, Vault
from services.review.metrics import Stored
from services.review.ports import Known
from services.runtime.redis_client import as_transient

LUA = Path(__file__).parent / "lua"
_WHAT = "cases"
# How long a listener waits for word before it looks whether the connection lives.
_LISTEN_S = 1.0
# So that one look at a long backlog does not hold the others up.
_FADED_AT_ONCE = 1000
# Whoever writes something of their own under our names once more for each of our tries has stopped us.
_OVERRULED_AT_MOST = 5


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


def _text(raw: object) -> str:
    """Others may have written it: what is no text is nobody's id."""
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)


class Over(Exception):
    """The case's turn is marked as over: somebody moved it on since it was read, or an earlier one was put back.

    A mark is laid behind its move, so reading again tells which: what still lies there was put back.
    """


@dataclass(frozen=True)
class Held:
    """What both stores have: the names, the key, and what is over."""

    names: Names
    vault: Vault
    past: Past

    def read(self, raw: object, name: str) -> Case | None:
        """The case that lay under `name`, to be listed: its turn may have been ended by another instance.

        Raises Over.
        """
        found = self.vault.open(Stored.CASE, name, raw)
        case = None if found is None else self._case(found, name)
        if case is not None and self.past.remembers(past.turn(case.id, case.turn)):
            raise Over
        return case

    def read_now(self, raw: object, name: str) -> Case | None:
        """As `read`, but of the case's last turn: to move it on. Blocks on the key store. Raises Over."""
        case = self.read(raw, name)
        if case is None:
            return None
        if self.past.over(past.turn(case.id, case.turn)):
            raise Over
        # Whoever made this turn may have died before they marked the one before.
        self._turned(case, until=None)
        return case

    def stands(self, after: CaseAfter | None) -> bool:
        """Whether what a move was decided on is not over since: looked at as late as can be. Blocks."""
        if after is None or after.came_from is None:
            return True
        return not self.past.over(past.turn(after.case.id, after.came_from))

    def settle(self, after: CaseAfter | None) -> None:
        """A move was written: nobody comes back behind it. Blocks."""
        if after is not None:
            self._turned(after.case, until=after.past_until)

    def _turned(self, case: Case, *, until: datetime | None) -> None:
        if case.turn:
            self.past.mark(past.turn(case.id, case.turn - 1), until=until)

    def _case(self, found: Opened, name: str) -> Case | None:
        case = stored.load(found.plain)
        if case is None or case.version != found.version or self.names.case(case.id) != name:
            self.vault.refuse(Stored.CASE)
            return None
        return case

    def all(self, found: Iterable[object], bodies: Iterable[object]) -> tuple[list[Case], list[str]]:
        """Those of an index, as they lay there; and the ids of those to be read again."""
        cases: list[Case] = []
        again: list[str] = []
        for one, raw in zip(found, bodies, strict=True):
            try:
                case = self.read(raw, self.names.case(_text(one)))
            except Over:
                again.append(_text(one))
                continue
            if case is not None:
                cases.append(case)
        return cases, again

    def overrule(self, answer: object, asked: Words, overruled: dict[str, bytes]) -> bool:
        """Whether the step met a value that is not ours where nothing should be: `overruled` has it written over.

        Where something should be, somebody may have moved it on before it was written over: that is read again.
        """
        if not isinstance(answer, list):
            return False
        name, raw = _text(answer[0]), answer[1]
        if not raw or name not in asked.new or self.vault.holds(name, raw):
            return False
        overruled[name] = raw[:HEAD_BYTES]
        return True

    def thrown_away(self, answer: object) -> None:
        """Count what the step found of a type that is not ours."""
        for _ in range(answer if isinstance(answer, int) else 0):
            self.vault.refuse(Stored.INDEX)


class ThreadCases:
    """`AlertStore`. Any thread; blocks."""

    def __init__(self, client: redis.Redis, held: Held) -> None:
        self._client = client
        self._held = held
        self._names = held.names
        self._tally = Tally(held.vault, held.names.counts)
        self._lanes = Lanes()
        self._apply = client.register_script(script("apply"))

    def known(self, alert: str, subject: str) -> Known:
        names, vault = self._names, self._held.vault
        with _reached():
            raw_seen, raw_newest = values(self._client, [names.seen(alert), names.subject(subject)])
        remembered = vault.open(Stored.SEEN, names.seen(alert), raw_seen)
        seen = None if remembered is None else stored.load_seen(remembered.plain)
        newest = vault.open(Stored.SUBJECT, names.subject(subject), raw_newest)
        window = "" if newest is None else str(json.loads(newest.plain)["case"])
        return Known(
            seen=seen,
            own=self.case(seen.case) if seen is not None and seen.case else None,
            window=self.case(window) if window else None,
            subject_version=0 if newest is None else newest.version,
        )

    def case(self, case: str) -> Case | None:
        name = self._names.case(case)
        raw = self._raw(name)
        while True:  # a round for each turn that somebody makes meanwhile
            try:
                return self._held.read_now(raw, name)
            except Over:
                before, raw = raw, self._raw(name)
            if raw == before:
                self._held.vault.refuse(Stored.CASE)
                return None

    def _raw(self, name: str) -> object:
        with _reached():
            (raw,) = values(self._client, [name])
        return raw

    def open_cases(self) -> list[Case]:
        with _reached():
            found = self._client.zrange(self._names.open, 0, -1)
            bodies = values(self._client, [self._names.case(_text(case)) for case in found])
        cases, again = self._held.all(found, bodies)
        return [*cases, *(case for case in map(self.case, again) if case is not None)]

    def apply(self, change: Change) -> bool:
        """Of several threads only one may write counts: the one that folds."""
        with _reached():
            counted, numbers = self._counted(change)
            try:
                written = self._written(change, counted)
            except BaseException:
                self._tally.unsure = self._tally.unsure or counted is not None
                raise
        if written and counted is not None:
            self._tally.take(counted)
            self._lanes.take(numbers)
        if written:
            self._held.settle(change.case)
        return written

    def has_passed(self, passed: Passed) -> bool:
        with _reached():
            self._know_lanes()
        return self._lanes.reached(passed)

    def renew(self) -> None:
        self._lanes.known = None

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

    def _counted(self, change: Change) -> tuple[Sum | None, Mapping[str, int]]:
        if not change.counts:
            return None, {}
        self._know_lanes()
        if change.passed is None:
            return self._tally.plus(change.counts, {}), {}
        skipped, numbers = self._lanes.step(change.passed)
        return self._tally.plus({**change.counts, **skipped}, numbers), numbers

    def _know_lanes(self) -> None:
        """What was counted by then, also by a step whose answer was lost."""
        if self._tally.unsure:
            self._tally.settle(self._client.hget(self._names.counts, self._tally.writer))
            self._lanes.known = None
        if self._lanes.known is None:
            self._lanes.learn(self._all_counted())

    def _all_counted(self) -> Iterator[Mapping[str, int]]:
        for writer, raw in self._client.hgetall(self._names.counts).items():
            found = opened(self._held.vault, self._names.counts, _text(writer), raw)
            if found is not None:
                yield found.totals

    def _written(self, change: Change, counted: Sum | None) -> bool:
        if not self._held.stands(change.case):
            return False
        counts = None if counted is None else (self._tally.writer, self._tally.sealed(counted))
        overruled: dict[str, bytes] = {}
        for _ in range(_OVERRULED_AT_MOST):
            asked = words(self._names, change, self._held.vault, counts=counts, overruled=overruled)
            answer = self._apply(keys=asked.keys, args=asked.arguments)
            if not isinstance(answer, list):
                self._held.thrown_away(answer)
                return True
            if not self._held.overrule(answer, asked, overruled):
                return False
        return False


class LoopCases:
    """`CaseStore`. Event loop; what blocks on the key store runs on threads."""

    def __init__(self, client: redis.asyncio.Redis, held: Held) -> None:
        self._client = client
        self._held = held
        self._names = held.names
        self._apply = client.register_script(script("apply"))

    async def case(self, case: str) -> Case | None:
        name = self._names.case(case)
        raw = await self._raw(name)
        while raw is not None:  # a round for each turn that somebody makes meanwhile
            try:
                return await asyncio.to_thread(self._held.read_now, raw, name)
            except Over:
                before, raw = raw, await self._raw(name)
            if raw == before:
                self._held.vault.refuse(Stored.CASE)
                return None
        return None

    async def _raw(self, name: str) -> object:
        with _reached():
            (raw,) = await values_async(self._client, [name])
        return raw

    async def open_cases(self) -> list[Case]:
        return await self._listed(self._names.open)

    async def closed_cases(self) -> list[Case]:
        return await self._listed(self._names.closed)

    async def contents(self, names: Iterable[str]) -> list[bytes | None]:
        asked = [self._names.content(name) for name in names]
        if not asked:
            return []
        with _reached():
            found = await self._client.mget(asked)
        return [raw if isinstance(raw, bytes) else None for raw in found]

    async def apply(self, change: Change) -> bool:
        if change.counts:
            raise ValueError("only the thread that folds alerts counts")
        overruled: dict[str, bytes] = {}
        for _ in range(_OVERRULED_AT_MOST):
            asked = await asyncio.to_thread(self._words, change, overruled)
            if asked is None:
                return False
            with _reached():
                answer = await self._apply(keys=asked.keys, args=asked.arguments)
            if not isinstance(answer, list):
                self._held.thrown_away(answer)
                # Before anybody is answered: what a judge is told must not be undone behind them.
                await asyncio.to_thread(self._held.settle, change.case)
                return True
            if not self._held.overrule(answer, asked, overruled):
                return False
        return False

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

    def _words(self, change: Change, overruled: dict[str, bytes]) -> Words | None:
        """None if what the change was decided on is over since."""
        if not self._held.stands(change.case):
            return None
        return words(self._names, change, self._held.vault, counts=None, overruled=overruled)

    async def _listed(self, index: str) -> list[Case]:
        with _reached():
            found = await self._client.zrange(index, 0, -1)
            bodies = await values_async(self._client, [self._names.case(_text(case)) for case in found])
        cases, again = self._held.all(found, bodies)
        return [*cases, *[case for one in again if (case := await self.case(one)) is not None]]

"""What the holder of a claim is shown: opened for one call, and not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from services.contracts.errors import Tampered, Undecodable
from services.contracts.events import AlertRaised
from services.contracts.standing import Standing
from services.review.core import display
from services.review.core.case import Case, Shown, contents_of
from services.review.core.change import Content
from services.review.core.display import Display, Score
from services.review.core.errors import Gone
from services.review.core.listed import Listed
from services.review.metrics import Stored
from services.review.ports import CaseStore, Pictures, References

T = TypeVar("T")


class Showing:
    """Opens and seals on threads, for the event loop. Raises Transient."""

    def __init__(
        self,
        store: CaseStore,
        pictures: Pictures,
        references: References,
        standing: Standing,
        *,
        refused: Callable[[Stored], None],
    ) -> None:
        """`refused` is told of what lies in the store and is not to be believed."""
        self._refused = refused
        self._store = store
        self._pictures = pictures
        self._references = references
        self._standing = standing

    async def compose(self, case: Case) -> Display:
        """All there is to see now. Raises Gone if the keys are dead, or the subject was taken off the list."""
        alerts = await self._open([one.content for one in case.sightings])
        listed = await self._listed(case)
        if not alerts or listed is None:
            raise Gone("the pictures of this case are gone: their key is dead")
        return display.compose(case, alerts, listed)

    async def need_all(self, case: Case) -> None:
        """Raises Gone unless fresh reviewers could see every alert of the case beside the list's pictures."""
        alerts = await self._open([one.content for one in case.sightings])
        listed = await self._listed(case)
        if len(alerts) < len(case.sightings) or listed is None:
            raise Gone("the pictures of this case are gone, so it cannot be reopened: their key is dead")

    async def jpeg(self, case: Case, shown: Shown) -> bytes:
        """One picture of a view. Raises Gone as `compose`."""
        if not shown.content:
            listed = await self._listed(case)
            if listed is None or shown.index >= len(listed.pictures):
                raise Gone("the reference pictures are gone: their key is dead")
            return listed.pictures[shown.index].jpeg
        self.need_listed(case)
        alerts = await self._open([shown.content])
        if not alerts:
            raise Gone("this picture is gone: its key is dead")
        return alerts[0].context_jpeg if shown.index < 0 else alerts[0].shots[shown.index].jpeg

    async def score(self, case: Case, person: str) -> Score | None:
        """Of what a person's judgement was made on; None if the case holds none of theirs."""
        given = next((one for one in case.judgements if one.person == person), None)
        return None if given is None else display.best_score(await self._open(given.contents))

    async def evidence(self, case: Case, *, until: datetime) -> tuple[Content, ...]:
        """What was confirmed, re-encrypted: the alert key will die long before the evidence may."""
        pairs = await self._sealed(contents_of(case))

        def hold() -> tuple[Content, ...]:
            held = [(name, self._believed(self._pictures.hold, name, raw)) for name, raw in pairs]
            return tuple(Content(name=name, sealed=raw, keep_until=until) for name, raw in held if raw is not None)

        return await asyncio.to_thread(hold)

    def need_listed(self, case: Case) -> None:
        """Raises Gone if the subject was taken off the list: nothing of the case is for anybody to see then."""
        if case.subject in self._standing.revoked(case.list_digest):
            raise Gone("the person was taken off the list, so there is nothing to judge")

    async def _listed(self, case: Case) -> Listed | None:
        self.need_listed(case)
        try:
            return await asyncio.to_thread(self._references.of, case.list_digest, case.subject)
        except (Tampered, Undecodable):
            self._refused(Stored.LIST)
            return None

    async def _open(self, names: Sequence[str]) -> list[AlertRaised]:
        pairs = await self._sealed(names)

        def opened() -> list[AlertRaised]:
            found = (self._believed(self._pictures.open, name, raw) for name, raw in pairs)
            return [alert for alert in found if alert is not None]

        return await asyncio.to_thread(opened)

    def _believed(self, read: Callable[[str, bytes], T | None], name: str, raw: bytes) -> T | None:
        """None for what was altered, moved or made by hand, as for what is gone: the rest is shown."""
        try:
            return read(name, raw)
        except (Tampered, Undecodable):
            self._refused(Stored.PICTURES)
            return None

    async def _sealed(self, names: Sequence[str]) -> list[tuple[str, bytes]]:
        sealed = await self._store.contents(names)
        return [(name, raw) for name, raw in zip(names, sealed, strict=True) if raw is not None]

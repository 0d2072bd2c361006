"""What people do, in the audit chain before they are answered."""

from __future__ import annotations

import asyncio

from services.contracts.audit.commitments import NOBODY
from services.contracts.audit.numbering import Deed
from services.contracts.audit.requests import Action
from services.review.core.audited import Commitments
from services.review.metrics import ReviewMetrics
from services.runtime.audit_trail import AuditTrail, NotChained
from services.runtime.clock import Clock

# A sequencer that is taken over answers after some seconds; a person waits no longer, and tries again.
_WITHIN_S = 8.0


class ChainedTrail:
    """`Trail` over this process's own producer. Event loop."""

    def __init__(self, trail: AuditTrail, commitments: Commitments, metrics: ReviewMetrics, clock: Clock) -> None:
        self._trail = trail
        self._commitments = commitments
        self._metrics = metrics
        self._clock = clock

    async def chained(
        self, what: Action, *, who: str = "", subject: str = "", about: str = "", seen: str = ""
    ) -> None:
        began_s = self._clock.monotonic()
        deed = await asyncio.to_thread(self._deed, what, who, subject, about, seen)
        try:
            await self._recorded(deed)
        except NotChained:
            self._metrics.not_chained()
            raise
        self._metrics.chained(waited_s=self._clock.monotonic() - began_s)

    async def _recorded(self, deed: Deed) -> None:
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._trail.record(deed)), _WITHIN_S)
        except TimeoutError:
            raise NotChained("the audit chain has not acknowledged it: nothing was done") from None

    def _deed(self, what: Action, who: str, subject: str, about: str, seen: str) -> Deed:
        return Deed(
            at=self._clock.now(),
            what=what,
            who=self._commitments.of(who) if who else NOBODY,
            subject=self._commitments.of(subject) if subject else NOBODY,
            about=about,
            seen_sha256=bytes.fromhex(seen),
        )

"""An authority that stands until a test says otherwise: no records, no lease, the bounds alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import ADMITTED_SOURCES, Authority


class OpenStanding:
    """`Standing` over an `Authority`. A test sets `why` to refuse everything, and `off` to revoke."""

    def __init__(self, authority: Authority, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._authority = authority
        self._now = now
        self.why: Refusal | None = None
        self.off: frozenset[str] = frozenset()
        # From, until: when it was suspended.
        self.suspended: tuple[datetime, datetime] | None = None

    def standing(self) -> Refusal | None:
        return self.why or self._outside(self._now())

    def refusal(self, camera: str, /, *, deployment: str, at: datetime) -> Refusal | None:
        if deployment != self._authority.deployment:
            return Refusal.OTHER_DEPLOYMENT
        return self.standing() or self._of_camera(camera) or self._outside(at) or self._in_between(at)

    def refusal_of_alert(
        self,
        *,
        deployment: str,
        camera: str,
        captured_at: datetime,
        searched_at: datetime,
        list_digest: str,
        tokens: frozenset[str],
    ) -> Refusal | None:
        if deployment != self._authority.deployment:
            return Refusal.OTHER_DEPLOYMENT
        if self._outside(searched_at) or self._in_between(captured_at):
            return Refusal.NOT_ACTIVE
        return self._of_camera(camera) or (Refusal.ENTRY_REVOKED if tokens & self.off else None)

    def revoked(self, list_digest: str, /) -> frozenset[str]:
        return self.off

    def _of_camera(self, camera: str) -> Refusal | None:
        known = next((one for one in self._authority.cameras if one.id == camera), None)
        if known is None:
            return Refusal.UNKNOWN_CAMERA
        admitted = ADMITTED_SOURCES[self._authority.use_case]
        return None if known.source in admitted else Refusal.SOURCE_NOT_ADMITTED

    def _in_between(self, at: datetime) -> Refusal | None:
        began, ended = self.suspended or (at, at)
        return Refusal.NOT_ACTIVE if began <= at < ended else None

    def _outside(self, at: datetime) -> Refusal | None:
        return None if self._authority.window.covers(at) else Refusal.OUTSIDE_WINDOW

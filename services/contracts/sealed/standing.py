"""Which entries may raise an alert now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.contracts.sealed.entry import Entry
from services.contracts.sealed.manifest import Manifest


class Inert(StrEnum):
    """Why an entry raises nothing; a metric label. It stays in the cohort all the same."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    STALE = "stale"
    NOT_YET_CHECKED = "not_yet_checked"


@dataclass(frozen=True, slots=True)
class Term:
    """When one entry may raise: all that match keeps of it beside its row. Starts are included, ends are not."""

    checked_at: datetime
    stale_at: datetime
    expires_at: datetime

    @staticmethod
    def of(entry: Entry) -> Term:
        return Term(entry.status.checked_at, entry.status.stale_at, entry.expires_at)

    def inert(self, now: datetime, *, revoked: bool) -> Inert | None:
        """Why the entry raises nothing at `now`, or None. Asked for every hit, when it is made.

        Only time and revocations take part: nothing makes an inert entry of a sealed list active again, but a
        clock that goes back, which the caller has to rule out.
        """
        if revoked:
            return Inert.REVOKED
        if now >= self.expires_at:
            return Inert.EXPIRED
        if now >= self.stale_at:
            return Inert.STALE
        return Inert.NOT_YET_CHECKED if now < self.checked_at else None


def inert(of: Manifest, revoked: Collection[str], now: datetime) -> Mapping[str, Inert]:
    """Every entry that may not raise, by id, with the reason; `revoked` are ids. Linear in the list."""
    reasons = {
        entry.entry_id: Term.of(entry).inert(now, revoked=entry.entry_id in revoked) for entry in of.entries
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}

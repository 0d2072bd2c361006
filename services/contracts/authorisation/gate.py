"""The gate every service keeps: from the records of `authority`, in any order, to "may this be searched now?"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.attention import Attention
from services.contracts.authorisation.beliefs import Beliefs
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.lease import HeldLease
from services.contracts.authorisation.records import Record
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.statements import Rejection


@dataclass(frozen=True)
class Folded:
    """The gate after a record, and why the record was not believed, if it was not (yet)."""

    gate: Gate
    rejected: Rejection | None


@dataclass(frozen=True)
class Gate:
    """Answers for one deployment. A value: folding gives a new one. Starts by refusing everything.

    Every record is checked here, against the root named in the configuration, whoever delivered it. Duplicates,
    replays and order make no difference to what it comes to. Tell it every record, and ask with a new reading.
    """

    beliefs: Beliefs
    # None where nobody follows the topic all the time, but reads it once.
    attention: Attention | None = None

    @classmethod
    def shut(cls, deployment: str, *, root_fingerprint: str) -> Self:
        """The gate before any record."""
        return cls(Beliefs(deployment, root_fingerprint))

    def fold(self, record: Record, reading: ClockReading) -> Folded:
        """The gate that also knows `record`, which came at `reading`. Never raises for what is in a record."""
        beliefs, rejected = self.beliefs.fold(record, reading)
        return Folded(replace(self, beliefs=beliefs), rejected)

    def looked(self, reading: ClockReading) -> Gate:
        """The gate that knows when its follower last looked for records, found or not."""
        now_s = reading.monotonic_s
        return replace(self, attention=(self.attention or Attention(now_s)).looked(now_s))

    def standing(self, reading: ClockReading) -> Refusal | None:
        """Why nothing at all may be searched at this moment, or None. What a service's readiness shows."""
        ruling, held = self.beliefs.ruling, self.beliefs.held
        if ruling.unfounded is not None or ruling.leased is None or held is None:
            return ruling.unfounded or Refusal.NOT_VERIFIED
        if reading.wall >= self.beliefs.recheck_at:
            return Refusal.NOT_VERIFIED
        return (
            self._against_time(ruling.leased.document, reading)
            or self._against_lease(held, reading)
            or ruling.forbidden
        )

    def refusal(self, camera: str, *, deployment: str, at: datetime, reading: ClockReading) -> Refusal | None:
        """Why what `camera` took `at` may not be searched at `reading`, or None. Asked for every record."""
        if deployment != self.beliefs.deployment:
            return Refusal.OTHER_DEPLOYMENT
        return self.standing(reading) or self.beliefs.ruling.refusal(camera, at)

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
        """Why review may not show an alert, or None: judged by when its face was taken and when it was searched,
        lease or no lease.

        `tokens` are the subjects it names.
        """
        if deployment != self.beliefs.deployment:
            return Refusal.OTHER_DEPLOYMENT
        in_force = (verified.document for verified in self.beliefs.ruling.in_force(searched_at))
        then = [document for document in in_force if document.window.covers(searched_at)]
        if not then or not self.beliefs.ruling.in_force(captured_at):
            return Refusal.NOT_ACTIVE
        if all(document.camera(camera) is None for document in then):
            return Refusal.UNKNOWN_CAMERA
        if all(document.watchlist.digest != list_digest for document in then):
            return Refusal.LIST_NOT_ADMITTED
        return Refusal.ENTRY_REVOKED if tokens & self.revoked(list_digest) else None

    def current(self, reading: ClockReading) -> Verified | None:
        """The verified authority that may be acted under now, or None."""
        return self.beliefs.ruling.leased if self.standing(reading) is None else None

    def works_for(self) -> tuple[int, str] | None:
        """Version and digest of what services work for: what the lease names, or named last; None without one.

        Where that was called off before it began, the version that ran last: what it left is theirs to finish, and
        to purge. Says nothing of what may be searched.
        """
        return self.beliefs.ruling.works_for

    def revoked(self, list_digest: str) -> frozenset[str]:
        """Subject tokens that are off that list; each counts from the moment its record is believed."""
        return self.beliefs.revocations.tokens(list_digest)

    def _against_time(self, document: Document, reading: ClockReading) -> Refusal | None:
        if self.beliefs.watch.unsettled(reading):
            return Refusal.CLOCK_STEPPED
        if reading.state not in document.clock.accepts:
            return Refusal.CLOCK_NOT_ACCEPTED
        return None if document.window.covers(reading.wall) else Refusal.OUTSIDE_WINDOW

    def _against_lease(self, held: HeldLease, reading: ClockReading) -> Refusal | None:
        if held.forked:
            return Refusal.LEASE_FORKED
        heard = self.attention is None or self.attention.vouched_for(held, reading)
        return None if heard and held.fresh(reading) else Refusal.LEASE_STALE

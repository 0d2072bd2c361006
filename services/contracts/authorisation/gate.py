"""The gate every service keeps: from the records of `authority`, in any order, to "may this be searched now?"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.attention import Attention
from services.contracts.authorisation.beliefs import Beliefs
from services.contracts.authorisation.chain import Chain
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import State
from services.contracts.authorisation.lease import HeldLease
from services.contracts.authorisation.records import Record
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.statements import Lease, Rejection
from services.contracts.authorisation.states import HAS_RUN, NEVER_RAN
from services.contracts.authority import ADMITTED_SOURCES

_NO_MOVES = Chain()


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
        if self.beliefs.registry is None:
            return Refusal.NO_REGISTRY
        if self.beliefs.registry_forked:
            return Refusal.REGISTRY_FORKED
        if self.beliefs.held is None:
            return Refusal.NO_LEASE
        lease = self.beliefs.held.lease
        verified = self.beliefs.verified.get(lease.digest)
        if (
            verified is None
            or verified.document.version != lease.version
            or reading.wall >= self.beliefs.recheck_at
        ):
            return Refusal.NOT_VERIFIED
        if self.beliefs.registry.sequence < lease.registry_sequence:
            return Refusal.REGISTRY_BEHIND
        return (
            self._against_time(verified.document, reading)
            or self._against_lease(self.beliefs.held, reading)
            or self._against_state(lease, verified)
            or self._against_revocations(lease)
        )

    def refusal(self, camera: str, *, deployment: str, at: datetime, reading: ClockReading) -> Refusal | None:
        """Why what `camera` took `at` may not be searched at `reading`, or None. Asked for every record."""
        if deployment != self.beliefs.deployment:
            return Refusal.OTHER_DEPLOYMENT
        standing = self.standing(reading)
        if standing is not None:
            return standing
        document = self._current()
        known = document.camera(camera) if document else None
        if document is None or known is None:
            return Refusal.UNKNOWN_CAMERA
        if known.source not in ADMITTED_SOURCES[document.admits]:
            return Refusal.SOURCE_NOT_ADMITTED
        if not document.window.covers(at):
            return Refusal.OUTSIDE_WINDOW
        # What was taken while it was suspended stays unsearched, however soon it was resumed.
        active = any(self._was_active(verified, at) for verified in self._latest_begun(at))
        return None if active else Refusal.NOT_ACTIVE

    def refusal_of_alert(
        self, *, deployment: str, camera: str, searched_at: datetime, list_digest: str, tokens: frozenset[str]
    ) -> Refusal | None:
        """Why review may not show an alert, or None: judged by when it was searched, lease or no lease.

        `tokens` are the subjects it names.
        """
        if deployment != self.beliefs.deployment:
            return Refusal.OTHER_DEPLOYMENT
        then = [
            verified.document
            for verified in self._latest_begun(searched_at)
            if self._was_active(verified, searched_at) and verified.document.window.covers(searched_at)
        ]
        if not then:
            return Refusal.NOT_ACTIVE
        if all(document.camera(camera) is None for document in then):
            return Refusal.UNKNOWN_CAMERA
        if all(document.watchlist.digest != list_digest for document in then):
            return Refusal.LIST_NOT_ADMITTED
        return Refusal.ENTRY_REVOKED if tokens & self.revoked(list_digest) else None

    def current(self, reading: ClockReading) -> Verified | None:
        """The verified authority that may be acted under now, or None."""
        if self.standing(reading) is not None or self.beliefs.held is None:
            return None
        return self.beliefs.verified.get(self.beliefs.held.lease.digest)

    def works_for(self) -> tuple[int, str] | None:
        """Version and digest of what services work for: what the lease names, or named last; None without one.

        Where that was called off before it began, the version that ran last: what it left is theirs to finish, and
        to purge. Says nothing of what may be searched.
        """
        if self.beliefs.held is None:
            return None
        lease, chains = self.beliefs.held.lease, self.beliefs.chains
        leased = (lease.version, lease.digest)
        called_off = leased in chains and chains[leased].state in NEVER_RAN
        if not called_off:
            return leased
        ran = (known for known, chain in chains.items() if known < leased and chain.state in HAS_RUN)
        return max(ran, default=leased)

    def revoked(self, list_digest: str) -> frozenset[str]:
        """Subject tokens that are off that list; each counts from the moment its record is believed."""
        return self.beliefs.revocations.tokens(list_digest)

    def _current(self) -> Document | None:
        verified = self.beliefs.verified.get(self.beliefs.held.lease.digest) if self.beliefs.held else None
        return verified.document if verified else None

    def _latest_begun(self, at: datetime) -> list[Verified]:
        """A version that has begun puts an end to those before it, whether or not anybody ended them."""
        begun = [known for known in self.beliefs.verified.values() if self._chain(known).begun_by(at)]
        latest = max((verified.document.version for verified in begun), default=0)
        return [verified for verified in begun if verified.document.version == latest]

    def _chain(self, verified: Verified) -> Chain:
        return self.beliefs.chains.get((verified.document.version, verified.digest), _NO_MOVES)

    def _was_active(self, verified: Verified, at: datetime) -> bool:
        chain = self._chain(verified)
        return (
            chain.gapless and chain.consistent and self._resumed_rightly(chain, verified) and chain.active_at(at)
        )

    @staticmethod
    def _resumed_rightly(chain: Chain, verified: Verified) -> bool:
        return chain.resumed_by <= verified.approvers

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

    def _against_state(self, lease: Lease, verified: Verified) -> Refusal | None:
        chain = self.beliefs.chains.get((lease.version, lease.digest), _NO_MOVES)
        if not chain.gapless or len(chain.changes) < lease.state_sequence:
            return Refusal.STATE_BEHIND
        told = chain.state_after(lease.state_sequence)
        if not chain.consistent or told is not lease.state or not self._resumed_rightly(chain, verified):
            return Refusal.STATE_DISPUTED
        # Whichever is the later counts: a stop may come before the lease that knows of it, or after.
        active = chain.state is State.ACTIVE and lease.state is State.ACTIVE
        return None if active else Refusal.NOT_ACTIVE

    def _against_revocations(self, lease: Lease) -> Refusal | None:
        if self.beliefs.revocations.disputed:
            return Refusal.REVOCATIONS_DISPUTED
        if not self.beliefs.revocations.reaches(lease.revocations, lease.revocations_head):
            return Refusal.REVOCATIONS_BEHIND
        return None

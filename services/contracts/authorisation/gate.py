"""The gate every service keeps: from the records of `authority`, in any order, to "may this be searched now?"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from services.contracts.authorisation.approvals import Quorum, Verified, verify
from services.contracts.authorisation.chain import Chain, open_change
from services.contracts.authorisation.clock import ClockReading, TimeWatch
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.lease import HeldLease, newer
from services.contracts.authorisation.records import (
    DocumentPublished,
    LeaseRenewed,
    Record,
    RegistryIssued,
    RevocationRecorded,
    StateRecorded,
)
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.registry import Registry, open_registry
from services.contracts.authorisation.revocations import Revocations
from services.contracts.authorisation.signing import BadSignature
from services.contracts.authorisation.statements import (
    EntriesRevoked,
    Lease,
    NotBelieved,
    Rejection,
    open_as,
)
from services.contracts.authority import ADMITTED_SOURCES

# What a later registry, or a later hour, may yet make believable.
_MAY_WAIT = frozenset(
    {
        Rejection.NO_REGISTRY,
        Rejection.UNKNOWN_KEY,
        Rejection.WRONG_ROLE,
        Rejection.KEY_NOT_VALID,
        Rejection.FUTURE,
        Rejection.NOT_APPROVED,
    }
)
_WHY = {"malformed": Rejection.MALFORMED, "rules": Rejection.BREAKS_RULES}
_MOST_WAITING = 64  # of at most 1 MiB each; a flood of unknown records pushes out the oldest: fails closed
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Folded:
    """The gate after a record, and why the record was not believed, if it was not (yet)."""

    gate: Gate
    rejected: Rejection | None = None


@dataclass(frozen=True)
class Gate:
    """All that is believed about one deployment. A value: folding gives a new one. Starts by refusing everything.

    Every record is checked here, against the root named in the configuration, whoever delivered it. Duplicates,
    replays and order make no difference to what it comes to. Tell it every record, and ask with a new reading.
    """

    deployment: str
    root_fingerprint: str
    registry: Registry | None = None
    verified: Mapping[str, Verified] = field(default_factory=dict)
    chains: Mapping[tuple[int, str], Chain] = field(default_factory=dict)
    revocations: Revocations = field(default_factory=Revocations)
    held: HeldLease | None = None
    watch: TimeWatch = field(default_factory=TimeWatch)
    believed: Mapping[Record, float] = field(default_factory=dict, repr=False)
    waiting: Mapping[Record, float] = field(default_factory=dict, repr=False)
    recheck_at: datetime = _NEVER

    def fold(self, record: Record, reading: ClockReading) -> Folded:
        """The gate that also knows `record`, which came at `reading`. Never raises for what is in a record."""
        gate = replace(self, watch=self.watch.observe(reading))
        if gate.registry is not None and reading.wall >= gate.recheck_at:
            gate = gate._rebuilt(gate.registry, reading.wall)
        if record in gate.believed:
            return Folded(gate)
        folded = gate._take(record, reading.monotonic_s, reading.wall)
        if folded.rejected is None and isinstance(record, LeaseRenewed):
            return replace(folded, gate=folded.gate._with_waiting(reading.wall))
        return folded

    def standing(self, reading: ClockReading) -> Refusal | None:
        """Why nothing at all may be searched at this moment, or None. What a service's readiness shows."""
        if self.registry is None:
            return Refusal.NO_REGISTRY
        if self.held is None:
            return Refusal.NO_LEASE
        lease = self.held.lease
        verified = self.verified.get(lease.digest)
        if verified is None or verified.document.version != lease.version or reading.wall >= self.recheck_at:
            return Refusal.NOT_VERIFIED
        if self.registry.sequence < lease.registry_sequence:
            return Refusal.REGISTRY_BEHIND
        return (
            self._against_time(verified.document, reading)
            or self._against_lease(self.held, reading)
            or self._against_state(lease, verified)
            or self._against_revocations(lease)
        )

    def refusal(self, camera: str, *, deployment: str, at: datetime, reading: ClockReading) -> Refusal | None:
        """Why what `camera` took `at` may not be searched at `reading`, or None. Asked for every record."""
        if deployment != self.deployment:
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
        return None if document.window.covers(at) else Refusal.OUTSIDE_WINDOW

    def refusal_of_alert(
        self, *, deployment: str, camera: str, searched_at: datetime, list_digest: str, tokens: frozenset[str]
    ) -> Refusal | None:
        """Why review may not show an alert, or None: judged by when it was searched, lease or no lease.

        `tokens` are the subjects it names.
        """
        if deployment != self.deployment:
            return Refusal.OTHER_DEPLOYMENT
        then = [
            verified.document
            for verified in self.verified.values()
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
        if self.standing(reading) is not None or self.held is None:
            return None
        return self.verified.get(self.held.lease.digest)

    def revoked(self, list_digest: str) -> frozenset[str]:
        """Subject tokens that are off that list; each counts from the moment its record is believed."""
        return self.revocations.tokens(list_digest)

    def _current(self) -> Document | None:
        verified = self.verified.get(self.held.lease.digest) if self.held else None
        return verified.document if verified else None

    def _was_active(self, verified: Verified, at: datetime) -> bool:
        chain = self.chains.get((verified.document.version, verified.digest), Chain())
        return (
            chain.gapless and chain.consistent and self._resumed_rightly(chain, verified) and chain.active_at(at)
        )

    @staticmethod
    def _resumed_rightly(chain: Chain, verified: Verified) -> bool:
        return chain.resumed_by <= verified.approvers

    def _against_time(self, document: Document, reading: ClockReading) -> Refusal | None:
        if self.watch.unsettled(reading):
            return Refusal.CLOCK_STEPPED
        if reading.state not in document.clock.accepts:
            return Refusal.CLOCK_NOT_ACCEPTED
        return None if document.window.covers(reading.wall) else Refusal.OUTSIDE_WINDOW

    @staticmethod
    def _against_lease(held: HeldLease, reading: ClockReading) -> Refusal | None:
        if held.forked:
            return Refusal.LEASE_FORKED
        return None if held.fresh(reading) else Refusal.LEASE_STALE

    def _against_state(self, lease: Lease, verified: Verified) -> Refusal | None:
        chain = self.chains.get((lease.version, lease.digest), Chain())
        if not chain.gapless or len(chain.changes) < lease.state_sequence:
            return Refusal.STATE_BEHIND
        told = chain.state_after(lease.state_sequence)
        if not chain.consistent or told is not lease.state or not self._resumed_rightly(chain, verified):
            return Refusal.STATE_DISPUTED
        # Whichever is the later counts: a stop may come before the lease that knows of it, or after.
        active = chain.state is State.ACTIVE and lease.state is State.ACTIVE
        return None if active else Refusal.NOT_ACTIVE

    def _against_revocations(self, lease: Lease) -> Refusal | None:
        if self.revocations.disputed:
            return Refusal.REVOCATIONS_DISPUTED
        if not self.revocations.reaches(lease.revocations, lease.revocations_head):
            return Refusal.REVOCATIONS_BEHIND
        return None

    def _take(self, record: Record, received_at_s: float, now: datetime) -> Folded:
        try:
            gate = self._believe(record, received_at_s, now)
        except NotBelieved as error:
            if error.why not in _MAY_WAIT:
                return Folded(self, error.why)
            return Folded(self._wait(record, received_at_s), error.why)
        kept = {**gate.believed, record: received_at_s}
        if isinstance(record, LeaseRenewed):  # one is enough: two a second would fill the memory in a day
            kept = {
                known: at for known, at in kept.items() if known == record or not isinstance(known, LeaseRenewed)
            }
        return Folded(replace(gate, believed=kept))

    def _believe(self, record: Record, received_at_s: float, now: datetime) -> Gate:
        match record:
            case RegistryIssued():
                return self._with_registry(record, now)
            case DocumentPublished():
                return self._with_document(record, now)
            case StateRecorded():
                return self._with_change(record, now)
            case LeaseRenewed():
                return self._with_lease(record, received_at_s, now)
            case RevocationRecorded():
                return self._with_revocation(record, now)

    def _with_registry(self, record: RegistryIssued, now: datetime) -> Gate:
        try:
            registry = open_registry(record.token, root_fingerprint=self.root_fingerprint)
        except (BadSignature, NotAuthorised) as error:
            raise NotBelieved(Rejection.BAD_SIGNATURE, str(error)) from None
        if self.registry is not None and registry.sequence <= self.registry.sequence:
            forked = registry.sequence == self.registry.sequence and registry != self.registry
            raise NotBelieved(Rejection.FORKED if forked else Rejection.OLD, "an older registry")
        return self._rebuilt(registry, now)

    def _with_document(self, record: DocumentPublished, now: datetime) -> Gate:
        try:
            found = verify(
                record.document,
                record.approvals,
                self._known_registry(),
                root_fingerprint=self.root_fingerprint,
                now=now,
            )
        except NotAuthorised as error:
            raise NotBelieved(_WHY.get(error.reason, Rejection.NOT_APPROVED), str(error)) from None
        self._about_us(found.document.id)
        known = self.verified.get(found.digest)
        if known is not None and _stronger(known, found):
            return self
        return replace(
            self,
            verified={**self.verified, found.digest: found},
            recheck_at=min(self.recheck_at, found.holds_until),
        )

    def _with_change(self, record: StateRecorded, now: datetime) -> Gate:
        change = open_change(record.token, registry=self._known_registry(), now=now)
        self._about_us(change.statement.deployment)
        key = (change.statement.version, change.statement.digest)
        chain = self.chains.get(key, Chain()).with_change(change)
        return replace(self, chains={**self.chains, key: chain})

    def _with_lease(self, record: LeaseRenewed, received_at_s: float, now: datetime) -> Gate:
        lease = open_as(Lease, record.token, registry=self._known_registry(), now=now).statement
        self._about_us(lease.deployment)
        held = self.held
        if held is None or newer(lease, held.lease):
            return replace(self, held=HeldLease.take(lease, received_at_s=received_at_s, before=held))
        if (lease.version, lease.sequence) == (held.lease.version, held.lease.sequence) and lease != held.lease:
            return replace(self, held=replace(held, forked=True))
        raise NotBelieved(Rejection.OLD, "a lease of a lower version or sequence")

    def _with_revocation(self, record: RevocationRecorded, now: datetime) -> Gate:
        found = open_as(EntriesRevoked, record.token, registry=self._known_registry(), now=now).statement
        self._about_us(found.deployment)
        return replace(self, revocations=self.revocations.with_record(found))

    def _rebuilt(self, registry: Registry, now: datetime) -> Gate:
        """Everything believed or waiting, judged again by another registry, or because a term has ended."""
        ends = (registry.valid_until, *(key.revoked_at for key in registry.keys if key.revoked_at is not None))
        gate = Gate(
            self.deployment,
            self.root_fingerprint,
            registry=registry,
            watch=self.watch,
            recheck_at=min((end for end in ends if end > now), default=_NEVER),
        )
        for record, received_at_s in {**self.believed, **self.waiting}.items():
            if isinstance(record, RegistryIssued):
                gate = replace(gate, believed={**gate.believed, record: received_at_s})
            else:
                gate = gate._take(record, received_at_s, now).gate
        return replace(gate, held=gate.held.remembering(self.held) if gate.held else None)

    def _with_waiting(self, now: datetime) -> Gate:
        gate = replace(self, waiting={})
        for record, received_at_s in self.waiting.items():
            gate = gate._take(record, received_at_s, now).gate
        return gate

    def _known_registry(self) -> Registry:
        if self.registry is None:
            raise NotBelieved(Rejection.NO_REGISTRY, "no registry is known yet")
        return self.registry

    def _about_us(self, deployment: str) -> None:
        if deployment != self.deployment:
            raise NotBelieved(Rejection.OTHER_DEPLOYMENT, "is of another deployment")

    def _wait(self, record: Record, received_at_s: float) -> Gate:
        waiting = {**self.waiting}
        waiting.setdefault(record, received_at_s)
        while len(waiting) > _MOST_WAITING:
            del waiting[next(iter(waiting))]
        return replace(self, waiting=waiting)


def _stronger(known: Verified, found: Verified) -> bool:
    """Whether what is known is worth at least what is found."""
    return (known.quorum is Quorum.FULL, known.holds_until) >= (found.quorum is Quorum.FULL, found.holds_until)

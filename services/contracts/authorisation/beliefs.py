"""What a gate believes: every record of `authority` checked against the root, kept, and checked again in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

from services.contracts.authorisation.approvals import Verified, verify
from services.contracts.authorisation.chain import Chain, open_change
from services.contracts.authorisation.clock import ClockReading, TimeWatch
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.lease import HeldLease, newer
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.authorisation.records import (
    CertificateIssued,
    DocumentPublished,
    HoldRecorded,
    LeaseRenewed,
    Record,
    RegistryIssued,
    RevocationRecorded,
    SharingRecorded,
    StateRecorded,
)
from services.contracts.authorisation.registry import Registry, open_registry
from services.contracts.authorisation.revocations import Revocations
from services.contracts.authorisation.ruling import Ruling
from services.contracts.authorisation.signing import BadSignature, take_apart, unchecked_payload
from services.contracts.authorisation.statements import (
    EntriesRevoked,
    Lease,
    NotBelieved,
    Rejection,
    open_as,
)

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
# Of each kind, of at most 2 MiB each. A flood pushes out the oldest of its own kind: leases, of which there are
# many, never what stands. The topic is compacted, so a registry that was renewed comes after all it is needed for,
# and moves and revocations, which are small, may be as many as a deployment ever has.
_MOST_WAITING = 64
_MOST_SMALL_WAITING = 1024
_SMALL = (StateRecorded, RevocationRecorded, HoldRecorded)
_MOST_APPROVALS = 64  # in one record; each is a signature to check
_WHY = {"malformed": Rejection.MALFORMED, "rules": Rejection.BREAKS_RULES}
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Beliefs:
    """All that is believed about one deployment. A value: folding gives a new one. Starts by believing nothing.

    `believed` and `waiting` hold the records themselves with their arrival (monotonic seconds), because a new
    registry, or the end of a term (`recheck_at`), judges all of them again.
    """

    deployment: str
    root_fingerprint: str
    registry: Registry | None = None
    registry_forked: bool = False
    verified: Mapping[str, Verified] = field(default_factory=dict)
    chains: Mapping[tuple[int, str], Chain] = field(default_factory=dict)
    revocations: Revocations = field(default_factory=Revocations)
    holds: tuple[CaseHeld, ...] = ()
    held: HeldLease | None = None
    watch: TimeWatch = field(default_factory=TimeWatch)
    believed: Mapping[Record, float] = field(default_factory=dict, repr=False)
    waiting: Mapping[Record, float] = field(default_factory=dict, repr=False)
    recheck_at: datetime = _NEVER

    @cached_property
    def ruling(self) -> Ruling:
        """What all this comes to."""
        return Ruling(
            registry=self.registry,
            registry_forked=self.registry_forked,
            verified=self.verified,
            chains=self.chains,
            revocations=self.revocations,
            held=self.held,
        )

    def fold(self, record: Record, reading: ClockReading) -> tuple[Beliefs, Rejection | None]:
        """What is believed after `record` came at `reading`, and why it was not (yet), if so. Never raises."""
        known = replace(self, watch=self.watch.observe(reading))
        if known.registry is not None and reading.wall >= known.recheck_at:
            known = known._rebuilt(known.registry, reading)
        if record in known.believed:
            return known, None
        if not known._may_be_ours(record):
            return known, Rejection.OTHER_DEPLOYMENT
        known, rejected = known._take(record, reading.monotonic_s, reading)
        if rejected is None and isinstance(record, LeaseRenewed):
            known = known._with_waiting(reading)
        return known, rejected

    def _take(
        self, record: Record, received_at_s: float, reading: ClockReading
    ) -> tuple[Beliefs, Rejection | None]:
        try:
            after = self._believe(record, received_at_s, reading)
        except NotBelieved as error:
            if error.why not in _MAY_WAIT:
                return self, error.why
            return self._wait(record, received_at_s), error.why
        if after == self:  # said before in other bytes: nothing to keep, so nobody can fill the memory with it
            return self, None
        kept = {**after.believed, record: received_at_s}
        if isinstance(record, LeaseRenewed):  # one is enough: two a second would fill the memory in a day
            kept = {
                known: at for known, at in kept.items() if known == record or not isinstance(known, LeaseRenewed)
            }
        return replace(after, believed=kept), None

    def _believe(  # noqa: PLR0911 - one a kind
        self, record: Record, received_at_s: float, reading: ClockReading
    ) -> Beliefs:
        match record:
            case RegistryIssued():
                return self._with_registry(record, reading)
            case DocumentPublished():
                return self._with_document(record, reading.wall)
            case StateRecorded():
                return self._with_change(record, reading.wall)
            case LeaseRenewed():
                return self._with_lease(record, received_at_s, reading)
            case RevocationRecorded():
                return self._with_revocation(record, reading.wall)
            case HoldRecorded():
                return self._with_hold(record, reading.wall)
            case CertificateIssued() | SharingRecorded():
                return self  # allows nothing, and forbids nothing

    def _with_registry(self, record: RegistryIssued, reading: ClockReading) -> Beliefs:
        try:
            registry = open_registry(record.token, root_fingerprint=self.root_fingerprint)
        except (BadSignature, NotAuthorised) as error:
            raise NotBelieved(Rejection.BAD_SIGNATURE, str(error)) from None
        if self.registry is not None and registry.sequence <= self.registry.sequence:
            if registry.sequence == self.registry.sequence and registry != self.registry:
                return replace(self, registry_forked=True)  # until the root has signed the next
            raise NotBelieved(Rejection.OLD, "an older registry")
        return self._rebuilt(registry, reading)

    def _with_document(self, record: DocumentPublished, now: datetime) -> Beliefs:
        if len(record.approvals) > _MOST_APPROVALS:
            raise NotBelieved(Rejection.MALFORMED, f"a document has at most {_MOST_APPROVALS} approvals")
        try:
            found = verify(
                record.document,
                self._approvals(record),
                self._known_registry(),
                root_fingerprint=self.root_fingerprint,
                now=now,
            )
        except NotAuthorised as error:
            raise NotBelieved(_WHY.get(error.reason, Rejection.NOT_APPROVED), str(error)) from None
        self._about_us(found.document.id)
        return replace(
            self,
            verified={**self.verified, found.digest: found},
            recheck_at=min(self.recheck_at, found.holds_until),
        )

    def _approvals(self, record: DocumentPublished) -> tuple[str, ...]:
        """Approvals add up over publications: a poorer one, played after a richer, takes nothing away."""
        known = (one for one in self.believed if isinstance(one, DocumentPublished))
        before = (token for one in known if one.document == record.document for token in one.approvals)
        return tuple(dict.fromkeys((*before, *record.approvals)))

    def _with_change(self, record: StateRecorded, now: datetime) -> Beliefs:
        change = open_change(record.token, registry=self._known_registry(), now=now)
        self._about_us(change.statement.deployment)
        key = (change.statement.version, change.statement.digest)
        chain = self.chains.get(key, Chain()).with_change(change)
        return replace(self, chains={**self.chains, key: chain})

    def _with_lease(self, record: LeaseRenewed, received_at_s: float, reading: ClockReading) -> Beliefs:
        lease = open_as(Lease, record.token, registry=self._known_registry(), now=reading.wall).statement
        self._about_us(lease.deployment)
        held = self.held
        if held is None or newer(lease, held.lease):
            taken = HeldLease.take(
                lease, received_at_s=received_at_s, believed_at_s=reading.monotonic_s, before=held
            )
            return replace(self, held=taken)
        if (lease.version, lease.sequence) == (held.lease.version, held.lease.sequence) and lease != held.lease:
            return replace(self, held=replace(held, forked=True))
        raise NotBelieved(Rejection.OLD, "a lease of a lower version or sequence")

    def _with_revocation(self, record: RevocationRecorded, now: datetime) -> Beliefs:
        found = open_as(EntriesRevoked, record.token, registry=self._known_registry(), now=now).statement
        self._about_us(found.deployment)
        return replace(self, revocations=self.revocations.with_record(found))

    def _with_hold(self, record: HoldRecorded, now: datetime) -> Beliefs:
        found = open_as(CaseHeld, record.token, registry=self._known_registry(), now=now).statement
        self._about_us(found.deployment)
        return replace(self, holds=(*self.holds, found))

    def _rebuilt(self, registry: Registry, reading: ClockReading) -> Beliefs:
        """Everything believed or waiting, judged again by another registry, or because a term has ended."""
        ends = (registry.valid_until, *(key.revoked_at for key in registry.keys if key.revoked_at is not None))
        known = Beliefs(
            self.deployment,
            self.root_fingerprint,
            registry=registry,
            registry_forked=self.registry_forked and registry == self.registry,
            watch=self.watch,
            recheck_at=min((end for end in ends if end > reading.wall), default=_NEVER),
        )
        for record, received_at_s in {**self.believed, **self.waiting}.items():
            if isinstance(record, RegistryIssued):
                known = replace(known, believed={**known.believed, record: received_at_s})
            else:
                known, _ = known._take(record, received_at_s, reading)
        return replace(known, held=known.held.remembering(self.held) if known.held else None)

    def _with_waiting(self, reading: ClockReading) -> Beliefs:
        known = replace(self, waiting={})
        for record, received_at_s in self.waiting.items():
            known, _ = known._take(record, received_at_s, reading)
        return known

    def _known_registry(self) -> Registry:
        if self.registry is None:
            raise NotBelieved(Rejection.NO_REGISTRY, "no registry is known yet")
        return self.registry

    def _about_us(self, deployment: str) -> None:
        if deployment != self.deployment:
            raise NotBelieved(Rejection.OTHER_DEPLOYMENT, "is of another deployment")

    def _wait(self, record: Record, received_at_s: float) -> Beliefs:
        waiting = {**self.waiting}
        waiting.setdefault(record, received_at_s)
        alike = [one for one in waiting if type(one) is type(record)]
        most = _MOST_SMALL_WAITING if isinstance(record, _SMALL) else _MOST_WAITING
        for oldest in alike[:-most]:
            del waiting[oldest]
        return replace(self, waiting=waiting)

    def _may_be_ours(self, record: Record) -> bool:
        """False if it cannot be about our deployment, whoever signed it: canonical bytes say so in one way."""
        match record:
            case RegistryIssued():
                return True
            case DocumentPublished():
                return f'"id":"{self.deployment}"'.encode() in record.document
            case _:
                try:
                    claimed = unchecked_payload(take_apart(record.token))
                except BadSignature:
                    return True  # to be refused as what it is
                return f'"deployment":"{self.deployment}"'.encode() in claimed

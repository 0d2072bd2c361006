"""How a move or a lease becomes a record: judged by every fact, numbered, signed with oversight's own key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.contracts.authorisation import approvals
from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, Role, State
from services.contracts.authorisation.exporting import ChainExported
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.purging import PurgeAnswer
from services.contracts.authorisation.records import CertificateIssued, LeaseRenewed, Record, StateRecorded
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.rules import URGENCY_BINDS, UrgentUse
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import (
    Approval,
    Attestation,
    Lease,
    NotBelieved,
    StateChanged,
    open_as,
    sign,
)
from services.contracts.authorisation.states import Actor, Facts, next_state
from services.contracts.codec_authority import Said
from services.contracts.sealed.seal import Seal
from services.oversight.core import purging
from services.oversight.core import register as registers
from services.oversight.core.register import Register, Version

TRUST = "issue 4.1: trust"
_OVERSIGHT = Actor("oversight", Role.OVERSIGHT)


@dataclass(frozen=True)
class Now:
    """The moment of a decision: time, which sealed lists are loaded, as (deployment, digest), what holders have
    answered to orders to purge, and the seals of loaded lists as far as they could be read."""

    reading: ClockReading
    lists: frozenset[tuple[str, str]] = frozenset()
    answers: tuple[PurgeAnswer, ...] = ()
    seals: Mapping[tuple[str, str], Seal] = field(default_factory=dict)

    @property
    def wall(self) -> datetime:
        return self.reading.wall


@dataclass(frozen=True)
class Entry:
    """One record to write, and what it says: its key follows from that."""

    record: Record
    said: Said = field(repr=False)


@dataclass(frozen=True)
class Decision:
    """What to write, all or nothing, and the register once it is committed. `version` is what it was about.

    `exported` is for the audit chain alone: it changes no authority.
    """

    after: Register
    entries: tuple[Entry, ...] = ()
    version: Version | None = None
    exported: ChainExported | None = None

    def writing(self, entry: Entry, after: Register, version: Version | None = None) -> Decision:
        return Decision(after, (*self.entries, entry), version or self.version)


class Clerk:
    """Holds the key, and nothing else. Raises NotAuthorised for what may not be recorded."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def may_sign(self, register: Register, now: datetime) -> bool:
        """Whether the registry has oversight's own key, in its role and term."""
        known = register.registry.key(self._key.kid) if register.registry else None
        return (
            known is not None and known.role is Role.OVERSIGHT and known.valid_at(now) and not known.revoked(now)
        )

    def facts(
        self,
        register: Register,
        version: Version,
        now: Now,
        *,
        reason: str | None = None,
        evidence: str | None = None,
    ) -> Facts:
        """Everything that a move of this version is judged by."""
        document = version.document
        sealed = document.watchlist.digest
        return Facts(
            now=now.wall,
            document=document,
            before=_before(register, document),
            verified=weighed(register, version, now)[0],
            attestation=self._attestation(register, version, now),
            others=register.others(document),
            urgencies=urgencies(register, document, now) if document.urgent is not None else (),
            authorised_at=version.authorised_at,
            sealed_list=sealed if (document.id, sealed) in now.lists else None,
            clock=now.reading.state,
            reason=reason,
            evidence=evidence,
        )

    def move(
        self,
        decision: Decision,
        version: Version,
        move: Move,
        now: Now,
        *,
        by: Actor = _OVERSIGHT,
        order: str | None = None,
        reason: str | None = None,
        evidence: str | None = None,
    ) -> Decision:
        """The decision with one more move of `version` in it, if it is allowed. Raises NotAuthorised."""
        register, document = decision.after, version.document
        self.require_signing(register, now.wall)
        facts = self.facts(register, version, now, reason=reason, evidence=evidence)
        after = next_state(version.state, move, by=by, facts=facts)
        said = StateChanged(
            deployment=document.id,
            # Moves are never back in time, or the services would dispute all of them: a clock that was set back
            # must not keep anybody from stopping.
            signed_at=max(now.wall, version.moves[-1].said.signed_at) if version.moves else now.wall,
            version=document.version,
            digest=document.digest,
            sequence=len(version.moves) + 1,
            move=move,
            before=version.state,
            after=after,
            order=order,
            attestation=version.attestations[-1] if move is Move.ACTIVATE else None,
            evidence=evidence,
        )
        token = sign(said, self._key)
        moved = replace(version, moves=(*version.moves, registers.Move(said, token)))
        return decision.writing(Entry(StateRecorded(token), said), register.with_version(moved), moved)

    def leased(self, decision: Decision, deployment: str, now: Now) -> Decision:
        """The decision with a lease in it, if there is anything to lease, or a last word to say."""
        register = decision.after
        known = register.deployment(deployment)
        version = known.in_force()
        if version is None and known.lease is not None:
            last = known.versions.get(known.lease.version)
            # Once more after the end, and then no more: the last lease says that it is over.
            version = last if last is not None and last.state is not known.lease.state else None
        if version is None or not version.moves or register.registry is None:
            return decision
        lease = Lease(
            deployment=deployment,
            signed_at=now.wall,
            version=version.number,
            digest=version.document.digest,
            sequence=known.lease.sequence + 1 if known.lease else 1,
            state=version.state,
            state_sequence=len(version.moves),
            registry_sequence=register.registry.sequence,
            revocations=len(known.revocations.heads) - 1,
            revocations_head=known.revocations.heads[-1],
        )
        after = register.with_deployment(deployment, replace(known, lease=lease))
        return decision.writing(Entry(LeaseRenewed(sign(lease, self._key)), lease), after)

    def purged(self, decision: Decision, version: Version, now: Now) -> Decision:
        """The decision with the certificate and the move to PURGED in it, once every holder has answered."""
        found = purging.certificate(version, now.answers, now.wall, later=decision.after.later(version))
        if found is None:
            return decision
        token = sign(found, self._key)
        certified = replace(version, certificate=token)
        decision = decision.writing(
            Entry(CertificateIssued(token), found), decision.after.with_version(certified), certified
        )
        moved = self.move(decision, certified, Move.PURGE, now, evidence=found.canonical_digest)
        return self.leased(moved, version.document.id, now)

    def require_signing(self, register: Register, now: datetime) -> None:
        """Raises NotAuthorised if nothing that oversight signs would be believed."""
        if not self.may_sign(register, now):
            rule = "oversight's own key is not in it, in role `oversight` and in force: the root must enrol it"
            raise refused("registry", "registry", rule)

    def waits_for(
        self, register: Register, version: Version, now: Now, *, state: State | None = None
    ) -> tuple[Finding, ...]:
        """What stands between a version and the state it is on the way to; nothing where only people decide."""
        state = state or version.state
        if state is State.SUBMITTED:
            return weighed(register, version, now)[1]
        if state is State.ENDED:
            return purging.waits_for(version, now.answers, later=register.later(version))
        if state is not State.AUTHORISED:
            return ()
        try:
            next_state(state, Move.ACTIVATE, by=_OVERSIGHT, facts=self.facts(register, version, now))
        except NotAuthorised as error:
            return error.findings
        return ()

    def _attestation(self, register: Register, version: Version, now: Now) -> Attestation | None:
        if not version.attestations or register.registry is None:
            return None
        try:
            return open_as(
                Attestation, version.attestations[-1], registry=register.registry, now=now.wall
            ).statement
        except NotBelieved:
            return None


def weighed(register: Register, version: Version, now: Now) -> tuple[Verified | None, tuple[Finding, ...]]:
    """What the approvals come to at this moment, as every service finds it for itself; or what they lack."""
    try:
        found = approvals.verify(
            version.document,
            version.approvals,
            known_registry(register),
            root_fingerprint=register.root_fingerprint,
            now=now.wall,
        )
    except NotAuthorised as error:
        return None, error.findings
    return found, ()


def urgencies(register: Register, document: Document, now: Now) -> tuple[UrgentUse, ...]:
    """The other authorities that were approved in urgency of late, and not in full."""
    return tuple(
        UrgentUse(version.document, _signers(register, version, now))
        for version in register.versions()
        if version.document.id != document.id
        and (urgent := version.document.urgent) is not None
        and version.authorised_at is not None
        and now.wall < urgent.deadline + URGENCY_BINDS
        and not _in_full(register, version, now)
    )


def _in_full(register: Register, version: Version, now: Now) -> bool:
    found = weighed(register, version, now)[0]
    return found is not None and found.quorum is approvals.Quorum.FULL


def _signers(register: Register, version: Version, now: Now) -> frozenset[str]:
    """Whose signatures are under it: others may have been written to the topic by anybody."""
    registry, signers = known_registry(register), set()
    for token in version.approvals:
        try:
            said = open_as(Approval, token, registry=registry, now=now.wall)
        except NotBelieved:
            continue
        if said.statement.digest == version.document.digest:
            signers.add(said.key.person)
    return frozenset(signers)


def known_registry(register: Register) -> Registry:
    """Raises NotAuthorised where none is known."""
    if register.registry is None:
        raise refused("registry", "registry", "none is known: the root's must be put first")
    return register.registry


def refused(reason: str, field_name: str, rule: str, source: str = TRUST) -> NotAuthorised:
    """A refusal for one finding."""
    return NotAuthorised(reason, [Finding(field_name, rule, source)])


def _before(register: Register, document: Document) -> Document | None:
    """The latest version that was submitted, other than this document itself."""
    known = register.deployment(document.id).versions.values()
    submitted = [one for one in known if one.state is not State.DRAFT and one.document.digest != document.digest]
    return max(submitted, key=lambda one: one.number).document if submitted else None

"""What becomes of a command: records to write and the register after them, or all that stands against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from services.contracts import topics
from services.contracts.audit.requests import SYSTEM
from services.contracts.authorisation import registry, signing
from services.contracts.authorisation.approvals import Quorum
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, Role, State
from services.contracts.authorisation.exporting import ChainExported
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.authorisation.records import HoldRecorded, RegistryIssued, RevocationRecorded
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import (
    ORDER_LIVES,
    AboutVersion,
    Approval,
    Attestation,
    EntriesRevoked,
    NotBelieved,
    Opened,
    Order,
    Statement,
    open_as,
)
from services.contracts.authorisation.states import Actor
from services.oversight.core import purging, reading, sharing
from services.oversight.core.clerk import (
    TRUST,
    Clerk,
    Decision,
    Entry,
    Now,
    known_registry,
    refused,
    weighed,
)
from services.oversight.core.commands import (
    Approve,
    Attest,
    Command,
    Conclude,
    EnterSharing,
    Export,
    Give,
    Hold,
    PutRegistry,
    Read,
    Revoke,
    Submit,
)
from services.oversight.core.register import Register, Version, with_tokens

_REPLAY = "issue 4.1: attacks, replay"
_ORDERED = frozenset(
    {
        Move.REFUSE,
        Move.CANCEL,
        Move.SUSPEND,
        Move.RESUME,
        Move.STOP,
        Move.ORDER_PURGE,
        Move.REPORT,
        Move.REVIEW,
    }
)
# Better late than never. Anything else that was refused once must not be done when nobody wants it any more.
_SAFE = frozenset({Move.REFUSE, Move.CANCEL, Move.SUSPEND, Move.STOP})
_HAS_EVIDENCE = frozenset({State.ACTIVE, State.SUSPENDED, State.ENDED})
_SIGN_FOR_THE_CHAIN = frozenset({Role.OVERSIGHT, Role.SERVICE})
_CHAIN = "EU AI Act 12, G11"
_CONCLUDED = frozenset({Move.PURGE})

# A document has 1 MiB at most, and a signature under it a few hundred bytes.
_MOST_BYTES = topics.AUTHORITY.max_message_bytes - 64 * 1024

S = TypeVar("S", bound=Statement)


class Registrar:
    """Decides. Keeps nothing: the register is handed in and given back."""

    def __init__(self, clerk: Clerk) -> None:
        self._clerk = clerk

    def decide(  # noqa: PLR0911, C901 - one a command
        self, register: Register, command: Command, now: Now
    ) -> Decision:
        """Raises NotAuthorised or NotBelieved, and then nothing has happened."""
        match command:
            case PutRegistry():
                return self._put_registry(register, command.token, now)
            case Submit():
                return self._submit(register, reading.read(command, known_registry(register), now.wall), now)
            case Read():
                return self._submit(register, command, now)
            case Approve():
                return self._approve(register, command.token, now)
            case Attest():
                return self._attest(register, command.token, now)
            case Give():
                return self._give(register, command, now)
            case Revoke():
                return self._revoke(register, command.token, now)
            case Hold():
                return self._hold(register, command.token, now)
            case Export():
                return self._export(register, command.token, now)
            case Conclude():
                return self._conclude(register, command, now)
            case EnterSharing():
                return sharing.enter(self._clerk, register, command.token, now)

    # The commands, in the order of an authority's life.

    def _put_registry(self, register: Register, token: str, now: Now) -> Decision:
        try:
            found = registry.open_registry(token, root_fingerprint=register.root_fingerprint)
        except signing.BadSignature as error:
            raise refused("malformed", "registry", str(error)) from None
        if found == register.registry:
            return Decision(register)
        against = list(registry.in_force(found, root_fingerprint=register.root_fingerprint, now=now.wall))
        if found.organisation != register.organisation:
            against.append(Finding("registry.organisation", "is another organisation's", TRUST))
        if register.registry is not None and found.sequence <= register.registry.sequence:
            rule = f"must be greater than {register.registry.sequence}, that of the one in force"
            against.append(Finding("registry.sequence", rule, TRUST))
        if found.sequence < register.registry_floor:
            rule = f"must be at least {register.registry_floor}, which leases have named"
            against.append(Finding("registry.sequence", rule, TRUST))
        against += _dropped(register.registry, found)
        if against:
            raise NotAuthorised("registry", against)
        return Decision(register).writing(Entry(RegistryIssued(token), found), replace(register, registry=found))

    def _submit(self, register: Register, command: Read, now: Now) -> Decision:
        known = known_registry(register)
        document = command.document
        if document.organisation != register.organisation:
            raise refused("requirements", "organisation", "is not this register's")
        before = register.version(document.id, document.version)
        if before is not None and before.state is not State.DRAFT and before.document.digest == document.digest:
            if set(command.approvals) <= set(before.approvals):
                return Decision(register, version=before)
            raise refused("requirements", "document", "is submitted already: send what is new with `approve`")
        version = Version(document, approvals=with_tokens((), command.approvals))
        against = _discounted(weighed(register, version, now)[1])
        if against:
            raise NotAuthorised("requirements", against)
        if not any(_is_authors(document, token, known, now.wall) for token in version.approvals):
            raise refused(
                "requirements", "approvals", "the author's own signature is missing", "issue 4.1: quorum"
            )
        decision = self._clerk.move(
            Decision(register), version, Move.SUBMIT, now, by=Actor(document.author, Role.AUTHOR)
        )
        decision = replace(decision, entries=(_document_of(version), *decision.entries))
        return self._with_quorum(decision, now)

    def _approve(self, register: Register, token: str, now: Now) -> Decision:
        opened = _open(Approval, register, token, now)
        version = _about(register, opened.statement)
        if not (version.live or version.state is State.SUBMITTED or _waits_for_approval(version, now)):
            raise refused("move", "approval", f"comes too late: the authority is `{version.state}`", "C-18")
        if token in version.approvals:
            return Decision(register, version=version)
        known = replace(version, approvals=(*version.approvals, token))
        verified, findings = weighed(register, known, now)
        index = len(version.approvals)
        against = [one for one in findings if one.field == f"approvals.{index}"]
        counted = verified is None or opened.key.role is Role.AUTHOR or opened.key.person in verified.approvers
        if against or not counted:
            raise NotAuthorised(
                "requirements",
                against or [Finding(f"approvals.{index}", "does not count for this document", "C-18")],
            )
        return self._with_quorum(_published(Decision(register), known), now)

    def _with_quorum(self, decision: Decision, now: Now) -> Decision:
        """Authorised, once enough have approved."""
        version = decision.version
        if version is None or version.state is not State.SUBMITTED:
            return decision
        verified, _ = weighed(decision.after, version, now)
        if verified is None:
            return decision
        role = Role.AUTHORISING_OFFICER if verified.quorum is Quorum.FULL else Role.URGENT_OFFICER
        decision = self._clerk.move(decision, version, Move.APPROVE, now, by=Actor(min(verified.approvers), role))
        return self._clerk.leased(decision, version.document.id, now)

    def _attest(self, register: Register, token: str, now: Now) -> Decision:
        version = _about(register, _open(Attestation, register, token, now).statement)
        if version.state not in (State.SUBMITTED, State.AUTHORISED):
            raise refused("move", "attestation", f"is not waited for: the authority is `{version.state}`", "C-09")
        if token in version.attestations:
            return Decision(register, version=version)
        attested = replace(version, attestations=(*version.attestations, token))
        waits = self._clerk.waits_for(register, attested, now, state=State.AUTHORISED)
        against = [finding for finding in waits if finding.field.startswith("attestation")]
        if against:
            raise NotAuthorised("requirements", against)
        return _published(Decision(register), attested)

    def _give(self, register: Register, command: Give, now: Now) -> Decision:
        opened = _open(Order, register, command.token, now)
        order, version = opened.statement, _about(register, opened.statement)
        if order.move not in _ORDERED:
            raise refused("move", "order.move", f"`{order.move}` is not done by an order")
        if order.move not in _SAFE and not order.is_of(now.wall):
            raise refused("requirements", "order.signed_at", f"must be within {ORDER_LIVES} of now", _REPLAY)
        overtaken = order.sequence <= len(version.moves)
        # A stop is never lost to somebody else's move: played again, it leads nowhere.
        if order.sequence > len(version.moves) + 1 or (overtaken and order.move is not Move.STOP):
            rule = f"must be {len(version.moves) + 1}, the next of this version: it is valid once"
            raise refused("requirements", "order.sequence", rule, _REPLAY)
        decision = self._clerk.move(
            Decision(register),
            version,
            order.move,
            now,
            by=Actor(opened.key.person, opened.key.role),
            order=command.token,
            reason=order.reason,
            evidence=order.evidence,
        )
        return self._clerk.leased(decision, order.deployment, now)

    def _conclude(self, register: Register, command: Conclude, now: Now) -> Decision:
        version = register.version(command.deployment, command.version)
        if version is None:
            raise _unknown()
        if command.move not in _CONCLUDED:
            raise refused("move", "move", f"`{command.move}` is not concluded by oversight")
        decision = self._clerk.move(Decision(register), version, command.move, now, evidence=command.evidence)
        return self._clerk.leased(decision, command.deployment, now)

    def _revoke(self, register: Register, token: str, now: Now) -> Decision:
        said = _open(EntriesRevoked, register, token, now).statement
        self._clerk.require_signing(register, now.wall)
        known = register.deployment(said.deployment)
        if not known.versions:
            raise _unknown()
        heads, against = known.revocations.heads, []
        if known.revocations.records.get(said.sequence) == said:
            return Decision(register, version=known.latest())
        if all(version.document.watchlist.digest != said.list_digest for version in known.versions.values()):
            against.append(Finding("revocation.list_digest", "is of no list of this deployment", "C-24"))
        if (said.sequence, said.previous) != (len(heads), heads[-1]):
            rule = f"must be number {len(heads)}, after the head {heads[-1]}"
            against.append(Finding("revocation.sequence", rule, "issue 4.1: gapless"))
        if against:
            raise NotAuthorised("requirements", against)
        taken = replace(known, revocations=known.revocations.with_record(said))
        decision = Decision(register, version=known.latest()).writing(
            Entry(RevocationRecorded(token), said), register.with_deployment(said.deployment, taken)
        )
        return self._clerk.leased(decision, said.deployment, now)

    def _hold(self, register: Register, token: str, now: Now) -> Decision:
        said = _open(CaseHeld, register, token, now).statement
        self._clerk.require_signing(register, now.wall)
        known = register.deployment(said.deployment)
        latest = known.ran_last() or known.latest()
        if latest is None:
            raise _unknown()
        if said in known.holds:
            return Decision(register, version=latest)
        against = []
        if latest.state not in _HAS_EVIDENCE or purging.order_of(latest) is not None:
            against.append(Finding("hold", "comes too late: what it is about is being purged", "C-02"))
        ends = latest.document.window.end + timedelta(days=latest.document.retention.evidence_d)
        if not now.wall < said.until <= ends:
            against.append(
                Finding("hold.until", f"must be to come, and {ends:%Y-%m-%d %H:%M} UTC at most", "C-02")
            )
        if against:
            raise NotAuthorised("requirements", against)
        after = register.with_deployment(said.deployment, replace(known, holds=(*known.holds, said)))
        return Decision(register, version=latest).writing(Entry(HoldRecorded(token), said), after)

    def _export(self, register: Register, token: str, now: Now) -> Decision:
        said = _open(ChainExported, register, token, now).statement
        # Or it would be answered, and not recorded.
        self._clerk.require_signing(register, now.wall)
        latest = register.deployment(said.deployment).latest()
        if latest is None and said.deployment != SYSTEM:
            raise _unknown()
        if not said.is_of(now.wall):
            raise refused("requirements", "export.signed_at", "must be of now: it is valid once", _REPLAY)
        return Decision(register, version=latest, exported=said)


def _dropped(before: Registry | None, found: Registry) -> Iterator[Finding]:
    """Keys that sign for the audit chain stay listed for good: without one nobody could tell what it signed from a
    stranger's record, and the chain would begin anew where it first signed."""
    for key in before.keys if before else ():
        if key.role not in _SIGN_FOR_THE_CHAIN:
            continue
        kept = found.key(key.kid)
        if kept is None or (kept.person, kept.role) != (key.person, key.role):
            rule = f"must still have the key {key.kid} of {key.person}: a key that is over is revoked, and stays"
            yield Finding("registry.keys", rule, _CHAIN)


def _published(decision: Decision, version: Version) -> Decision:
    return decision.writing(_document_of(version), decision.after.with_version(version), version)


def _document_of(version: Version) -> Entry:
    """Its record. Raises NotAuthorised where Kafka would not take it, and with it no lease."""
    if len(version.approvals) > reading.MOST_APPROVALS:
        raise reading.too_many_approvals()
    record = version.published()
    if len(record.document) + sum(map(len, record.approvals)) > _MOST_BYTES:
        raise refused("requirements", "approvals", "there are too many, or they are too long", "issue 4.1")
    return Entry(record, version.document)


def _open(kind: type[S], register: Register, token: str, now: Now) -> Opened[S]:
    return open_as(kind, token, registry=known_registry(register), now=now.wall)


def _about(register: Register, said: AboutVersion) -> Version:
    version = register.version(said.deployment, said.version)
    if version is None:
        raise _unknown()
    if version.document.digest != said.digest:
        raise refused("requirements", "digest", "is of another document", _REPLAY)
    return version


def _waits_for_approval(version: Version, now: Now) -> bool:
    """What was urgent may be over before its day to be approved is; unless it is, all of it is purged then."""
    urgent = version.document.urgent
    return version.state is State.ENDED and urgent is not None and now.wall < urgent.deadline


def _is_authors(document: Document, token: str, known: Registry, now: datetime) -> bool:
    try:
        opened = open_as(Approval, token, registry=known, now=now)
    except NotBelieved:
        return False
    return opened.key.role is Role.AUTHOR and opened.key.person == document.author


def _discounted(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.field.startswith("approvals.")]


def _unknown() -> NotAuthorised:
    return refused("unknown", "deployment", "has no such version here")

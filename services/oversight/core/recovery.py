"""The register as its records on `authority` tell it: what a leader begins with.

Whoever could write there is not believed for it: every record is checked once more. But it is judged as of the
time at which it was signed, not as of today: a key that was revoked since undoes what the services may do, at
their own gates, and not what happened. So serial numbers and reports owed outlive the keys of those who signed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from services.contracts.authorisation import signing
from services.contracts.authorisation.canonical import digest_of
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.lease import newer
from services.contracts.authorisation.purging import CaseHeld, PurgeCertificate
from services.contracts.authorisation.records import (
    CertificateIssued,
    DocumentPublished,
    HoldRecorded,
    LeaseRenewed,
    Record,
    RegistryIssued,
    RevocationRecorded,
    StateRecorded,
)
from services.contracts.authorisation.registry import Registry, open_registry
from services.contracts.authorisation.statements import (
    Attestation,
    EntriesRevoked,
    Lease,
    NotBelieved,
    Rejection,
    StateChanged,
    Statement,
    open_as,
)
from services.contracts.authorisation.states import TABLE
from services.oversight.core import sharing
from services.oversight.core.register import Move, Register, Version, with_tokens

S = TypeVar("S", bound=Statement)


@dataclass(frozen=True)
class Recovered:
    """The register, and how many records were passed over, by reason."""

    register: Register
    rejected: Mapping[Rejection, int]


@dataclass
class _Found:
    """What is believed so far. Owned by the one call of `recover`."""

    documents: dict[tuple[str, int], dict[str, Version]] = field(default_factory=dict)
    moves: dict[str, list[Move]] = field(default_factory=dict)
    rejected: Counter[Rejection] = field(default_factory=Counter)


def recover(records: Sequence[Record], *, organisation: str, root_fingerprint: str) -> Recovered:
    """From all committed records, oldest first. Never raises for what is in a record."""
    found = _Found()
    register = Register(organisation, root_fingerprint)
    registry = _registry(records, organisation, root_fingerprint, found)
    shared = sharing.recovered(records, registry, organisation, found.rejected)
    register = replace(register, registry=registry, sharing=shared)
    if registry is None:
        return Recovered(register, found.rejected)
    _collect(records, registry, found)
    for candidates in found.documents.values():
        version = _chosen(candidates.values(), found)
        if version.moves:  # a paper that oversight never took takes no serial number, whoever wrote it there
            register = register.with_version(version)
    register = _with_revocations(register, records, registry, found)
    register = _with_holds(register, records, registry, found)
    for record in records:
        if isinstance(record, CertificateIssued):
            register = _with_certificate(register, record.token, registry, found)
    register = _with_leases(register, records, registry, found)
    if registry.sequence < register.registry_floor:
        # An older one was written over the newest: whoever was revoked since would be believed again.
        found.rejected[Rejection.OLD] += 1
        register = replace(register, registry=None)
    return Recovered(register, found.rejected)


def _with_revocations(
    register: Register, records: Iterable[Record], registry: Registry, found: _Found
) -> Register:
    tokens = [record.token for record in records if isinstance(record, RevocationRecorded)]
    for revoked in sorted(_opened(EntriesRevoked, tokens, registry, found), key=lambda one: one.sequence):
        known = register.deployment(revoked.deployment)
        taken = replace(known, revocations=known.revocations.with_record(revoked))
        register = register.with_deployment(revoked.deployment, taken)
    return register


def _with_leases(register: Register, records: Iterable[Record], registry: Registry, found: _Found) -> Register:
    tokens = [record.token for record in records if isinstance(record, LeaseRenewed)]
    for lease in _opened(Lease, tokens, registry, found):
        known = register.deployment(lease.deployment)
        if known.lease is None or newer(lease, known.lease):
            register = register.with_deployment(lease.deployment, replace(known, lease=lease))
    return register


def _with_holds(register: Register, records: Iterable[Record], registry: Registry, found: _Found) -> Register:
    tokens = [record.token for record in records if isinstance(record, HoldRecorded)]
    for hold in dict.fromkeys(_opened(CaseHeld, tokens, registry, found)):
        known = register.deployment(hold.deployment)
        register = register.with_deployment(hold.deployment, replace(known, holds=(*known.holds, hold)))
    return register


def _with_certificate(register: Register, token: str, registry: Registry, found: _Found) -> Register:
    for said in _opened(PurgeCertificate, [token], registry, found):
        version = register.version(said.deployment, said.version)
        if version is not None and version.document.digest == said.digest:
            return register.with_version(replace(version, certificate=token))
    return register


def _registry(
    records: Iterable[Record], organisation: str, root_fingerprint: str, found: _Found
) -> Registry | None:
    """The newest of the organisation's."""
    newest: Registry | None = None
    for record in records:
        if not isinstance(record, RegistryIssued):
            continue
        try:
            registry = open_registry(record.token, root_fingerprint=root_fingerprint)
        except (signing.BadSignature, NotAuthorised):
            found.rejected[Rejection.BAD_SIGNATURE] += 1
            continue
        if registry.organisation == organisation and (newest is None or registry.sequence > newest.sequence):
            newest = registry
    return newest


def _collect(records: Iterable[Record], registry: Registry, found: _Found) -> None:
    published = []
    for record in records:
        if isinstance(record, DocumentPublished):
            published.append(record)
        elif isinstance(record, StateRecorded):
            try:
                said = as_signed(StateChanged, record.token, registry)
            except NotBelieved as error:
                found.rejected[error.why] += 1
            else:
                found.moves.setdefault(said.digest, []).append(Move(said, record.token))
    for one in published:
        _take_document(one, registry, found)


def _take_document(record: DocumentPublished, registry: Registry, found: _Found) -> None:
    """Whether it is approved is asked when it matters; that it was submitted takes its serial number.

    A paper that oversight never took is not even read: anybody may have written it, and reading takes a second.
    """
    if digest_of(record.document) not in found.moves:
        found.rejected[Rejection.NOT_APPROVED] += 1
        return
    try:
        document = Document.from_canonical(record.document)
    except NotAuthorised:
        found.rejected[Rejection.MALFORMED] += 1
        return
    if document.organisation != registry.organisation:
        found.rejected[Rejection.OTHER_DEPLOYMENT] += 1
        return
    candidates = found.documents.setdefault((document.id, document.version), {})
    known = candidates.get(document.digest, Version(document))
    candidates[document.digest] = replace(
        known,
        approvals=with_tokens(known.approvals, (one for one in record.approvals if not is_attestation(one))),
        attestations=with_tokens(known.attestations, filter(is_attestation, record.approvals)),
    )


def _chosen(candidates: Iterable[Version], found: _Found) -> Version:
    """Of several texts under one number the one that oversight has acted upon; else the latest."""
    versions = [
        replace(version, moves=tuple(_in_order(version, found.moves.get(version.document.digest, ()), found)))
        for version in candidates
    ]
    return max(reversed(versions), key=lambda version: len(version.moves))


def _in_order(version: Version, moves: Iterable[Move], found: _Found) -> Iterator[Move]:
    """The moves from the first on, as far as each follows from the one before."""
    state, taken = version.state, dict[int, str]()
    for move in sorted(moves, key=lambda one: one.said.sequence):
        said = move.said
        step = TABLE.get((said.before, said.move))
        legal = step is not None and step.after is said.after and said.before is state
        if said.sequence == len(taken) + 1 and legal and said.deployment == version.document.id:
            state, taken[said.sequence] = said.after, move.token
            yield move
        elif taken.get(said.sequence) != move.token:
            found.rejected[Rejection.ILLEGAL_MOVE] += 1


def _opened(kind: type[S], tokens: Iterable[str], registry: Registry, found: _Found) -> Iterator[S]:
    for token in tokens:
        try:
            yield as_signed(kind, token, registry)
        except NotBelieved as error:
            found.rejected[error.why] += 1


def as_signed(kind: type[S], token: str, registry: Registry) -> S:
    """The statement, if its key might sign it at the time that it bears. Raises NotBelieved."""
    try:
        claimed = kind.from_canonical(signing.unchecked_payload(signing.take_apart(token)))
    except (signing.BadSignature, NotAuthorised) as error:
        raise NotBelieved(Rejection.MALFORMED, f"{kind.TYP}: {error}") from None
    return open_as(kind, token, registry=registry, now=claimed.signed_at).statement


def is_attestation(token: str) -> bool:
    """Whether a token says of itself that it is one; nothing of it is checked."""
    try:
        return signing.take_apart(token).typ == Attestation.TYP
    except signing.BadSignature:
        return False

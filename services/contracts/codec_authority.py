"""Records of `authority` to bytes and back, and the keys they are written under. Checks no signature."""

from __future__ import annotations

from services.contracts import topics
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.purging import CaseHeld, PurgeCertificate
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
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import EntriesRevoked, Lease, StateChanged
from services.contracts.codec_fields import parsed
from services.contracts.errors import Undecodable
from services.contracts.sharing.statements import SharingStatement
from signpost.v1 import authority_pb2

Said = Registry | Document | StateChanged | Lease | EntriesRevoked | CaseHeld | PurgeCertificate | SharingStatement
"""What a record carries signed, as its writer has it in hand."""


def encode(record: Record) -> bytes:
    """The value of a record on `authority`. Raises Oversized."""
    raw = _message(record).SerializeToString(deterministic=True)
    topics.check_size(topics.AUTHORITY.name, len(raw))
    return raw


def decode(raw: bytes) -> Record:  # noqa: PLR0911 - one a kind
    """The record in a value, nothing of it checked yet. Raises Undecodable."""
    message = parsed(authority_pb2.AuthorityRecord(), raw)
    match message.WhichOneof("record"):
        case "registry":
            return RegistryIssued(message.registry)
        case "document":
            return DocumentPublished(message.document.document, tuple(message.document.approvals))
        case "state":
            return StateRecorded(message.state)
        case "lease":
            return LeaseRenewed(message.lease)
        case "revocation":
            return RevocationRecorded(message.revocation)
        case "hold":
            return HoldRecorded(message.hold)
        case "certificate":
            return CertificateIssued(message.certificate)
        case "sharing":
            return SharingRecorded(message.sharing)
    raise Undecodable("a record of an authority is of no known kind")


def key_of(said: Said, *, organisation: str) -> bytes:
    """What the record is written under. The topic is compacted: of a registry and of a deployment's lease the
    newest stays, of a document the one with most approvals; every state and revocation has a key of its own."""
    return f"{organisation}/{_what(said)}".encode()


def _what(said: Said) -> str:  # noqa: PLR0911 - one a kind
    match said:
        case Registry():
            return "registry"
        case Document():
            return f"{said.id}/document/{said.version}"
        case StateChanged():
            return f"{said.deployment}/state/{said.version}/{said.sequence}"
        case Lease():
            return f"{said.deployment}/lease"
        case EntriesRevoked():
            return f"{said.deployment}/revocation/{said.list_digest}/{said.sequence}"
        case CaseHeld():
            return f"{said.deployment}/hold/{said.case}/{said.until:%Y%m%dT%H%M%S}"
        case PurgeCertificate():
            return f"{said.deployment}/certificate/{said.version}"
        case SharingStatement():
            return f"sharing/{said.number}"


def _message(record: Record) -> authority_pb2.AuthorityRecord:  # noqa: PLR0911 - one a kind
    match record:
        case RegistryIssued():
            return authority_pb2.AuthorityRecord(registry=record.token)
        case DocumentPublished():
            published = authority_pb2.PublishedDocument(document=record.document, approvals=record.approvals)
            return authority_pb2.AuthorityRecord(document=published)
        case StateRecorded():
            return authority_pb2.AuthorityRecord(state=record.token)
        case LeaseRenewed():
            return authority_pb2.AuthorityRecord(lease=record.token)
        case RevocationRecorded():
            return authority_pb2.AuthorityRecord(revocation=record.token)
        case HoldRecorded():
            return authority_pb2.AuthorityRecord(hold=record.token)
        case CertificateIssued():
            return authority_pb2.AuthorityRecord(certificate=record.token)
        case SharingRecorded():
            return authority_pb2.AuthorityRecord(sharing=record.token)

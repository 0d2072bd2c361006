"""Audit requests and the chain's records to bytes and back.

A request's bytes are made once, by who signs it, and carried on as they are: no reader writes them again.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.contracts import ids, topics
from services.contracts.audit.chain import Audited, SignedTreeHead, TreeHead
from services.contracts.audit.commitments import Commitment
from services.contracts.audit.requests import Action, AlertRow, AuditRequested, SignedRequest, signed_message
from services.contracts.audit.signing import Signer, fingerprint, framed
from services.contracts.audit.terms import Term, TermBegun
from services.contracts.codec_fields import from_micros, micros, parsed
from services.contracts.errors import Undecodable
from services.contracts.events import CaseOutcome
from signpost.v1 import audit_pb2

# As `framed` has it.
_LENGTH_BYTES = 4
# What a request's key and signature, and the lengths of all three, take at the most.
_SIGNED_BYTES = 256


def sign_request(content: AuditRequested, signer: Signer) -> SignedRequest:
    """The request as its producer sends it: `raw` is the record's value on `audit_requests`.

    Raises Oversized; nothing that a request may hold comes near it.
    """
    signed = _request_message(content).SerializeToString(deterministic=True)
    topics.check_size(topics.AUDIT_REQUESTS.name, len(signed) + _SIGNED_BYTES)
    signature = signer.sign(signed_message(signed))
    key = fingerprint(signer.public_key)
    raw = audit_pb2.SignedAuditRequest(request=signed, key=key, signature=signature)
    return SignedRequest(content, key, signature, signed, raw.SerializeToString(deterministic=True))


def read_request(raw: bytes) -> SignedRequest:
    """A record of `audit_requests`, its signature not yet checked. Raises Undecodable."""
    outer = parsed(audit_pb2.SignedAuditRequest(), raw)
    inner = parsed(audit_pb2.AuditRequested(), outer.request)
    try:
        content = _request(inner)
        return SignedRequest(content, outer.key, outer.signature, outer.request, raw)
    except ValueError as error:
        raise Undecodable("an audit request holds values that cannot be true") from error


def encode_contents(contents: Sequence[AuditRequested]) -> bytes:
    """Requests that nobody has signed yet, one after the other, to be kept."""
    made = [_request_message(content).SerializeToString(deterministic=True) for content in contents]
    return framed(*made)


def read_contents(raw: bytes) -> list[AuditRequested]:
    """What `encode_contents` was given. Raises Undecodable."""
    found = []
    while raw:
        end = _LENGTH_BYTES + int.from_bytes(raw[:_LENGTH_BYTES], "big")
        try:
            found.append(_request(parsed(audit_pb2.AuditRequested(), raw[_LENGTH_BYTES:end])))
        except ValueError as error:
            raise Undecodable("an audit request holds values that cannot be true") from error
        raw = raw[end:]
    return found


ChainRecord = Audited | SignedTreeHead | TermBegun
"""What a record on `audit` may be."""


def encode_record(record: ChainRecord) -> bytes:
    """The value of a record on `audit`."""
    return _record_message(record).SerializeToString(deterministic=True)


def read_record(raw: bytes) -> ChainRecord:
    """A record of `audit`. That it fits its chain is for who folds it to find. Raises Undecodable."""
    message = parsed(audit_pb2.AuditRecord(), raw)
    try:
        match message.WhichOneof("record"):
            case "audited":
                return _audited(message.audited)
            case "head":
                return _head(message.head)
            case "term":
                return _term(message.term)
    except ValueError as error:
        raise Undecodable("a record of the chain holds values that cannot be true") from error
    raise Undecodable("a record of the chain is no entry, no head and no term")


def _record_message(record: ChainRecord) -> audit_pb2.AuditRecord:
    match record:
        case Audited():
            return audit_pb2.AuditRecord(audited=_audited_message(record))
        case SignedTreeHead():
            return audit_pb2.AuditRecord(head=_head_message(record))
        case TermBegun():
            return audit_pb2.AuditRecord(term=_term_message(record))


def _request_message(content: AuditRequested) -> audit_pb2.AuditRequested:
    message = audit_pb2.AuditRequested(
        chain=content.chain,
        producer=content.producer,
        sequence=content.sequence,
        at_us=micros(content.at),
        what=content.what.value,
        who=content.who,
        subject=content.subject,
        authority=content.authority,
        authority_version=content.authority_version,
        about=content.about,
        seen_sha256=content.seen_sha256,
    )
    if content.alert_row is not None:
        message.alert_row.CopyFrom(_row_message(content.alert_row))
    return message


def _request(message: audit_pb2.AuditRequested) -> AuditRequested:
    return AuditRequested(
        chain=message.chain,
        producer=message.producer,
        sequence=message.sequence,
        at=from_micros(message.at_us),
        what=Action(message.what),
        who=Commitment(message.who),
        subject=Commitment(message.subject),
        authority=message.authority,
        authority_version=message.authority_version,
        about=message.about,
        seen_sha256=message.seen_sha256,
        alert_row=_row(message.alert_row) if message.HasField("alert_row") else None,
    )


def _row_message(row: AlertRow) -> audit_pb2.AlertRow:
    return audit_pb2.AlertRow(
        alert=row.alert,
        period=row.period,
        period_began_at_us=micros(row.period_began_at),
        period_ends_at_us=micros(row.period_ends_at),
        list_sha256=row.list_sha256,
        probe_sha256=row.probe_sha256,
        outcome=row.outcome.value,
        verified_by=row.verified_by,
    )


def _row(message: audit_pb2.AlertRow) -> AlertRow:
    return AlertRow(
        alert=ids.AlertId(message.alert),
        period=message.period,
        period_began_at=from_micros(message.period_began_at_us),
        period_ends_at=from_micros(message.period_ends_at_us),
        list_sha256=message.list_sha256,
        probe_sha256=message.probe_sha256,
        outcome=CaseOutcome(message.outcome),
        verified_by=tuple(Commitment(person) for person in message.verified_by),
    )


def _audited_message(entry: Audited) -> audit_pb2.Audited:
    return audit_pb2.Audited(
        chain=entry.chain,
        number=entry.number,
        previous=entry.previous,
        request_id=entry.request.content.id,
        request_sha256=entry.request.sha256,
        request=entry.request.raw,
        term=entry.term,
        key=entry.key,
        signature=entry.signature,
    )


def _audited(message: audit_pb2.Audited) -> Audited:
    entry = Audited(
        number=message.number,
        previous=message.previous,
        request=read_request(message.request),
        term=message.term,
        key=message.key,
        signature=message.signature,
    )
    content = entry.request.content
    if (message.chain, message.request_id) != (content.chain, content.id):
        raise Undecodable("an entry names another chain or id than its request")
    if message.request_sha256 != entry.request.sha256:
        raise Undecodable("an entry does not have the hash of its request")
    return entry


def _head_message(signed: SignedTreeHead) -> audit_pb2.SignedTreeHead:
    head = signed.head
    return audit_pb2.SignedTreeHead(
        chain=head.chain,
        size=head.size,
        root=head.root,
        last=head.last,
        at_us=micros(head.at),
        key=signed.key,
        signature=signed.signature,
    )


def _head(message: audit_pb2.SignedTreeHead) -> SignedTreeHead:
    head = TreeHead(
        chain=message.chain,
        size=message.size,
        root=message.root,
        last=message.last,
        at=from_micros(message.at_us),
    )
    return SignedTreeHead(head, message.key, message.signature)


def _term_message(begun: TermBegun) -> audit_pb2.TermBegun:
    term = begun.term
    return audit_pb2.TermBegun(
        id=term.id,
        previous=term.previous,
        entries=term.entries,
        ended=term.ended,
        key=begun.key,
        signature=begun.signature,
    )


def _term(message: audit_pb2.TermBegun) -> TermBegun:
    term = Term(id=message.id, previous=message.previous, entries=message.entries, ended=tuple(message.ended))
    return TermBegun(term, message.key, message.signature)

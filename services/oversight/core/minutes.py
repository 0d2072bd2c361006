"""What of an authority's life goes into the audit chain, and under which numbers.

Requests are written in the transaction of the records that they are about: there is an entry exactly where there
is a record. Each names its record by digest; who ordered it stands there, signed, and so not here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from services.contracts import codec_authority, ids
from services.contracts.audit.numbering import NO_AUTHORITY, Deed, Under, incarnation, numbered
from services.contracts.audit.registry import OVERSIGHT
from services.contracts.audit.requests import SYSTEM, Action, SignedRequest
from services.contracts.audit.signing import Signer
from services.contracts.authorisation.clock import TimeWatch, faults
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import EntriesRevoked, StateChanged
from services.contracts.codec_audit import sign_request
from services.contracts.codec_fields import micros
from services.contracts.sealed.seal import signature_faults
from services.contracts.sharing.statements import SharingStatement
from services.oversight.core import sharing
from services.oversight.core.clerk import Decision, Entry, Now
from services.oversight.core.register import Register

ACTIONS = {
    Move.SUBMIT: Action.AUTHORITY_SUBMITTED,
    Move.APPROVE: Action.AUTHORITY_APPROVED,
    Move.REFUSE: Action.AUTHORITY_REFUSED,
    Move.CANCEL: Action.AUTHORITY_CANCELLED,
    Move.EXPIRE: Action.AUTHORITY_EXPIRED,
    Move.LAPSE: Action.AUTHORITY_EXPIRED,
    Move.ACTIVATE: Action.AUTHORITY_ACTIVATED,
    Move.RESUME: Action.AUTHORITY_ACTIVATED,
    Move.SUSPEND: Action.AUTHORITY_SUSPENDED,
    Move.STOP: Action.STOPPED,
    Move.END: Action.AUTHORITY_ENDED,
    Move.ORDER_PURGE: Action.PURGE_ORDERED,
    Move.PURGE: Action.PURGED,
    Move.REPORT: Action.REPORT_SIGNED,
    Move.REVIEW: Action.REVIEW_HELD,
}


class Minutes:
    """One term's: a producer of its own, numbered from 1. One thread's."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._producer = incarnation(OVERSIGHT)
        self._last: dict[str, int] = {}
        self._time = TimeWatch()
        self._told: frozenset[str] = frozenset()

    def of(self, decision: Decision, before: Register, now: Now) -> tuple[SignedRequest, ...]:
        """What the decision asks to be recorded, and what is wrong with the clock. Spends no number."""
        deeds = [deed for entry in decision.entries for deed in _deeds(entry, before, decision.after, now)]
        self._time = self._time.observe(now.reading)
        wrong = faults(self._time, now.reading)
        self._told &= wrong
        for fault in sorted(wrong - self._told):
            deeds.append((NO_AUTHORITY, Deed(at=now.wall, what=Action.CLOCK_FAULT, about=fault)))
        requests = tuple(self._numbered(deeds))
        return (*requests, self._exported(decision)) if decision.exported else requests

    def recorded(self, requests: Sequence[SignedRequest]) -> None:
        """They are committed, and their numbers spent."""
        for request in requests:
            if request.content.producer == self._producer:
                self._last[request.content.chain] = request.content.sequence
            if request.content.what is Action.CLOCK_FAULT:
                self._told |= {request.content.about}

    def _numbered(self, deeds: Sequence[tuple[Under, Deed]]) -> Iterator[SignedRequest]:
        last = dict(self._last)
        for under, deed in deeds:
            last[under.chain] = last.get(under.chain, 0) + 1
            content = numbered(deed, producer=self._producer, under=under, sequence=last[under.chain])
            yield sign_request(content, self._signer)

    def _exported(self, decision: Decision) -> SignedRequest:
        """By a producer that follows from what was said: told again, by whichever leader, it is one entry."""
        said = decision.exported
        assert said is not None  # noqa: S101 - asked by the caller
        under = NO_AUTHORITY if said.deployment == SYSTEM else _under(decision.after, said.deployment)
        of = ids.derived("export", said.deployment, under.version, said.sha256, micros(said.signed_at))
        deed = Deed(at=said.signed_at, what=Action.EXPORTED, seen_sha256=bytes.fromhex(said.sha256))
        return sign_request(numbered(deed, producer=f"{OVERSIGHT}/{of}", under=under, sequence=1), self._signer)


def _deeds(entry: Entry, before: Register, after: Register, now: Now) -> Iterator[tuple[Under, Deed]]:
    """A lease is none: it says that nothing has changed."""
    said, at, seen = entry.said, now.wall, hashlib.sha256(codec_authority.encode(entry.record)).digest()
    match said:
        case Registry():
            for what, about in _keys(said, before.registry):
                yield NO_AUTHORITY, Deed(at=at, what=what, about=about, seen_sha256=seen)
        case Document():
            for deed in _of_text(said, seen, before, after, at):
                yield Under.deployment(said.id, said.version), deed
        case StateChanged():
            about = f"{said.deployment}/{said.version}/{said.sequence}"
            move = Deed(at=at, what=ACTIONS[said.move], about=about, seen_sha256=seen)
            for deed in (*_of_list(said, after, now), move):
                yield Under.deployment(said.deployment, said.version), deed
        case EntriesRevoked():
            about = ids.derived("revocation", said.deployment, said.list_digest, said.sequence)
            deed = Deed(at=at, what=Action.LIST_ENTRY_REVOKED, about=about, seen_sha256=seen)
            yield _under(after, said.deployment), deed
        case SharingStatement():
            what, about, of = sharing.told(said)
            yield _under(after, of) if of else NO_AUTHORITY, Deed(at=at, what=what, about=about, seen_sha256=seen)
        case CaseHeld():
            deed = Deed(at=at, what=Action.EVIDENCE_HELD, about=said.case, seen_sha256=seen)
            yield _under(after, said.deployment), deed


def _under(register: Register, deployment: str) -> Under:
    """The newest version of a deployment's authority."""
    latest = register.deployment(deployment).latest()
    return Under.deployment(deployment, latest.number if latest else 1)


def _of_text(document: Document, seen: bytes, before: Register, after: Register, at: datetime) -> Iterator[Deed]:
    """Other thresholds, and what people have signed since about this very text."""
    about = f"{document.id}/{document.version}"
    if _other_thresholds(document, before):
        yield Deed(at=at, what=Action.THRESHOLD_CHANGED, about=about, seen_sha256=seen)
    known = before.version(document.id, document.version)
    same = known is not None and known.document.digest == document.digest
    old = {*known.approvals, *known.attestations} if known is not None and same else set()
    now = after.deployment(document.id).versions[document.version]
    for tokens, what in ((now.approvals, Action.APPROVAL_GIVEN), (now.attestations, Action.NOTICE_ATTESTED)):
        for token in tokens:
            if token not in old:
                yield Deed(at=at, what=what, about=about, seen_sha256=_digest(token))


def _of_list(said: StateChanged, after: Register, now: Now) -> Iterator[Deed]:
    """What was done to the list elsewhere, told as it comes into force: who sealed it, that it lies there."""
    if said.move is not Move.ACTIVATE:
        return
    digest = after.deployment(said.deployment).versions[said.version].document.watchlist.digest
    seal, registry = now.seals.get((said.deployment, digest)), after.registry
    if seal is not None and registry is not None and not any(signature_faults(seal, registry, now=now.wall)):
        for token in seal.signatures:
            yield Deed(at=now.wall, what=Action.LIST_APPROVED, about=digest, seen_sha256=_digest(token))
        yield Deed(at=now.wall, what=Action.LIST_SEALED, about=digest, seen_sha256=_digest(*seal.signatures))
    yield Deed(at=now.wall, what=Action.LIST_LOADED, about=digest, seen_sha256=bytes.fromhex(digest))


def _digest(*tokens: str) -> bytes:
    return hashlib.sha256("".join(tokens).encode()).digest()


def _keys(registry: Registry, before: Registry | None) -> Iterator[tuple[Action, str]]:
    """Every key that came, and every one that was withdrawn, by its thumbprint in hex."""
    for key in registry.keys:
        known = before.key(key.kid) if before else None
        thumbprint = base64.urlsafe_b64decode(f"{key.kid}=").hex()
        if known is None:
            yield Action.KEY_ENROLLED, thumbprint
        if key.revoked_at is not None and (known is None or known.revoked_at is None):
            yield Action.KEY_REVOKED, thumbprint


def _other_thresholds(document: Document, before: Register) -> bool:
    """Whether a version comes in that searches by other thresholds than the one before it."""
    known = before.deployment(document.id).versions
    earlier = known.get(document.version - 1)
    if document.version in known or earlier is None:
        return False
    return earlier.document.watchlist.thresholds != document.watchlist.thresholds

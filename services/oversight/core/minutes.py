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
from services.contracts.audit.requests import Action, SignedRequest
from services.contracts.audit.signing import Signer
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, Move
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import EntriesRevoked, StateChanged
from services.contracts.codec_audit import sign_request
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
        self._clock_told = False

    def of(self, decision: Decision, before: Register, now: Now) -> tuple[SignedRequest, ...]:
        """What the decision asks to be recorded, and a clock that is out. Spends no number."""
        deeds = [deed for entry in decision.entries for deed in _deeds(entry, before, decision.after, now.wall)]
        if now.reading.state is ClockState.SYNCHRONISED:
            self._clock_told = False
        elif not self._clock_told:
            fault = Deed(at=now.wall, what=Action.CLOCK_FAULT, about=now.reading.state)
            deeds.append((NO_AUTHORITY, fault))
        return tuple(self._numbered(deeds))

    def recorded(self, requests: Sequence[SignedRequest]) -> None:
        """They are committed, and their numbers spent."""
        for request in requests:
            self._last[request.content.chain] = request.content.sequence
            self._clock_told |= request.content.what is Action.CLOCK_FAULT

    def _numbered(self, deeds: Sequence[tuple[Under, Deed]]) -> Iterator[SignedRequest]:
        last = dict(self._last)
        for under, deed in deeds:
            last[under.chain] = last.get(under.chain, 0) + 1
            content = numbered(deed, producer=self._producer, under=under, sequence=last[under.chain])
            yield sign_request(content, self._signer)


def _deeds(entry: Entry, before: Register, after: Register, at: datetime) -> Iterator[tuple[Under, Deed]]:
    """A lease is none: it says that nothing has changed."""
    said, seen = entry.said, hashlib.sha256(codec_authority.encode(entry.record)).digest()
    match said:
        case Registry():
            for what, about in _keys(said, before.registry):
                yield NO_AUTHORITY, Deed(at=at, what=what, about=about, seen_sha256=seen)
        case Document() if _other_thresholds(said, before):
            about = f"{said.id}/{said.version}"
            deed = Deed(at=at, what=Action.THRESHOLD_CHANGED, about=about, seen_sha256=seen)
            yield Under.deployment(said.id, said.version), deed
        case StateChanged():
            about = f"{said.deployment}/{said.version}/{said.sequence}"
            deed = Deed(at=at, what=ACTIONS[said.move], about=about, seen_sha256=seen)
            yield Under.deployment(said.deployment, said.version), deed
        case EntriesRevoked():
            latest = after.deployment(said.deployment).latest()
            about = ids.derived("revocation", said.deployment, said.list_digest, said.sequence)
            deed = Deed(at=at, what=Action.LIST_ENTRY_REVOKED, about=about, seen_sha256=seen)
            yield Under.deployment(said.deployment, latest.number if latest else 1), deed
        case CaseHeld():
            latest = after.deployment(said.deployment).latest()
            deed = Deed(at=at, what=Action.EVIDENCE_HELD, about=said.case, seen_sha256=seen)
            yield Under.deployment(said.deployment, latest.number if latest else 1), deed


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

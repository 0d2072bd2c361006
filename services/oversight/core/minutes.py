"""What of an authority's life goes into the audit chain, and under which numbers.

Requests are written in the transaction of the records that they are about: there is an entry exactly where there
is a record. Each names its record by digest; who ordered it stands there, signed, and so not here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence

from services.contracts import codec_authority, ids
from services.contracts.audit.numbering import incarnation
from services.contracts.audit.registry import OVERSIGHT
from services.contracts.audit.requests import SYSTEM, Action, AuditRequested, SignedRequest
from services.contracts.audit.signing import Signer
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, Move
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
        deeds = [deed for entry in decision.entries for deed in _deeds(entry, before, decision.after)]
        if now.reading.state is ClockState.SYNCHRONISED:
            self._clock_told = False
        elif not self._clock_told:
            deeds.append(_Deed(SYSTEM, 0, Action.CLOCK_FAULT, now.reading.state))
        return tuple(self._numbered(deeds, now))

    def recorded(self, requests: Sequence[SignedRequest]) -> None:
        """They are committed, and their numbers spent."""
        for request in requests:
            self._last[request.content.chain] = request.content.sequence
            self._clock_told |= request.content.what is Action.CLOCK_FAULT

    def _numbered(self, deeds: Sequence[_Deed], now: Now) -> Iterator[SignedRequest]:
        last = dict(self._last)
        for deed in deeds:
            last[deed.chain] = last.get(deed.chain, 0) + 1
            content = AuditRequested(
                chain=deed.chain,
                producer=self._producer,
                sequence=last[deed.chain],
                at=now.wall,
                what=deed.what,
                authority="" if deed.chain == SYSTEM else deed.chain,
                authority_version=deed.version,
                about=deed.about,
                seen_sha256=deed.seen_sha256,
            )
            yield sign_request(content, self._signer)


class _Deed:
    """What one entry will say. `version` is 0 on SYSTEM."""

    def __init__(self, chain: str, version: int, what: Action, about: str, seen_sha256: bytes = b"") -> None:
        self.chain = chain
        self.version = version
        self.what = what
        self.about = about
        self.seen_sha256 = seen_sha256


def _deeds(entry: Entry, before: Register, after: Register) -> Iterator[_Deed]:
    """A lease is none: it says that nothing has changed."""
    said, digest = entry.said, hashlib.sha256(codec_authority.encode(entry.record)).digest()
    match said:
        case Registry():
            yield from _keys(said, before.registry, digest)
        case Document():
            yield from _thresholds(said, before, digest)
        case StateChanged():
            about = f"{said.deployment}/{said.version}/{said.sequence}"
            yield _Deed(said.deployment, said.version, ACTIONS[said.move], about, digest)
        case EntriesRevoked():
            latest = after.deployment(said.deployment).latest()
            about = ids.derived("revocation", said.deployment, said.list_digest, said.sequence)
            version = latest.number if latest else 1
            yield _Deed(said.deployment, version, Action.LIST_ENTRY_REVOKED, about, digest)


def _keys(registry: Registry, before: Registry | None, digest: bytes) -> Iterator[_Deed]:
    """Every key that came, and every one that was withdrawn, by its thumbprint in hex."""
    for key in registry.keys:
        known = before.key(key.kid) if before else None
        about = base64.urlsafe_b64decode(f"{key.kid}=").hex()
        if known is None:
            yield _Deed(SYSTEM, 0, Action.KEY_ENROLLED, about, digest)
        if key.revoked_at is not None and (known is None or known.revoked_at is None):
            yield _Deed(SYSTEM, 0, Action.KEY_REVOKED, about, digest)


def _thresholds(document: Document, before: Register, digest: bytes) -> Iterator[_Deed]:
    """A version that searches by other thresholds than the one before it; said once, when it comes in."""
    known = before.deployment(document.id)
    earlier = known.versions.get(document.version - 1)
    if document.version in known.versions or earlier is None:
        return
    if earlier.document.watchlist.thresholds != document.watchlist.thresholds:
        about = f"{document.id}/{document.version}"
        yield _Deed(document.id, document.version, Action.THRESHOLD_CHANGED, about, digest)

"""The chain's records: entries that name the one before them, and heads signed over all of them.

The rule, exactly. Entry `number` (from 1) of a chain has the hash

    SHA-256(framed("signpost-audit-entry-1", chain, number, previous, request id, request SHA-256))

where `framed` puts each part behind its length (4 bytes, big-endian), numbers are 8 bytes big-endian, texts are
UTF-8, `previous` is the hash of entry `number - 1` (32 zero bytes for the first), and the request's SHA-256 is
over the signed request's record. Entry `number` is leaf `number - 1` of the chain's RFC 6962 tree; the leaf's
bytes are the entry's hash. The sequencer signs each entry, beside its hash and not in it:

    framed("signpost-audit-entered-1", term, the entry's hash)

where `term` is the id of the sequencer's term (terms.py). An entry that no sequencer signed is none. A head signs

    framed("signpost-audit-head-1", chain, size, root, last entry's hash, microseconds since the epoch)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from services.contracts import ids
from services.contracts.audit.merkle import HASH_BYTES, leaf_hash
from services.contracts.audit.registry import KeyRegistry
from services.contracts.audit.requests import SignedRequest
from services.contracts.audit.signing import (
    ENTERED,
    HEAD,
    SIGNATURE_BYTES,
    Signer,
    Verify,
    fingerprint,
    framed,
    number,
)
from services.contracts.audit.terms import TERM_BYTES
from services.contracts.codec_fields import micros
from services.contracts.events import require, require_utc

FIRST_PREVIOUS = bytes(HASH_BYTES)
_ENTRY = b"signpost-audit-entry-1"
# They are hashed as 8 bytes.
_NUMBERS = 2**64


@dataclass(frozen=True, kw_only=True)
class Audited:
    """One entry. It carries its request whole, so that the `audit` topic alone recovers and exports a chain.

    That it is parsed says nothing about its two signatures, the sequencer's and its producer's.
    """

    number: int
    previous: bytes
    request: SignedRequest
    term: bytes
    key: str
    signature: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require(1 <= self.number < _NUMBERS, "entries are numbered from 1")
        require(len(self.previous) == HASH_BYTES, "previous has 32 bytes")
        require(len(self.term) == TERM_BYTES, "a term's id has 16 bytes")
        require(len(self.signature) == SIGNATURE_BYTES, "a signature has 64 bytes")

    @property
    def chain(self) -> str:
        """The chain is the request's: what its producer signed cannot be moved to another."""
        return self.request.content.chain

    @cached_property
    def hash(self) -> bytes:
        """What the next entry names as its previous."""
        return _hash(self.request, self.number, self.previous)

    @property
    def leaf(self) -> bytes:
        """Its leaf hash in the chain's tree."""
        return leaf_hash(self.hash)

    def is_entered(self, registry: KeyRegistry, verify: Verify) -> bool:
        """Whether a sequencer's key signed it, in its time or not."""
        key = registry.sequencer(self.key)
        return key is not None and verify(key.public_key, self.signature, _entered(self.term, self.hash))


def enter(request: SignedRequest, *, number: int, previous: bytes, term: bytes, signer: Signer) -> Audited:
    """The entry, signed with the sequencer's key. Whether it belongs there is for the sequencer to see to."""
    return Audited(
        number=number,
        previous=previous,
        request=request,
        term=term,
        key=fingerprint(signer.public_key),
        signature=signer.sign(_entered(term, _hash(request, number, previous))),
    )


def _hash(request: SignedRequest, place: int, previous: bytes) -> bytes:
    content = request.content
    texts = (content.chain.encode(), number(place), previous, content.id.encode())
    return hashlib.sha256(framed(_ENTRY, *texts, request.sha256)).digest()


def _entered(term: bytes, entry: bytes) -> bytes:
    return framed(ENTERED, term, entry)


@dataclass(frozen=True, kw_only=True)
class TreeHead:
    """How a chain stood: its size, the root of its tree, its last entry's hash, and when. `at` only grows."""

    chain: str
    size: int
    root: bytes
    last: bytes
    at: datetime

    def __post_init__(self) -> None:
        require(ids.is_name(self.chain), "chain is a name")
        require(0 <= self.size < _NUMBERS, "a size is not negative")
        require(len(self.root) == HASH_BYTES and len(self.last) == HASH_BYTES, "root and last have 32 bytes")
        require_utc(self.at, "at")

    @property
    def message(self) -> bytes:
        """What the sequencer signs."""
        return framed(HEAD, self.chain.encode(), number(self.size), self.root, self.last, number(micros(self.at)))


@dataclass(frozen=True)
class SignedTreeHead:
    """A head and the signature of the sequencer's key `key`, not yet checked."""

    head: TreeHead
    key: str
    signature: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require(len(self.signature) == SIGNATURE_BYTES, "a signature has 64 bytes")

    def is_genuine(self, registry: KeyRegistry, verify: Verify) -> bool:
        """Whether a sequencer's key that held at the head's time signed it."""
        key = registry.sequencer(self.key)
        return key is not None and key.holds(self.head.at) and self.is_signed(registry, verify)

    def is_signed(self, registry: KeyRegistry, verify: Verify) -> bool:
        """Whether a sequencer's key signed it, in its time or not."""
        key = registry.sequencer(self.key)
        return key is not None and verify(key.public_key, self.signature, self.head.message)


def sign_head(head: TreeHead, signer: Signer) -> SignedTreeHead:
    """Sign with the sequencer's key."""
    return SignedTreeHead(head, fingerprint(signer.public_key), signer.sign(head.message))

"""The one writer of the chains, without its I/O: what each request becomes, and how its state comes back.

All state is folded from the chains' own records: whoever folds the same records gives the same answers. Duplicates
are known by the ids of requests, which derive from (chain, producer, sequence); a producer's requests are gapless,
so 16 bytes of digest for each, in order, are the whole set of seen ids, and tell a repeat from another request
that took its number.

Anybody may have written to the topic. What no sequencer signed in its term, and what one signed and somebody
copied, is passed over: it is no part of the chain, and changes nothing. What a sequencer signed and cannot be true
stops everything.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.contracts.audit.chain import (
    FIRST_PREVIOUS,
    Audited,
    SignedTreeHead,
    TreeHead,
    enter,
    sign_head,
)
from services.contracts.audit.merkle import Frontier
from services.contracts.audit.registry import KeyRegistry
from services.contracts.audit.requests import SignedRequest
from services.contracts.audit.signing import Signer, Verify, fingerprint
from services.contracts.audit.terms import TERM_BYTES, Term, TermBegun, sign_term
from services.contracts.errors import Permanent, Transient

_SEEN_BYTES = 16
_TICK = timedelta(microseconds=1)


class BrokenChain(Permanent):
    """A sequencer's key signed what cannot be true, or something is gone from the topic: sequence nothing."""

    def __init__(self, message: str) -> None:
        super().__init__("chain_broken", message)


class NotEntitled(Transient):
    """The registry does not have this sequencer's key, or not any more: nothing that it signs would count."""


class Stray(StrEnum):
    """Why a record of `audit` is no part of the chain; a metric label."""

    UNREADABLE = "unreadable"
    NOT_SIGNED = "not_signed"
    """By no sequencer's key of this registry."""
    OTHER_TERM = "other_term"
    """A sequencer signed it, but in a term that is over, or that never was."""
    REPEATED = "repeated"
    OUT_OF_PLACE = "out_of_place"
    """A sequencer signed it, but nothing that is recorded leads to it: a copy of what was never committed."""


Record = Audited | SignedTreeHead | TermBegun


@dataclass(frozen=True)
class Duplicate:
    """The same request is in the chain already: acknowledge it, write nothing."""

    id: str


@dataclass(frozen=True)
class Gap:
    """The producer's requests from `expected` to before `got` are missing: nothing of it goes on before them."""

    producer: str
    expected: int
    got: int


@dataclass(frozen=True)
class BadSignature:
    """Not signed by a key that holds and is registered for this producer: anybody may have written it."""

    producer: str
    key: str


@dataclass(frozen=True)
class Conflict:
    """The producer signed another request under a number it had used: it has lost its count, or its key."""

    producer: str
    sequence: int


Answer = Audited | Duplicate | Gap | BadSignature | Conflict


class Sequencer:
    """Every chain's state. Owned by the one thread that sequences; an error while folding leaves it unusable.

    After an aborted transaction `recover` another, and `begin`: what was answered since was not recorded.
    """

    def __init__(self, registry: KeyRegistry, verify: Verify) -> None:
        self.registry = registry
        """May be replaced by a later version at any time."""
        self._verify = verify
        self._chains: dict[str, _Chain] = {}
        self._begun: TermBegun | None = None
        self._ended: frozenset[str] = frozenset()

    @property
    def term(self) -> TermBegun | None:
        """The term that counts now; None before the first."""
        return self._begun

    @property
    def entries(self) -> int:
        """Of all chains together."""
        return sum(self.sizes.values())

    def begin(self, signer: Signer, *, now: datetime) -> TermBegun:
        """A term of `signer`'s. In the state at once: record it before anything of it. Raises NotEntitled."""
        key = fingerprint(signer.public_key)
        known = self.registry.sequencer(key)
        if known is None or not known.holds(now) or key in self._ended:
            raise NotEntitled("the registry does not have the sequencer's key in force: the root must enrol it")
        term = Term(
            id=secrets.token_bytes(TERM_BYTES),
            previous=self._term_id,
            entries=self.entries,
            ended=tuple(sorted(self._ended | self.registry.sequencers_ended(now))),
        )
        self._enter(sign_term(term, signer))
        return sign_term(term, signer)

    def append(self, request: SignedRequest, signer: Signer, *, now: datetime) -> Answer:
        """What becomes of `request` in the term that `signer` began. An Audited is in the state at once."""
        chain = self._chain(request.content.chain)
        held = request.key_held(self.registry, now=chain.no_earlier(now))
        if not held or not request.is_signed(self.registry, self._verify):
            return BadSignature(request.content.producer, request.key)
        against = chain.against(request)
        if against is not None:
            return against
        entry = enter(request, number=chain.tree.size + 1, previous=chain.last, term=self._term_id, signer=signer)
        chain.take(entry)
        self._chains[chain.name] = chain
        return entry

    def head(self, chain: str, signer: Signer, *, now: datetime) -> SignedTreeHead:
        """How `chain` stands, signed. Later than its last head, whatever the clock says. In the state at once."""
        marked = self._chain(chain)
        signed = sign_head(marked.standing(now), signer)
        marked.head = signed
        self._chains[chain] = marked
        return signed

    def fold(self, record: Record) -> Stray | None:
        """Take up what was recorded, or say why it is no part of the chain. Raises BrokenChain.

        That a key has ended since changes nothing: what was recorded in its term stays.
        """
        match record:
            case TermBegun():
                return self._fold_term(record)
            case Audited():
                return self._fold_entry(record)
            case SignedTreeHead():
                return self._fold_head(record)

    def _fold_term(self, begun: TermBegun) -> Stray | None:
        if not begun.is_signed(self.registry, self._verify):
            return Stray.NOT_SIGNED
        if begun.term.previous != self._term_id or begun.key in self._ended:
            return Stray.OTHER_TERM
        if self.entries < begun.term.entries:
            raise BrokenChain(f"{begun.term.entries} entries were recorded here, and {self.entries} are left")
        self._enter(begun)
        return None

    def _enter(self, begun: TermBegun) -> None:
        self._begun = begun
        self._ended |= set(begun.term.ended)

    def _fold_entry(self, entry: Audited) -> Stray | None:
        if not entry.is_entered(self.registry, self._verify):
            return Stray.NOT_SIGNED
        if not self._is_now(entry.key) or entry.term != self._term_id:
            return Stray.OTHER_TERM
        chain = self._chain(entry.chain)
        if not chain.leads_to(entry):
            return Stray.REPEATED if entry.number <= chain.tree.size else Stray.OUT_OF_PLACE
        if not entry.request.is_signed(self.registry, self._verify):
            raise BrokenChain(f"entry {entry.number} of {chain.name} is not signed by its producer")
        if chain.against(entry.request) is not None:
            raise BrokenChain(f"{chain.name}: entry {entry.number} repeats or skips a producer's sequence")
        chain.take(entry)
        self._chains[chain.name] = chain
        return None

    def _fold_head(self, signed: SignedTreeHead) -> Stray | None:
        if not signed.is_signed(self.registry, self._verify):
            return Stray.NOT_SIGNED
        if not self._is_now(signed.key):
            return Stray.OTHER_TERM
        chain = self._chain(signed.head.chain)
        if signed.head != chain.standing(signed.head.at):
            return Stray.OUT_OF_PLACE if signed.head.size > chain.tree.size else Stray.REPEATED
        chain.head = signed
        self._chains[chain.name] = chain
        return None

    @property
    def _term_id(self) -> bytes:
        return self._begun.term.id if self._begun else b""

    def _is_now(self, key: str) -> bool:
        """Whether the present term is that key's."""
        return self._begun is not None and self._begun.key == key

    def copy(self) -> Sequencer:
        """Another of the same state, to go on from on its own. Takes as long as copying 16 bytes an entry."""
        other = Sequencer(self.registry, self._verify)
        other._begun, other._ended = self._begun, self._ended
        other._chains = {name: chain.copy() for name, chain in self._chains.items()}
        return other

    @property
    def beyond_their_heads(self) -> list[str]:
        """The chains with entries that no head is over yet."""
        return [name for name, chain in self._chains.items() if chain.tree.size > chain.headed]

    @property
    def last_heads(self) -> list[SignedTreeHead]:
        """The newest head of each chain that has one."""
        return [chain.head for chain in self._chains.values() if chain.head is not None]

    @property
    def sizes(self) -> dict[str, int]:
        """How many entries each chain has."""
        return {name: chain.tree.size for name, chain in self._chains.items()}

    def _chain(self, name: str) -> _Chain:
        """Known once something was recorded in it: what nobody signed takes up no room."""
        return self._chains.get(name) or _Chain(name)


def recover(records: Iterable[Record], registry: KeyRegistry, verify: Verify) -> Sequencer:
    """The state after all of a topic's committed records, in their order. Raises BrokenChain."""
    sequencer = Sequencer(registry, verify)
    for record in records:
        sequencer.fold(record)
    return sequencer


class _Chain:
    """One chain's state. Owned by its Sequencer."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tree = Frontier()
        self.last = FIRST_PREVIOUS
        self.head: SignedTreeHead | None = None
        self._seen: dict[str, bytearray] = {}

    @property
    def headed(self) -> int:
        """How many entries the newest head is over."""
        return self.head.head.size if self.head else 0

    @property
    def _head_at(self) -> datetime | None:
        return self.head.head.at if self.head else None

    def copy(self) -> _Chain:
        other = copy(self)
        other._seen = {producer: bytearray(seen) for producer, seen in self._seen.items()}
        return other

    def against(self, request: SignedRequest) -> Duplicate | Gap | Conflict | None:
        """What keeps a genuine request from being the next entry; changes nothing."""
        content = request.content
        seen = self._seen.get(content.producer, b"")
        expected = len(seen) // _SEEN_BYTES + 1
        if content.sequence > expected:
            return Gap(content.producer, expected, content.sequence)
        if content.sequence == expected:
            return None
        start = (content.sequence - 1) * _SEEN_BYTES
        if seen[start : start + _SEEN_BYTES] == _digest(request):
            return Duplicate(content.id)
        return Conflict(content.producer, content.sequence)

    def leads_to(self, entry: Audited) -> bool:
        """Whether it is numbered and linked as the next."""
        return entry.number == self.tree.size + 1 and entry.previous == self.last

    def take(self, entry: Audited) -> None:
        """The state with `entry` at its end: its caller has seen to it that it belongs there."""
        self.tree = self.tree.grown(entry.leaf)
        self.last = entry.hash
        self._seen.setdefault(entry.request.content.producer, bytearray()).extend(_digest(entry.request))

    def standing(self, now: datetime) -> TreeHead:
        later = now if self._head_at is None else max(now, self._head_at + _TICK)
        return TreeHead(chain=self.name, size=self.tree.size, root=self.tree.root, last=self.last, at=later)

    def no_earlier(self, now: datetime) -> datetime:
        """A clock that was set back does not bring back a key that a head outlived."""
        return now if self._head_at is None else max(now, self._head_at)


def _digest(request: SignedRequest) -> bytes:
    """Over what its producer signed, not how it was wrapped: 128 bits tell one request from another."""
    return hashlib.sha256(request.signed).digest()[:_SEEN_BYTES]

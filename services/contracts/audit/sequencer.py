"""The one writer of the chains, without its I/O: what each request becomes, and how its state comes back.

All state is folded from the chains' own records: whoever folds the same records gives the same answers. Duplicates
are known by the ids of requests, which derive from (chain, producer, sequence); a producer's requests are gapless,
so 16 bytes of digest for each, in order, are the whole set of seen ids, and tell a repeat from another request
that took its number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.contracts.audit.chain import FIRST_PREVIOUS, Audited, SignedTreeHead, TreeHead, sign_head
from services.contracts.audit.merkle import Frontier
from services.contracts.audit.registry import KeyRegistry
from services.contracts.audit.requests import SignedRequest
from services.contracts.audit.signing import Signer, Verify
from services.contracts.errors import Permanent

_SEEN_BYTES = 16
_TICK = timedelta(microseconds=1)


class BrokenChain(Permanent):
    """A recorded entry or head does not fit what came before it: somebody else wrote, or the topic was altered."""

    def __init__(self, message: str) -> None:
        super().__init__("chain_broken", message)


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

    After an aborted transaction make a new one and `recover` it: what was answered since was not recorded.
    """

    def __init__(self, registry: KeyRegistry, verify: Verify) -> None:
        self.registry = registry
        """May be replaced by a later version at any time."""
        self._verify = verify
        self._chains: dict[str, _Chain] = {}

    def append(self, request: SignedRequest, *, now: datetime) -> Answer:
        """What becomes of `request`. An Audited is in the state at once: write it, or recover."""
        chain = self._chain(request.content.chain)
        held = request.key_held(self.registry, now=chain.no_earlier(now))
        if not held or not request.is_signed(self.registry, self._verify):
            return BadSignature(request.content.producer, request.key)
        answer = chain.placed(request)
        if isinstance(answer, Audited):
            chain.take(answer)
            self._chains[chain.name] = chain
        return answer

    def head(self, chain: str, signer: Signer, *, now: datetime) -> SignedTreeHead:
        """How `chain` stands, signed. Later than its last head, whatever the clock says. In the state at once."""
        marked = self._chain(chain)
        signed = sign_head(marked.standing(now), signer)
        marked.mark(signed)
        self._chains[chain] = marked
        return signed

    def fold(self, record: Audited | SignedTreeHead) -> None:
        """Take up what was recorded. Raises BrokenChain where it does not follow: sequence nothing then.

        That a key has ended since breaks nothing: what was recorded while it held stays.
        """
        name = record.chain if isinstance(record, Audited) else record.head.chain
        chain = self._chain(name)
        if isinstance(record, Audited):
            if not record.request.is_signed(self.registry, self._verify):
                raise BrokenChain(f"entry {record.number} of {name} is not signed by its producer")
            chain.take(record)
        else:
            if not record.is_signed(self.registry, self._verify):
                raise BrokenChain(f"a head of {name} is not signed by a sequencer")
            chain.mark(record)
        self._chains[name] = chain

    def copy(self) -> Sequencer:
        """Another of the same state, to go on from on its own. Takes as long as copying 16 bytes an entry."""
        other = Sequencer(self.registry, self._verify)
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


def recover(records: Iterable[Audited | SignedTreeHead], registry: KeyRegistry, verify: Verify) -> Sequencer:
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

    def placed(self, request: SignedRequest) -> Audited | Duplicate | Gap | Conflict:
        """Where a genuine request belongs; changes nothing."""
        content = request.content
        seen = self._seen.get(content.producer, b"")
        expected = len(seen) // _SEEN_BYTES + 1
        if content.sequence > expected:
            return Gap(content.producer, expected, content.sequence)
        if content.sequence == expected:
            return Audited(number=self.tree.size + 1, previous=self.last, request=request)
        start = (content.sequence - 1) * _SEEN_BYTES
        if seen[start : start + _SEEN_BYTES] == _digest(request):
            return Duplicate(content.id)
        return Conflict(content.producer, content.sequence)

    def take(self, entry: Audited) -> None:
        """The state with `entry` at its end. Raises BrokenChain, changing nothing."""
        if entry.number != self.tree.size + 1 or entry.previous != self.last:
            raise BrokenChain(f"{self.name}: an entry numbered {entry.number} does not follow {self.tree.size}")
        if not isinstance(self.placed(entry.request), Audited):
            raise BrokenChain(f"{self.name}: entry {entry.number} repeats or skips a producer's sequence")
        self.tree = self.tree.grown(entry.leaf)
        self.last = entry.hash
        self._seen.setdefault(entry.request.content.producer, bytearray()).extend(_digest(entry.request))

    def standing(self, now: datetime) -> TreeHead:
        later = now if self._head_at is None else max(now, self._head_at + _TICK)
        return TreeHead(chain=self.name, size=self.tree.size, root=self.tree.root, last=self.last, at=later)

    def mark(self, signed: SignedTreeHead) -> None:
        """Remember that this head was signed. Raises BrokenChain where it says other than the entries do."""
        head = signed.head
        if head != self.standing(head.at):
            raise BrokenChain(
                f"{self.name}: a head of size {head.size} is not how its {self.tree.size} entries stand"
            )
        self.head = signed

    def no_earlier(self, now: datetime) -> datetime:
        """A clock that was set back does not bring back a key that a head outlived."""
        return now if self._head_at is None else max(now, self._head_at)


def _digest(request: SignedRequest) -> bytes:
    """Over what its producer signed, not how it was wrapped: 128 bits tell one request from another."""
    return hashlib.sha256(request.signed).digest()[:_SEEN_BYTES]

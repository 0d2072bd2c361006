"""Whose word the chain is at which place in the topic: the terms of sequencers, one after the other.

Whoever may write to `audit` can copy what a sequencer signed: out of a transaction that was aborted, say, in
which its successor chained other requests under the same numbers. So a sequencer begins, and begins again after an
abort, with a record that says "from here on only what I sign under this id". What is copied behind it is under
another id.

A term names the one before it, so that no record of a term counts twice. It names the keys of sequencers that were
over when it began, as the registry had them: with such a key nobody begins a term after it. The topic alone
decides, so that a registry that comes later does not change what was recorded before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from services.contracts.audit.registry import KeyRegistry
from services.contracts.audit.signing import (
    SIGNATURE_BYTES,
    TERM,
    Signer,
    Verify,
    fingerprint,
    framed,
    number,
)
from services.contracts.events import require

TERM_BYTES = 16
_ENTRIES = 2**64


@dataclass(frozen=True, kw_only=True)
class Term:
    """What a sequencer says as it begins. `previous` is empty for the first; `entries` are of all chains."""

    id: bytes
    previous: bytes
    entries: int
    ended: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(len(self.id) == TERM_BYTES, "a term's id has 16 bytes")
        require(len(self.previous) in (0, TERM_BYTES), "previous has 16 bytes, or is empty")
        require(0 <= self.entries < _ENTRIES, "a number of entries is not negative")
        require(list(self.ended) == sorted(set(self.ended)), "ended keys are in order, each once")

    @property
    def message(self) -> bytes:
        """What the sequencer signs."""
        ended = (key.encode() for key in self.ended)
        return framed(TERM, self.id, self.previous, number(self.entries), *ended)


@dataclass(frozen=True)
class TermBegun:
    """A term and the signature of the sequencer's key `key`, not yet checked."""

    term: Term
    key: str
    signature: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require(len(self.signature) == SIGNATURE_BYTES, "a signature has 64 bytes")

    def is_signed(self, registry: KeyRegistry, verify: Verify) -> bool:
        """Whether a sequencer's key signed it, in its time or not."""
        key = registry.sequencer(self.key)
        return key is not None and verify(key.public_key, self.signature, self.term.message)


def sign_term(term: Term, signer: Signer) -> TermBegun:
    """Sign with the sequencer's key."""
    return TermBegun(term, fingerprint(signer.public_key), signer.sign(term.message))

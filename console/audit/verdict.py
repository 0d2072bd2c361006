"""What the verifier says: the first thing that is wrong, by kind and place, or how far the file is vouched for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.contracts.audit.chain import SignedTreeHead


class Kind(StrEnum):
    """What can be wrong with a file."""

    ALTERED = "altered"
    """Not what was written: unreadable, or it does not fit its neighbours."""
    INSERTED = "inserted"
    """Stands where it was never recorded; what belongs there follows it."""
    REORDERED = "reordered"
    """Was recorded, but in another place."""
    DUPLICATE = "duplicate"
    """Stands in the file, or its request in the chain, a second time."""
    MISSING = "missing"
    """Something that was recorded is not in the file."""
    SEQUENCE_GAP = "sequence_gap"
    """A producer's request is not in the chain, though the chain itself is unbroken."""
    WRONG_SIGNATURE = "wrong_signature"
    """Not signed by a registered key that held at the time."""
    UNTRUSTED_ROOT = "untrusted_root"
    """The file's root is not the one of the fingerprint: nothing in it can be believed."""
    FORKED = "forked"
    """There are two histories: a signed head was over other entries than these, or two entries take one place."""
    TRUNCATED = "truncated"
    """The file ends before what a signed head covers, or in the middle of a line."""
    OTHER_CHAIN = "other_chain"
    """The head that was given is another chain's."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The first thing that is wrong. `line` is from 1 (0: the head that was given); `entry` if it is about one."""

    kind: Kind
    line: int
    entry: int | None = None
    detail: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a file. `entries` were good, in order, before the fault if there is one.

    `complete_to` is the last genuine head in the file that its entries agree with; `agreed` is the head that was
    given from elsewhere, if the entries agree with it: only that speaks of what is no longer in the file.
    """

    chain: str
    entries: int
    registry_version: int
    complete_to: SignedTreeHead | None
    agreed: SignedTreeHead | None
    fault: Fault | None

    @property
    def ok(self) -> bool:
        return self.fault is None

    def lines(self) -> Iterator[str]:
        """The verdict for people."""
        if self.fault is not None:
            yield f"NOT WHOLE: {self.fault.kind}, {_place(self.fault)}: {self.fault.detail}"
            yield f"good before it: {self.entries} entries of chain {self.chain or '(unknown)'}"
        else:
            yield f"whole: {self.entries} entries of chain {self.chain or '(empty)'}"
            yield f"keys: registry version {self.registry_version}"
        if self.complete_to is None:
            yield "no signed head in the file: entries may be missing at its end"
        else:
            yield f"complete up to the head signed in the file {_head(self.complete_to)}"
            if self.fault is None and self.entries > self.complete_to.head.size:
                yield f"entries {self.complete_to.head.size + 1} to {self.entries} come after it"
        if self.agreed is not None:
            yield f"agrees with the head that was given {_head(self.agreed)}"
        elif self.fault is None:
            yield "compared with no head from elsewhere: later entries may have been cut off"


def _place(fault: Fault) -> str:
    where = f"line {fault.line}" if fault.line else "the head that was given"
    return where if fault.entry is None else f"{where}, entry {fault.entry}"


def _head(signed: SignedTreeHead) -> str:
    return f"at {signed.head.at.isoformat()} (size {signed.head.size}, root {signed.head.root.hex()})"

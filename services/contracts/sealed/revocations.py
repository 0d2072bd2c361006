"""Takes entries off a sealed list without touching it: signed, numbered, only ever subtracting.

Whoever folds revocations ends with the same, in whatever order and however often they come. A number that is
missing means that one was withheld: the folded set says which, and its reader decides whether to search on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from services.contracts.errors import Undecodable
from services.contracts.sealed.canonical import decode, encode
from services.contracts.sealed.faults import Altered, Fault, Refused
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.rules import is_sha256
from services.contracts.sealed.seal import SIGNATURE_BYTES, Role, Signer, Verifier

FORMAT = "signpost-revocation-1"
# No list is revoked more often; a larger number is a slip or an attack on whoever counts the missing ones.
MAX_SEQUENCE = 1_000_000


class Reason(StrEnum):
    """Why an entry may raise no more."""

    NO_LONGER_SOUGHT = "no_longer_sought"
    LOCATED = "located"
    ADDED_BY_MISTAKE = "added_by_mistake"
    WRONG_PERSON = "wrong_person"
    BASIS_ENDED = "basis_ended"
    COURT_ORDER = "court_order"
    PERSON_OBJECTED = "person_objected"


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """One entry taken off the list of that digest. Numbers begin at 1 and have no gaps."""

    format: str = FORMAT
    digest: str
    sequence: int
    entry_id: str
    reason: Reason
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SignedRevocation:
    """A revocation with its signature, in hex: what travels on `authority`."""

    revocation: Revocation
    key_id: str
    role: Role
    value: str = field(repr=False)

    def to_bytes(self) -> bytes:
        return encode(self)


@dataclass(frozen=True)
class Folded:
    """Every revocation of one list that arrived. Merging is commutative, associative and idempotent."""

    digest: str
    revocations: frozenset[Revocation] = frozenset()

    def __post_init__(self) -> None:
        if any(one.digest != self.digest for one in self.revocations):
            raise ValueError("a revocation is of another list")

    def merged(self, other: Folded) -> Folded:
        """Both. Raises ValueError if they are of two lists."""
        if other.digest != self.digest:
            raise ValueError("a revocation is of another list")
        return Folded(self.digest, self.revocations | other.revocations)

    @cached_property
    def by_entry(self) -> Mapping[str, Revocation]:
        """The earliest revocation of each entry; whatever it says of its time, it holds from when it arrived."""
        found: dict[str, Revocation] = {}
        for one in sorted(self.revocations, key=lambda one: (one.at, one.sequence, encode(one)), reverse=True):
            found[one.entry_id] = one
        return MappingProxyType(found)

    @cached_property
    def highest(self) -> int:
        """The highest number seen; 0 before the first."""
        return max((one.sequence for one in self.revocations), default=0)

    @property
    def missing(self) -> tuple[range, ...]:
        """The numbers below the highest that did not arrive, as ranges."""
        return self.missing_to(self.highest)

    def missing_to(self, announced: int) -> tuple[range, ...]:
        """The numbers up to `announced` (by the lease, say) that did not arrive, as ranges."""
        gaps: list[range] = []
        expected = 1
        for number in sorted({one.sequence for one in self.revocations if one.sequence <= announced}):
            if number > expected:
                gaps.append(range(expected, number))
            expected = number + 1
        if expected <= announced:
            gaps.append(range(expected, announced + 1))
        return tuple(gaps)

    @property
    def forked(self) -> tuple[int, ...]:
        """Numbers that two different revocations have: somebody signs beside the register. Both hold."""
        seen: dict[int, int] = {}
        for one in self.revocations:
            seen[one.sequence] = seen.get(one.sequence, 0) + 1
        return tuple(sorted(number for number, count in seen.items() if count > 1))


def revoke(
    of: Manifest, entry_id: str, reason: Reason, *, sequence: int, signer: Signer, role: Role, at: datetime
) -> SignedRevocation:
    """A signed revocation; the sequence is for the register to give. One person may subtract.

    Raises Refused for an entry that is not on the list, or a number that is none.
    """
    if entry_id not in of.by_id:
        raise Refused([Fault(entry_id, "entry_id", "is not on the list", "G10")])
    if not 1 <= sequence <= MAX_SEQUENCE:
        raise Refused([Fault(entry_id, "sequence", f"must be 1 to {MAX_SEQUENCE}", "G10")])
    made = Revocation(
        digest=of.digest, sequence=sequence, entry_id=entry_id, reason=reason, by=signer.person, at=at
    )
    value = signer.sign(_message(made, signer.key_id, role)).hex()
    return SignedRevocation(revocation=made, key_id=signer.key_id, role=role, value=value)


def parse(raw: bytes) -> SignedRevocation:
    """The revocation of `to_bytes`; says nothing of its signature. Raises Undecodable."""
    found = decode(SignedRevocation, raw)
    inner = found.revocation
    if inner.format != FORMAT or not is_sha256(inner.digest) or not 1 <= inner.sequence <= MAX_SEQUENCE:
        raise Undecodable("not a revocation")
    return found


def check(signed: SignedRevocation, *, digest: str, verifier: Verifier) -> Revocation:
    """The revocation, if somebody with a role signed it for the list of `digest`. Raises Altered.

    Its time is not compared with a clock: a list that waits for a clock before it subtracts subtracts too late.
    """
    one = signed.revocation
    where = [f"revocation {one.sequence}"]
    if one.digest != digest:
        raise Altered(where, "of another list")
    if not 1 <= one.sequence <= MAX_SEQUENCE or one.format != FORMAT:
        raise Altered(where, "no revocation")
    try:
        value = bytes.fromhex(signed.value)
    except ValueError:
        raise Altered(where, "a signature that is none") from None
    if len(value) != SIGNATURE_BYTES or value.hex() != signed.value:
        raise Altered(where, "a signature that is none")
    person = verifier.person(
        key_id=signed.key_id,
        role=signed.role,
        signed_at=one.at,
        message=_message(one, signed.key_id, signed.role),
        signature=value,
    )
    if person is None or person != one.by:
        raise Altered(where, "not signed by a key in force that holds the role")
    return one


def fold(before: Folded, arrived: Iterable[Revocation]) -> Folded:
    """`before` and what arrived, after `check`; replays change nothing. Raises ValueError for another list's."""
    return Folded(before.digest, before.revocations | frozenset(arrived))


def _message(of: Revocation, key_id: str, role: Role) -> bytes:
    return encode(SignedRevocation(revocation=of, key_id=key_id, role=role, value=""))

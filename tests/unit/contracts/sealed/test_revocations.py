"""Revocations only subtract, in whatever order and however often they come (G10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.errors import Undecodable
from services.contracts.sealed import revocations
from services.contracts.sealed.faults import Altered, Refused
from services.contracts.sealed.revocations import Folded, Reason, Revocation, SignedRevocation
from services.contracts.sealed.seal import Role
from services.contracts.sealed.standing import active
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import (
    APPROVER,
    AUDITOR,
    MANAGER,
    APerson,
    ARegistry,
    a_draft,
    an_entry,
)

LIST = a_draft(*(an_entry(f"e-{n}") for n in (1, 2, 3, 4))).manifest
NONE = Folded(LIST.digest)


def a_revocation(sequence: int = 1, entry_id: str = "e-1", **changes: Any) -> Revocation:
    values: dict[str, Any] = {
        "digest": LIST.digest,
        "sequence": sequence,
        "entry_id": entry_id,
        "reason": Reason.NO_LONGER_SOUGHT,
        "by": "p-manager",
        "at": NOON,
    }
    return Revocation(**(values | changes))


def signed(signer: APerson = MANAGER, role: Role = Role.MANAGER, sequence: int = 1) -> SignedRevocation:
    return revocations.revoke(LIST, "e-1", Reason.LOCATED, sequence=sequence, signer=signer, role=role, at=NOON)


def check(one: SignedRevocation, digest: str = LIST.digest) -> Revocation:
    return revocations.check(one, digest=digest, verifier=ARegistry())


ANY = st.lists(
    st.builds(
        a_revocation,
        st.integers(1, 6),
        st.sampled_from(["e-1", "e-2", "e-3", "e-9"]),
        reason=st.sampled_from(Reason),
        at=st.integers(-2, 2).map(lambda hours: NOON + timedelta(hours=hours)),
    ),
    max_size=8,
)


@given(arrived=ANY, data=st.data())
def test_neither_order_nor_replays_nor_batches_change_what_is_revoked(
    arrived: list[Revocation], data: st.DataObject
) -> None:
    replayed = data.draw(st.lists(st.sampled_from(arrived), max_size=5)) if arrived else []
    shuffled = data.draw(st.permutations([*arrived, *replayed]))
    cut = data.draw(st.integers(0, len(shuffled)))
    at_once = revocations.fold(NONE, arrived)
    in_two = revocations.fold(revocations.fold(NONE, shuffled[:cut]), shuffled[cut:])
    merged = revocations.fold(NONE, shuffled[cut:]).merged(revocations.fold(NONE, shuffled[:cut]))
    assert at_once == in_two == merged
    assert dict(at_once.by_entry) == dict(in_two.by_entry) == dict(merged.by_entry)
    assert (at_once.highest, at_once.missing, at_once.forked) == (in_two.highest, in_two.missing, in_two.forked)
    assert active(LIST, at_once, NOON) == active(LIST, in_two, NOON)


@given(before=ANY, after=ANY)
def test_a_revocation_only_ever_subtracts(before: list[Revocation], after: list[Revocation]) -> None:
    first = revocations.fold(NONE, before)
    then = revocations.fold(first, after)
    assert active(LIST, then, NOON).active <= active(LIST, first, NOON).active
    assert first.by_entry.keys() <= then.by_entry.keys()


@given(before=ANY)
def test_the_sealed_digest_never_changes(before: list[Revocation]) -> None:
    digest = LIST.digest
    active(LIST, revocations.fold(NONE, before), NOON)
    assert LIST.digest == digest


def test_numbers_that_did_not_arrive_are_named() -> None:
    found = revocations.fold(NONE, [a_revocation(2), a_revocation(6), a_revocation(3)])
    assert found.missing == (range(1, 2), range(4, 6))
    assert found.missing_to(9) == (range(1, 2), range(4, 6), range(7, 10))
    assert found.missing_to(3) == (range(1, 2),)
    assert NONE.missing == ()
    assert NONE.missing_to(2) == (range(1, 3),)


@given(st.sets(st.integers(1, 40)), st.integers(0, 50))
def test_what_is_missing_is_what_a_count_misses(numbers: set[int], announced: int) -> None:
    found = revocations.fold(NONE, [a_revocation(number) for number in numbers])
    missing = {number for gap in found.missing_to(announced) for number in gap}
    assert missing == set(range(1, announced + 1)) - numbers


def test_a_number_far_off_costs_no_memory() -> None:
    found = revocations.fold(NONE, [a_revocation(revocations.MAX_SEQUENCE)])
    assert found.missing == (range(1, revocations.MAX_SEQUENCE),)


def test_two_revocations_under_one_number_both_hold_and_are_named() -> None:
    found = revocations.fold(NONE, [a_revocation(1, "e-1"), a_revocation(1, "e-2")])
    assert found.forked == (1,)
    assert set(found.by_entry) == {"e-1", "e-2"}


def test_an_entry_revoked_twice_is_revoked_since_the_first() -> None:
    late, early = a_revocation(1, at=NOON), a_revocation(2, at=NOON - timedelta(hours=1))
    assert revocations.fold(NONE, [late, early]).by_entry["e-1"] == early


def test_a_signed_revocation_comes_out_as_it_went_in() -> None:
    for signer, role in ((MANAGER, Role.MANAGER), (APPROVER, Role.APPROVER)):
        one = signed(signer, role)
        assert revocations.parse(one.to_bytes()) == one
        assert check(one).by == signer.person


@given(data=st.data())
def test_any_byte_of_a_revocation_altered_is_found(data: st.DataObject) -> None:
    raw = bytearray(signed().to_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((Altered, Undecodable)):
        check(revocations.parse(bytes(raw)))


@pytest.mark.parametrize(
    "forged",
    [
        signed(AUDITOR),
        signed(APerson("p-stranger")),
        signed(MANAGER, Role.APPROVER),
        replace(signed(), key_id=APPROVER.key_id),
        replace(signed(), value="no hex"),
        replace(signed(), value=""),
        replace(signed(), revocation=replace(signed().revocation, entry_id="e-2")),
        replace(signed(), revocation=replace(signed().revocation, by="p-somebody")),
        replace(signed(), revocation=replace(signed().revocation, sequence=0)),
    ],
    ids=[
        "no role",
        "stranger",
        "other role",
        "other key",
        "no hex",
        "none",
        "other entry",
        "other person",
        "zero",
    ],
)
def test_a_revocation_that_nobody_with_a_role_signed_is_refused(forged: SignedRevocation) -> None:
    with pytest.raises(Altered):
        check(forged)


def test_a_revocation_of_another_list_is_refused() -> None:
    with pytest.raises(Altered, match="another list"):
        check(signed(), digest="0" * 64)
    with pytest.raises(ValueError, match="another list"):
        revocations.fold(Folded("0" * 64), [a_revocation()])
    with pytest.raises(ValueError, match="another list"):
        NONE.merged(Folded("0" * 64))
    with pytest.raises(ValueError, match="another list"):
        active(LIST, Folded("0" * 64), NOON)


@pytest.mark.parametrize(("entry", "sequence"), [("e-9", 1), ("e-1", 0), ("e-1", revocations.MAX_SEQUENCE + 1)])
def test_a_revocation_of_nobody_or_without_a_number_is_not_made(entry: str, sequence: int) -> None:
    with pytest.raises(Refused):
        revocations.revoke(
            LIST, entry, Reason.LOCATED, sequence=sequence, signer=MANAGER, role=Role.MANAGER, at=NOON
        )

"""Revocations only subtract, and only the list knows whom they are about (G10)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.authorisation.enums import RevocationReason
from services.contracts.authorisation.revocations import Revocations
from services.contracts.authorisation.statements import NOTHING, EntriesRevoked
from services.contracts.ids import SubjectToken, subject_token
from services.contracts.sealed.faults import Refused
from services.contracts.sealed.revocations import revoked, taken_off, tokens
from services.contracts.sealed.standing import Inert, inert
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import BOUNDED, a_draft, an_entry

LIST = a_draft(*(an_entry(f"e-{n}") for n in (1, 2, 3, 4))).manifest
IDS = sorted(LIST.by_id)


def token_of(reference: str) -> SubjectToken:
    return subject_token(b"the deployment's key", reference)


def taking_off(*entry_ids: str, sequence: int = 1, previous: str = NOTHING) -> EntriesRevoked:
    return taken_off(
        LIST, entry_ids, RevocationReason.LOCATED, token_of=token_of, sequence=sequence, previous=previous, at=NOON
    )


def off_after(*records: EntriesRevoked) -> frozenset[str]:
    """The entries off once the gate's fold has seen these."""
    folded = Revocations()
    for record in records:
        folded = folded.with_record(record)
    return revoked(LIST, folded.tokens(LIST.digest), token_of)


@BOUNDED
@given(st.sets(st.sampled_from(IDS), min_size=1))
def test_what_is_taken_off_is_off_and_nobody_else(names: set[str]) -> None:
    assert off_after(taking_off(*names)) == names


@BOUNDED
@given(
    before=st.lists(st.sets(st.sampled_from(IDS), min_size=1), max_size=4),
    after=st.sets(st.sampled_from(IDS), min_size=1),
    hours=st.floats(0, 100),
)
def test_a_revocation_only_ever_subtracts(before: list[set[str]], after: set[str], hours: float) -> None:
    earlier = [taking_off(*names, sequence=number) for number, names in enumerate(before, 1)]
    first, then = off_after(*earlier), off_after(*earlier, taking_off(*after, sequence=len(before) + 1))
    assert then == first | after
    now = NOON + timedelta(hours=hours)
    assert inert(LIST, first, now).keys() <= inert(LIST, then, now).keys()
    assert all(inert(LIST, then, now)[name] is Inert.REVOKED for name in after)


def test_a_revocation_leaves_the_digest_as_it_was_sealed() -> None:
    digest = LIST.digest
    assert taking_off("e-1").list_digest == digest
    assert LIST.digest == digest


def test_a_revocation_names_nobody() -> None:
    said = taking_off("e-2").canonical_bytes()
    assert b"NOMINAL" not in said
    assert b"e-2" not in said


def test_a_token_of_nobody_on_the_list_changes_nothing() -> None:
    assert revoked(LIST, {token_of("somebody else"), "no token"}, token_of) == frozenset()


def test_every_entry_has_a_token_of_its_own() -> None:
    assert sorted(tokens(LIST, token_of).values()) == IDS


@pytest.mark.parametrize("names", [(), ("e-9",), ("e-1", "e-9")], ids=str)
def test_a_revocation_of_nobody_is_not_made(names: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="G10"):
        taking_off(*names)

"""Everything that changes an authority is asked to be recorded, once and without gaps, and nothing else is."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from hashlib import sha256

import pytest

from services.contracts.audit.registry import keys_of
from services.contracts.audit.requests import SYSTEM, Action, SignedRequest
from services.contracts.authorisation.enums import ClockState, Move
from services.contracts.authorisation.exporting import ChainExported
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.registry import sign_registry
from services.contracts.authorisation.statements import NotBelieved, sign
from services.contracts.sealed.seal import ListSealed, Seal
from services.oversight.core.clerk import Decision, Now
from services.oversight.core.commands import Export, PutRegistry, Submit
from services.oversight.core.minutes import ACTIONS, Minutes
from services.oversight.core.register import Register
from services.runtime.keys.ed25519 import Ed25519Signer, verify
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import Desk

DOCUMENT = b.a_document()


class Minuted(Desk):
    """A desk whose every decision is minuted and recorded."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.minutes = Minutes(Ed25519Signer(b.secret("oversight")))
        self.asked: list[SignedRequest] = []

    def _take(self, decision: Decision) -> Decision:
        before: Register = self.register
        requests = self.minutes.of(decision, before, self.now)
        self.minutes.recorded(requests)
        self.asked += requests
        return super()._take(decision)

    def told(self) -> list[Action]:
        return [one.content.what for one in self.asked]


def active() -> Minuted:
    desk = Minuted()
    desk.begun()
    desk.active(DOCUMENT)
    return desk


def test_every_move_has_an_action() -> None:
    assert ACTIONS.keys() == set(Move)


def test_a_life_is_told_in_order_and_leases_are_not() -> None:
    desk = active()
    desk.beat()
    desk.give(DOCUMENT, Move.STOP, "sam")
    told = [what for what in desk.told() if what is not Action.KEY_ENROLLED]
    assert told == [
        Action.APPROVAL_GIVEN,
        Action.APPROVAL_GIVEN,
        Action.AUTHORITY_SUBMITTED,
        Action.AUTHORITY_APPROVED,
        Action.NOTICE_ATTESTED,
        Action.LIST_LOADED,
        Action.AUTHORITY_ACTIVATED,
        Action.STOPPED,
    ]
    assert {one.content.chain for one in desk.asked} == {SYSTEM, DOCUMENT.id}


def test_numbers_are_gapless_on_each_chain_and_signed_by_a_key_of_the_registry() -> None:
    desk = active()
    keys = keys_of(b.a_registry())
    for chain, count in Counter(one.content.chain for one in desk.asked).items():
        numbers = [one.content.sequence for one in desk.asked if one.content.chain == chain]
        assert numbers == list(range(1, count + 1))
    assert all(one.is_signed(keys, verify) for one in desk.asked)


def test_numbers_of_what_was_not_recorded_are_given_again() -> None:
    minutes, first = Minutes(Ed25519Signer(b.secret("oversight"))), Desk().begun()
    before = first.register
    made = first.tell(Submit(DOCUMENT.canonical_bytes(), b.approvals(DOCUMENT, "ann", at=first.at)))
    once, again = (minutes.of(made, before, first.now) for _ in range(2))
    assert [one.raw for one in once] == [one.raw for one in again]
    minutes.recorded(once)
    assert minutes.of(made, before, first.now)[0].content.sequence == len(once) + 1


def test_every_key_that_comes_or_is_withdrawn_is_told_once() -> None:
    desk = Minuted()
    desk.begun()
    assert desk.told() == [Action.KEY_ENROLLED] * len(b.PEOPLE)
    known = b.a_registry()
    keys = [
        key.model_copy(update={"revoked_at": b.APPROVED}) if key.person == "uma" else key for key in known.keys
    ]
    revoked = known.model_copy(update={"sequence": known.sequence + 1, "keys": tuple(keys)})
    desk.tell(PutRegistry(sign_registry(revoked, b.ROOT)))
    assert desk.told()[len(b.PEOPLE) :] == [Action.KEY_REVOKED]


def test_an_entry_that_is_revoked_is_told() -> None:
    desk = active()
    desk.revoke(DOCUMENT, b.TOKENS[0])
    assert desk.told()[-1] is Action.LIST_ENTRY_REVOKED


def test_one_more_approval_is_told_alone() -> None:
    desk = active()
    desk.asked.clear()
    desk.approve(DOCUMENT, "pat")
    assert desk.told() == [Action.APPROVAL_GIVEN]
    token = desk.version(DOCUMENT).approvals[-1]
    assert desk.asked[0].content.seen_sha256 == sha256(token.encode()).digest()


def sealed(digest: str, *people: str) -> Seal:
    """A list of DOCUMENT's, as these people signed it."""
    signatures = tuple(
        sign(ListSealed(deployment=DOCUMENT.id, signed_at=b.APPROVED, name=NAME, digest=digest), b.key(person))
        for person in people
    )
    return Seal(deployment=DOCUMENT.id, name=NAME, digest=digest, leaves=(), signatures=signatures)


NAME, DIGEST = DOCUMENT.watchlist.id, DOCUMENT.watchlist.digest


def about_lists(seal: Seal) -> list[Action]:
    desk = Minuted(seals={(DOCUMENT.id, DIGEST): seal})
    desk.begun()
    desk.active(DOCUMENT)
    mine = [one.content for one in desk.asked if one.content.what.startswith("list_")]
    assert {one.about for one in mine} == {DIGEST}
    return [one.what for one in mine]


def test_who_sealed_a_list_is_told_as_it_comes_into_force() -> None:
    told = about_lists(sealed(DIGEST, "liz", "olu"))
    assert told == [Action.LIST_APPROVED, Action.LIST_APPROVED, Action.LIST_SEALED, Action.LIST_LOADED]


@pytest.mark.parametrize("people", [(), ("liz",), ("liz", "sam"), ("olu", "olu")])
def test_a_seal_that_is_not_two_peoples_is_not_told_as_one(people: tuple[str, ...]) -> None:
    assert about_lists(sealed(DIGEST, *people)) == [Action.LIST_LOADED]


def test_an_export_is_one_entry_however_often_and_by_whichever_leader_it_is_told() -> None:
    desk = active()
    said = ChainExported(deployment=DOCUMENT.id, signed_at=desk.at, sha256=b.sha("the file"))
    other = Minutes(Ed25519Signer(b.secret("oversight")))
    desk.tell(Export(sign(said, b.key("aud"))))
    decision = desk.tell(Export(sign(said, b.key("aud"))))
    again = other.of(decision, desk.register, desk.now)
    first, second = desk.asked[-2:]
    assert first.raw == second.raw == again[-1].raw
    assert (first.content.what, first.content.chain) == (Action.EXPORTED, DOCUMENT.id)
    assert first.content.seen_sha256.hex() == said.sha256
    desk.give(DOCUMENT, Move.STOP, "sam")
    mine = [one.content for one in desk.asked if one.content.chain == DOCUMENT.id]
    numbers = [one.sequence for one in mine if one.producer == mine[-1].producer]
    assert numbers == list(range(1, len(numbers) + 1))


def test_an_export_of_what_belongs_to_no_deployment_goes_to_its_own_chain() -> None:
    desk = active()
    said = ChainExported(deployment=SYSTEM, signed_at=desk.at, sha256=b.sha("the file"))
    desk.tell(Export(sign(said, b.key("aud"))))
    assert (desk.asked[-1].content.what, desk.asked[-1].content.chain) == (Action.EXPORTED, SYSTEM)


@pytest.mark.parametrize(
    ("changes", "by"),
    [({"deployment": "nowhere"}, "aud"), ({"signed_at": b.APPROVED - timedelta(hours=1)}, "aud"), ({}, "liz")],
)
def test_what_is_no_export_of_now_by_who_may_is_not_told(changes: dict[str, object], by: str) -> None:
    desk = active()
    said = ChainExported.model_validate(
        {"deployment": DOCUMENT.id, "signed_at": desk.at, "sha256": b.sha("the file")} | changes
    )
    with pytest.raises((NotAuthorised, NotBelieved)):
        desk.tell(Export(sign(said, b.key(by))))


def test_a_clock_that_jumps_is_told_once_until_it_has_settled() -> None:
    desk = Minuted().begun()
    assert isinstance(desk, Minuted)
    minutes, asked = desk.minutes, list[Action]()
    for at_s, skew_s in ((0, 0), (2, 30), (4, 30), (6, 30), (20, 30), (22, 30), (24, -30)):
        reading = b.a_reading(desk.at + timedelta(seconds=at_s), monotonic_skew_s=skew_s)
        made = minutes.of(Decision(desk.register), desk.register, Now(reading))
        minutes.recorded(made)
        asked += [one.content.what for one in made]
    assert asked == [Action.CLOCK_FAULT, Action.CLOCK_FAULT]


def test_two_leaderships_never_share_a_producer() -> None:
    elder, younger = active(), active()
    assert elder.asked[0].content.producer != younger.asked[0].content.producer


@pytest.mark.parametrize("state", [ClockState.UNSYNCHRONISED, ClockState.UNKNOWN])
def test_a_clock_that_is_out_is_told_once_until_it_was_right_again(state: ClockState) -> None:
    desk = Minuted().begun()
    assert isinstance(desk, Minuted)
    desk.asked.clear()
    for clock in (state, state, ClockState.SYNCHRONISED, state):
        desk.clock = clock
        desk.at += timedelta(seconds=2)
        desk.beat()
    assert desk.told() == [Action.CLOCK_FAULT, Action.CLOCK_FAULT]

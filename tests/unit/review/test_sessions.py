"""Signing in, staying in, being out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from services.contracts.audit.requests import Action
from services.contracts.errors import Transient
from services.review.core.errors import NotSignedIn, TooOften
from services.review.core.people import Credentials, Person, PersonTokens, Role, SignedIn
from services.review.core.signing_in import Devices
from services.review.refusals_told import RefusalsTold
from services.review.sessions import TokenSessions
from tests.fakes.clock import ManualClock
from tests.fakes.trail import FakeTrail

ANN = Person(user="ann", name="Ann", roles=frozenset({Role.REVIEWER}))
STRANGER, HOME = "192.0.2.66", "203.0.113.5"
RIGHT = Credentials(user="ann", password="right")


class People:
    """`Identities` of one person, who may be let go."""

    def __init__(self) -> None:
        self.there = True
        self.ann = ANN
        self.asked = 0

    def authenticate(self, credentials: Credentials) -> Person | None:
        self.asked += 1
        return self.ann if self.there and (credentials.user, credentials.password) == ("ann", "right") else None

    def find(self, user: str) -> Person | None:
        return self.ann if self.there and user == ANN.user else None


class Kept:
    """`SessionStore` in memory."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.held: dict[str, tuple[SignedIn, datetime]] = {}

    async def put(self, token_hash: str, who: SignedIn, *, until: datetime) -> None:
        self.held[token_hash] = (who, until)

    async def found(self, token_hash: str) -> SignedIn | None:
        who, until = self.held.get(token_hash, (None, self.clock.now()))
        return who if self.clock.now() < until else None

    async def remove(self, token_hash: str) -> None:
        self.held.pop(token_hash, None)


class Door:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.people = People()
        self.kept = Kept(self.clock)
        self.trail = FakeTrail()
        self.sessions = TokenSessions(
            self.people, self.kept, self.trail, PersonTokens(bytes(32)), self.clock, session_s=3600
        )

    def sign_in(self) -> str:
        return asyncio.run(self.sessions.sign_in(RIGHT)).token

    def person(self, token: str) -> Person:
        return asyncio.run(self.sessions.person(token))


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.sessions.close()


def test_a_token_is_a_person_until_the_shift_ends(door: Door) -> None:
    token = door.sign_in()
    assert door.person(token) == ANN
    door.clock.advance(3600)
    with pytest.raises(NotSignedIn):
        door.person(token)


def test_what_is_kept_of_a_token_does_not_open_the_door(door: Door) -> None:
    token = door.sign_in()
    (kept,) = door.kept.held
    assert token not in kept
    with pytest.raises(NotSignedIn):
        door.person(kept)


def test_a_signed_out_token_is_nobody(door: Door) -> None:
    token = door.sign_in()
    asyncio.run(door.sessions.sign_out(token))
    with pytest.raises(NotSignedIn):
        door.person(token)


def test_who_is_let_go_is_out_at_once(door: Door) -> None:
    token = door.sign_in()
    door.people.there = False
    with pytest.raises(NotSignedIn):
        door.person(token)


@pytest.mark.parametrize("change", [{"credential": "another"}, {"person": "p-another"}])
def test_a_session_ends_with_the_password_and_the_person_it_was_opened_with(
    door: Door, change: dict[str, str]
) -> None:
    """A stolen session outlived the new password, and a user name given on took its old sessions along."""
    token = door.sign_in()
    door.people.ann = replace(ANN, **change)  # type: ignore[arg-type]
    with pytest.raises(NotSignedIn):
        door.person(token)
    assert door.person(door.sign_in()) == door.people.ann


def test_a_session_stays_where_only_name_or_roles_change(door: Door) -> None:
    token = door.sign_in()
    door.people.ann = replace(ANN, name="Ann B.", roles=frozenset({Role.SUPERVISOR}))
    assert door.person(token) == door.people.ann


def refused(door: Door, credentials: Credentials) -> str:
    with pytest.raises(NotSignedIn) as raised:
        asyncio.run(door.sessions.sign_in(credentials))
    return type(raised.value).__name__


def a_guess(user: str = "ann", *, peer: str = STRANGER, device: str = "", password: str = "guess") -> Credentials:
    return Credentials(user=user, password=password, peer=peer, device=device)


def test_guesses_that_come_all_at_once_are_counted_before_any_is_looked_at(door: Door) -> None:
    """Three hundred at once were each checked, against a limit of twenty: the right one was among them."""

    async def guess(number: int) -> object:
        try:
            return await door.sessions.sign_in(a_guess(password=f"tangerine-{number}"))
        except NotSignedIn as error:
            return error

    async def all_at_once() -> list[object]:
        return await asyncio.gather(*(guess(number) for number in range(300)))

    found = asyncio.run(all_at_once())
    assert door.people.asked == 10
    assert sum(isinstance(one, TooOften) for one in found) == 290


def test_a_guesser_gets_twenty_tries_in_five_minutes(door: Door) -> None:
    for _ in range(301):
        refused(door, a_guess())
        door.clock.advance(1)
    assert door.people.asked == 20


def test_who_guesses_in_anns_name_does_not_lock_her_out(door: Door) -> None:
    """Twenty wrong guesses by anybody, and she could not begin her shift."""
    for number in range(60):
        refused(door, a_guess(peer=f"198.51.100.{number % 3}"))
    assert asyncio.run(door.sessions.sign_in(a_guess(peer=HOME, password="right"))).person == ANN


def test_a_browser_that_ann_used_is_heard_beside_a_guesser_at_the_same_address(door: Door) -> None:
    device = asyncio.run(door.sessions.sign_in(a_guess(password="right"))).device
    for _ in range(30):
        refused(door, a_guess())
    assert refused(door, a_guess(password="right")) == "TooOften"
    assert asyncio.run(door.sessions.sign_in(a_guess(password="right", device=device))).person == ANN


@pytest.mark.parametrize("device", ["", "made-up", "a.99999999999.b", "x.²." + "0" * 64])
def test_a_made_up_browser_is_a_strangers(door: Door, device: str) -> None:
    for _ in range(10):
        assert refused(door, a_guess(device=device)) == "NotSignedIn"
    assert refused(door, a_guess(device=device)) == "TooOften"


def test_a_browser_is_known_for_its_own_user_and_for_its_time(door: Door) -> None:
    devices = Devices(bytes(32))
    token = devices.token("ann", door.clock.now())
    assert devices.known(token, "ann", door.clock.now())
    assert not devices.known(token, "ben", door.clock.now())
    assert not Devices(bytes([1]) * 32).known(token, "ann", door.clock.now())
    door.clock.advance(31 * 24 * 3600)
    assert not devices.known(token, "ann", door.clock.now())


def test_names_that_nobody_has_are_looked_at_like_those_that_somebody_has(door: Door) -> None:
    for _ in range(20):
        refused(door, a_guess("nobody"))
    known = door.people.asked
    for _ in range(20):
        refused(door, a_guess("ann"))
    assert (known, door.people.asked - known) == (10, 10)


def test_who_comes_and_goes_is_in_the_audit_chain_first(door: Door) -> None:
    token = door.sign_in()
    asyncio.run(door.sessions.sign_out(token))
    asyncio.run(door.sessions.sign_out(token))
    told = [(one.what, one.who) for one in door.trail.told]
    who = PersonTokens(bytes(32)).of(ANN)
    assert told == [(Action.SIGNED_IN, who), (Action.SIGNED_OUT, who)]


def test_refusals_are_one_entry_with_their_number_and_none_is_lost_while_the_chain_is_away(door: Door) -> None:
    """A hundred made-up names were a hundred entries, each kept for seven years."""
    told = RefusalsTold(door.trail, every_s=0.01)

    async def work() -> None:
        async with told.running():
            door.trail.away = True
            for _ in range(100):
                told.refused()
            while not door.trail.refused:
                await asyncio.sleep(0.01)
            door.trail.away = False

    asyncio.run(work())
    assert [(one.what, one.who, one.about) for one in door.trail.told] == [
        (Action.SIGN_IN_REFUSED, "", "refused/100")
    ]


def test_nobody_comes_in_while_the_audit_chain_does_not_answer(door: Door) -> None:
    door.trail.away = True
    with pytest.raises(Transient):
        door.sign_in()
    assert door.kept.held == {}

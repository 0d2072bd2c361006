"""Signing in, staying in, being out."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from services.contracts.audit.requests import Action
from services.contracts.errors import Transient
from services.review.core.errors import NotSignedIn
from services.review.core.people import Credentials, Person, PersonTokens, Role
from services.review.sessions import TokenSessions
from tests.fakes.clock import ManualClock
from tests.fakes.trail import FakeTrail

ANN = Person(user="ann", name="Ann", roles=frozenset({Role.REVIEWER}))
RIGHT = Credentials(user="ann", password="right")


class People:
    """`Identities` of one person, who may be let go."""

    def __init__(self) -> None:
        self.there = True
        self.asked = 0

    def authenticate(self, credentials: Credentials) -> Person | None:
        self.asked += 1
        return ANN if self.there and credentials == RIGHT else None

    def find(self, user: str) -> Person | None:
        return ANN if self.there and user == ANN.user else None


class Kept:
    """`SessionStore` in memory."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.held: dict[str, tuple[str, datetime]] = {}
        self.refused: dict[str, int] = {}

    async def put(self, token_hash: str, user: str, *, until: datetime) -> None:
        self.held[token_hash] = (user, until)

    async def user(self, token_hash: str) -> str | None:
        user, until = self.held.get(token_hash, ("", self.clock.now()))
        return user if self.clock.now() < until else None

    async def remove(self, token_hash: str) -> None:
        self.held.pop(token_hash, None)

    async def failures(self, user: str) -> int:
        return self.refused.get(user, 0)

    async def failed(self, user: str, *, remember_s: int) -> None:
        self.refused[user] = self.refused.get(user, 0) + 1


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
def door() -> Door:
    return Door()


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


def test_a_guesser_is_made_to_wait_without_a_further_look_at_the_password(door: Door) -> None:
    wrong = Credentials(user="ann", password="guess")
    for _ in range(25):
        with pytest.raises(NotSignedIn):
            asyncio.run(door.sessions.sign_in(wrong))
    assert door.people.asked == 20


def test_who_comes_and_goes_is_in_the_audit_chain_first(door: Door) -> None:
    token = door.sign_in()
    asyncio.run(door.sessions.sign_out(token))
    asyncio.run(door.sessions.sign_out(token))
    with pytest.raises(NotSignedIn):
        asyncio.run(door.sessions.sign_in(Credentials(user="ann", password="wrong")))
    told = [(one.what, one.who) for one in door.trail.told]
    who = PersonTokens(bytes(32)).of(ANN)
    assert told == [(Action.SIGNED_IN, who), (Action.SIGNED_OUT, who), (Action.SIGN_IN_REFUSED, "")]


def test_nobody_comes_in_while_the_audit_chain_does_not_answer(door: Door) -> None:
    door.trail.away = True
    with pytest.raises(Transient):
        door.sign_in()
    assert door.kept.held == {}

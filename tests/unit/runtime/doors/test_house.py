"""Who gets a place, and whose it was."""

from __future__ import annotations

import pytest

from services.runtime.doors.house import House, Left, Limits, Waiting, Waits


class Guest:
    """A connection that a test has waiting, or served."""

    def __init__(self, peer: str, *, since_s: float | None) -> None:
        self.peer = peer
        self.since_s = since_s
        self.what = Waits.HEAD
        self.has_left = False

    def waiting(self) -> Waiting | None:
        return None if self.since_s is None else Waiting(self.what, self.since_s)

    def leave(self) -> None:
        self.has_left = True


class Doorkeeper:
    """A house of four, two to a peer, at a time that a test sets."""

    def __init__(self, *, shared: str = "") -> None:
        self.now_s = 100.0
        self.left: list[Left] = []
        self.house = House(
            Limits(connections=4, per_peer=2),
            now=lambda: self.now_s,
            is_shared=lambda peer: peer == shared,
            on_left=self.left.append,
        )

    def comes(self, peer: str, *, since_s: float | None = 100.0) -> Guest:
        guest = Guest(peer, since_s=since_s)
        assert self.house.enter(guest)
        return guest


def test_a_full_house_shows_out_whoever_kept_it_waiting_longest_of_the_peer_with_the_most() -> None:
    """253 half-sent requests held every place for good; nobody could open the page."""
    door = Doorkeeper()
    patient = door.comes("10.0.0.1", since_s=50)
    first, second = door.comes("10.0.0.2", since_s=80), door.comes("10.0.0.2", since_s=70)
    door.comes("10.0.0.3")
    door.comes("10.0.0.4")
    assert [guest.has_left for guest in (patient, first, second)] == [False, False, True]
    assert door.left == [Left.MADE_ROOM]
    assert len(door.house) == 4


def test_a_peer_at_its_limit_costs_itself_a_place_and_nobody_else() -> None:
    door = Doorkeeper()
    other = door.comes("10.0.0.1", since_s=1)
    first, second = door.comes("10.0.0.2", since_s=80), door.comes("10.0.0.2", since_s=90)
    door.comes("10.0.0.2")
    assert [guest.has_left for guest in (other, first, second)] == [False, True, False]


def test_who_is_being_served_keeps_their_place_and_the_next_is_refused() -> None:
    door = Doorkeeper()
    served = [door.comes(f"10.0.0.{n}", since_s=None) for n in range(4)]
    assert not door.house.enter(Guest("10.0.0.9", since_s=100))
    assert not any(guest.has_left for guest in served)
    assert door.left == [Left.REFUSED]


def test_those_behind_a_trusted_proxy_are_not_taken_for_one_peer() -> None:
    door = Doorkeeper(shared="10.0.0.1")
    behind = [door.comes("10.0.0.1") for _ in range(4)]
    assert not any(guest.has_left for guest in behind)


@pytest.mark.parametrize(
    ("what", "held_s", "leaves"),
    [
        (Waits.HANDSHAKE, 6, True),
        (Waits.HEAD, 9, False),
        (Waits.HEAD, 11, True),
        (Waits.BODY, 11, True),
        (Waits.READER, 11, True),
        (Waits.IDLE, 11, False),
        (Waits.IDLE, 301, True),
    ],
)
def test_each_thing_is_waited_for_so_long_and_no_longer(what: Waits, held_s: float, leaves: bool) -> None:
    door = Doorkeeper()
    guest = door.comes("10.0.0.1", since_s=100.0)
    guest.what = what
    door.now_s = 100.0 + held_s
    door.house.sweep()
    assert guest.has_left is leaves
    assert door.left == ([Left(what)] if leaves else [])


def test_nobody_is_shown_out_for_a_guest_that_has_gone_by_itself() -> None:
    door = Doorkeeper()
    guests = [door.comes(f"10.0.0.{n}") for n in range(4)]
    door.house.gone(guests[0])
    door.comes("10.0.0.9")
    assert not any(guest.has_left for guest in guests)

"""Attacks on what a matcher stands on: the topic, the clock, oversight. Each in a town of its own."""

from __future__ import annotations

from pathlib import Path

from services.contracts import topics
from services.contracts.authorisation.enums import Move
from tests.reliability.attacks.clocked import UNSYNCHRONISED, set_clock
from tests.reliability.attacks.severable import Severable
from tests.reliability.attacks.town import LEASE_LIFE_S, Outcome, Servers, Town

# After a step of the clock nothing is believed for ten seconds.
_SETTLES_S = 11.0
# Leases do not look as if they were from the future after the one, and do after the other.
_SMALL_STEP_S, _STEP_S = -1.5, -1800.0


def topic_unreachable(servers: Servers) -> Outcome:
    """`authority` cannot be read any more, all other topics can; later it can again."""
    with Town(servers) as town, _Cut(town) as way:
        town.searches()
        way.cut()
        town.closes(within_s=LEASE_LIFE_S)
        town.dwell()
        town.opens()
        way.mend()
        town.searches()
        return town.outcome()


def stop_withheld(servers: Servers) -> Outcome:
    """`authority` is cut off from the matcher, then the stop is written; faces flow."""
    with Town(servers) as town, _Cut(town) as way:
        town.searches()
        way.cut()
        town.signed.move(Move.STOP)
        town.closes(within_s=LEASE_LIFE_S)
        town.dwell()
        way.mend()
        town.dwell()
        return town.outcome()


def clock_unsynchronised(servers: Servers) -> Outcome:
    """Nobody keeps the machine's clock right any more; the authority accepts no other."""
    with Town(servers, clock={"accepts": ["synchronised"]}) as town:
        hand = _clocked(town)
        town.searches()
        set_clock(hand, state=UNSYNCHRONISED)
        town.closes()
        town.dwell()
        town.opens()
        set_clock(hand)
        town.searches()
        return town.outcome()


def clock_stepped(servers: Servers) -> Outcome:
    """The time of day is set back by less than clocks may differ, then by half an hour, and later set right."""
    with Town(servers) as town:
        hand = _clocked(town)
        town.searches()
        set_clock(hand, off_s=_SMALL_STEP_S)
        town.closes(within_s=1.0)
        town.dwell()
        set_clock(hand, off_s=_STEP_S)
        town.dwell(_SETTLES_S)
        town.opens()
        set_clock(hand)
        town.searches()
        return town.outcome()


def _clocked(town: Town) -> Path:
    """A matcher on a clock of its own; the file is the hand on it."""
    hand = town.world.folder / "clock"
    set_clock(hand)
    town.matcher(module=("tests.reliability.attacks.clocked", str(hand)))
    return hand


class _Cut:
    """A matcher whose only way to the broker can be cut for `authority`."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._way = Severable(town.servers.bootstrap, topics.AUTHORITY.name)

    def __enter__(self) -> Severable:
        self._way.start()
        self._town.matcher(settings={"KAFKA_BOOTSTRAP": self._way.bootstrap})
        return self._way

    def __exit__(self, *_: object) -> None:
        self._way.stop()

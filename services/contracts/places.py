"""Numbers without gaps on the records between two stages, so that what is missing there is counted exactly; pure.

What a partition's offsets say is not how many records there were. An offset is also taken by the marker that ends
each transaction, and by what an aborted one wrote; retention deletes from the beginning, read or not; a topic that
was made anew begins at 0 again, ahead of or behind where a group stands; a group that never committed stands
nowhere. So no figure of ours is a difference of offsets where records are written in transactions. Instead the
writer numbers what it gives, and the reader keeps the last number it has passed:

    lane      all records that were written while one partition (the source) was read, to one partition (the home)
    number    1, 2, 3, ... in the lane, whichever process writes: its last is kept with the source's offset
    passed    the last number read of the lane: kept with the home's offset

Both are committed in the transaction that writes, or reads, the records. A record whose number does not follow on
what was passed tells how many were deleted unread before it. What is given and not passed lies between the two.

`frames` is written without transactions: there each offset is a record, and a hole between two offsets is that
many records. Where its group has never committed, nobody knows whose the first ones were: there each run of a
camera says by the number of its first frame how many came before.

The number is in a header, which the writer signs with the record (proof.py). So a record whose number was passed
is one that somebody has written again. Who has a service's key can make figures wrong, and no more: there are as
many lanes as the topics have partitions for, a number has an end, and so has the step to the next. What is beyond
is no place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from services.contracts.counts import MOST_NUMBER, PARTITIONS, Lane

HEADER = "place"
_FORM = re.compile(rb"([a-z0-9-]{1,63})/([0-9]{1,3})/([0-9]{1,13})")

MOST_STEP = 10**9
"""The most records that are believed to be missing before one. A lane of 1,000 records a second, far more than one
carries, gives so many in eleven days. What is further ahead somebody has made up."""

# A writer goes on where a number that it read is the last: nobody believes what it gives then, and it goes on.
_MOST_GIVEN = 2**62

# Runs of cameras that one group without an offset tells apart; of later ones it counts by offsets alone.
_MOST_RUNS = 4096


Headers = Iterable[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose record it is (a deployment), and where it stands in its lane."""

    scope: str
    source: int
    number: int

    def header(self) -> tuple[str, bytes]:
        return HEADER, f"{self.scope}/{self.source}/{self.number}".encode()


class InRun(NamedTuple):
    """A frame in its run of a camera: its number among those published, as far as ingest knew when it sent the
    frame; and its number among those sampled, which grows from one frame of the run to the next."""

    run: str
    number: int
    sequence: int


def place_of(headers: Headers) -> Place | None:
    """The place that a record names; None where it names none that can be read, or one that cannot be."""
    for name, value in headers:
        if name == HEADER and (found := _FORM.fullmatch(value)):
            place = Place(found[1].decode(), int(found[2]), int(found[3]))
            return place if place.source < PARTITIONS and 0 < place.number <= MOST_NUMBER else None
    return None


def missing(last: int, number: int) -> int | None:
    """How many numbers of a lane are left out where `number` comes after `last`; None where it does not come after
    it, or comes from too far ahead to be believed."""
    step = number - last
    return step - 1 if 0 < step <= MOST_STEP + 1 else None


@dataclass(frozen=True)
class Mark:
    """What is kept with the committed offset of one partition: `passed` by source, `given` by home.

    Beside them, not kept: `next`, the offset that comes next (None where the group has never committed), and then
    the `runs` that have been seen, and what had been `reached` of each.
    """

    passed: Mapping[int, int] = field(default_factory=dict)
    given: Mapping[int, int] = field(default_factory=dict)
    next: int | None = None
    runs: frozenset[str] = frozenset()
    reached: Mapping[str, int] = field(default_factory=dict)

    def reach(self, place: Place) -> tuple[Mark, int]:
        """With this record passed; and how many before it nobody will ever read.

        Nothing changes where it was read before, or its number is not to be believed.
        """
        hole = missing(self.passed.get(place.source, 0), place.number)
        if hole is None:
            return self, 0
        return replace(self, passed={**self.passed, place.source: place.number}), hole

    def step(self, offset: int, first: Callable[[], tuple[str, int] | None]) -> tuple[Mark, int]:
        """With the record at `offset` passed where each offset is one; and how many before it are gone.

        `first` tells the record's run and its number in it.
        """
        hole = 0 if self.next is None else max(0, offset - self.next)
        after = replace(self, next=offset + 1)
        if self.next is not None and not self.runs:
            return after, hole
        found = first() if len(self.runs) < _MOST_RUNS else None
        if found is None or found[0] in self.runs:
            return after, hole
        run, number = found
        before = missing(self.reached.get(run, 0), number)
        return replace(after, runs=self.runs | {run}), max(hole, before or 0)

    def give(self, home: int) -> tuple[Mark, int]:
        """With one more record written to `home`; and its number."""
        number = self.given.get(home, 0) + 1
        return replace(self, given={**self.given, home: number}), number

    def text(self) -> str:
        """As it is kept with the offset."""
        if not self.passed and not self.given:
            return ""
        return json.dumps({"passed": self.passed, "given": self.given}, separators=(",", ":"))


def parse(text: str) -> Mark | None:
    """The mark in `text`; None where it is not one (a tool has set the offset)."""
    if not text:
        return Mark()
    try:
        found = json.loads(text)
        return Mark(_numbers(found["passed"]), _numbers(found["given"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _numbers(found: Mapping[str, object]) -> dict[int, int]:
    """Raises ValueError for what no loop of ours has kept."""
    numbers = {int(name): int(str(number)) for name, number in found.items()}
    if any(not (0 <= one < PARTITIONS and 0 <= number <= _MOST_GIVEN) for one, number in numbers.items()):
        raise ValueError("a partition or a number that cannot be")
    return numbers


@dataclass(frozen=True)
class Between:
    """What lies between a writer and its reader: still there, or deleted by Kafka before it was read; or neither.

    `lost`: given, not read, not there, and Kafka has never deleted anything from its partition.
    """

    unread: int = 0
    deleted: int = 0
    lost: int = 0

    def __add__(self, other: Between) -> Between:
        return Between(self.unread + other.unread, self.deleted + other.deleted, self.lost + other.lost)


@dataclass(frozen=True, kw_only=True)
class Log:
    """One partition as Kafka has it: where its records begin and end, and where the reader's group stands.

    `there` are the numbers by source of the records from where the group stands, or from the beginning if it
    stands nowhere that is left.
    """

    first: int
    end: int
    committed: int | None
    there: Mapping[int, frozenset[int]] = field(default_factory=dict)

    @property
    def begin(self) -> int:
        """Where the group goes on: behind its offset, unless that is not in the partition (any more)."""
        if self.committed is None or not self.first <= self.committed <= self.end:
            return self.first
        return self.committed

    @property
    def cut(self) -> int:
        """How many offsets went from the beginning that the group has not read."""
        return max(0, self.first - (self.committed or 0))

    @property
    def shortened(self) -> bool:
        """Whether anything was ever deleted here, or the topic was made anew.

        A record that was given, not read, and does not lie ahead of the group lay before where it stands now:
        another lane of the partition has led it past. Only a deletion takes a record out from there.
        """
        return self.first > 0 or self.begin != (self.committed or 0)


def between(
    given: Mapping[Lane, int], passed: Mapping[Lane, int], later: Mapping[Lane, int], logs: Mapping[int, Log]
) -> Between:
    """Of each lane the numbers given and not passed. `later`: what was passed after `logs` were looked at.

    Takes time by what is there, however large the numbers are.
    """
    found = Between()
    for lane, last in given.items():
        log = logs.get(lane.home)
        there = log.there.get(lane.source, frozenset()) if log else frozenset()
        read = passed.get(lane, 0)
        begin = max(read, later.get(lane, 0))
        gone = max(0, last - begin) - sum(begin < number <= last for number in there)
        shortened = log is not None and log.shortened
        found += Between(max(0, last - read) - gone, gone if shortened else 0, 0 if shortened else gone)
    return found

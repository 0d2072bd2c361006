"""Which attacks there are, in which order, and what a whole run of them comes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any

import grpc

from tests.reliability.attacks import bounds, governed, readers, records, rogue, surroundings
from tests.reliability.attacks.judge import Verdict
from tests.reliability.attacks.town import Outcome, Servers, Town, Unfinished, words

# Below it a stop takes effect (issue 4, Shows 1).
STOP_WITHIN_MS = 2_000.0


@dataclass(frozen=True)
class Attack:
    """`play` is given the servers, and a town if it is one on records."""

    name: str
    play: Callable[[Servers], Outcome]

    @property
    def tried(self) -> str:
        """In the words of whoever wrote it."""
        return (self.play.__doc__ or "").partition("\n")[0].rstrip(".")


@dataclass(frozen=True)
class OnRecords:
    """An attack in the common town: while it is `suspended`, or while its authority stands."""

    name: str
    strike: Callable[[Town], None]
    resume: Callable[[Town], None] = Town.resume
    suspended: bool = True

    @property
    def tried(self) -> str:
        return (self.strike.__doc__ or "").partition("\n")[0].rstrip(".")

    def play(self, town: Town) -> Outcome:
        """Searches before and after, and the attack between them."""
        since, before = datetime.now(UTC), town.refused()
        try:
            self._between_searches(town)
        except AssertionError as failed:
            raise Unfinished(failed, Outcome(town.verdict(since=since), "")) from failed
        return Outcome(town.verdict(since=since), words(town.refused() - before))

    def _between_searches(self, town: Town) -> None:
        town.searches()
        if self.suspended:
            town.suspend()
        self.strike(town)
        if self.suspended:
            town.dwell()
            self.resume(town)
        town.searches()


# The one that replaces a person's key is the last: who resumes after it has another.
ON_RECORDS = (
    OnRecords("forged", records.forged),
    OnRecords("altered", records.altered),
    OnRecords("valid signature by the wrong role", records.wrong_role),
    OnRecords("replayed from another deployment", records.replayed_from_elsewhere),
    OnRecords("old state replayed", records.old_state_replayed),
    OnRecords("plaintext record injected", records.plaintext),
    OnRecords("plaintext face injected", records.plaintext_faces, suspended=False),
    OnRecords("face of an unknown camera", records.unknown_camera, suspended=False),
    OnRecords("a setting that claims to switch a check off", records.claims),
    OnRecords("key rotated", records.rotated, resume=records.resumed_with_the_new_key),
)
ALONE = (
    Attack("expired", bounds.expired),
    Attack("not yet valid", bounds.not_yet_valid),
    Attack("urgent and never approved", bounds.urgent_not_approved),
    Attack("revoked key", bounds.revoked_key),
    Attack("threshold lowered", bounds.threshold_lowered),
    Attack("list swapped", bounds.list_swapped),
    Attack("list grown past its cap", bounds.list_past_its_cap),
    Attack("score kind changed", bounds.score_kind_changed),
    Attack("camera swapped", readers.camera_swapped),
    Attack("source kind swapped", readers.source_kind_swapped),
    Attack("clock unsynchronised", surroundings.clock_unsynchronised),
    Attack("clock stepped", surroundings.clock_stepped),
    Attack("authority topic unreachable", surroundings.topic_unreachable),
    Attack("stop withheld", surroundings.stop_withheld),
    Attack("oversight dead", governed.oversight_dead),
    Attack("rogue matcher", rogue.rogue_matcher),
)


@dataclass(frozen=True)
class Result:
    """One attack's line."""

    name: str
    tried: str
    outcome: Outcome
    failure: str = ""

    @property
    def withstood(self) -> bool:
        return not self.failure and self.outcome.verdict.searches_outside == 0

    def __str__(self) -> str:
        verdict = self.outcome.verdict
        word = "withstood" if self.withstood else "FAILED"
        figures = f"{verdict.inside} searches inside, {verdict.searches_outside} outside"
        why = "; ".join(filter(None, (self.failure, *sorted(set(verdict.outside)), self.outcome.told)))
        return f"{word}: {self.name}: {figures}" + (f" ({why})" if why else "")


@dataclass
class Report:
    """What a run has shown."""

    results: list[Result] = field(default_factory=list)
    stops: list[governed.Stop] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        found = Verdict(0, ())
        for one in (*(result.outcome.verdict for result in self.results), *(stop.verdict for stop in self.stops)):
            found += one
        return found

    @property
    def stop_p95_ms(self) -> float:
        """Nearest rank: below twenty of them, the longest."""
        each = sorted(stop.last_search_ms for stop in self.stops)
        return each[math.ceil(0.95 * len(each)) - 1] if each else math.inf

    @property
    def passed(self) -> bool:
        """Every attack withstood, no search outside, some inside, and each stop in time."""
        whole = all(result.withstood for result in self.results) and self.verdict.searches_outside == 0
        return whole and self.verdict.inside > 0 and self.stop_p95_ms < STOP_WITHIN_MS

    def figures(self) -> dict[str, Any]:
        """The run as JSON."""
        return {
            "attacks": [
                {
                    "name": one.name,
                    "tried": one.tried,
                    "result": "withstood" if one.withstood else "failed",
                    "searches_inside": one.outcome.verdict.inside,
                    "searches_outside": one.outcome.verdict.searches_outside,
                    "told": "; ".join(filter(None, (one.failure, one.outcome.told))),
                }
                for one in self.results
            ],
            "searches_outside": self.verdict.searches_outside,
            "searches_inside": self.verdict.inside,
            "stop_to_last_search_ms": {
                "p95": round(self.stop_p95_ms, 1),
                "each": [round(stop.last_search_ms, 1) for stop in self.stops],
                "backlog_faces": [stop.backlog for stop in self.stops],
            },
        }


def campaign(
    servers: Servers,
    *,
    on_records: Sequence[OnRecords] = ON_RECORDS,
    alone: Sequence[Attack] = ALONE,
    stops: int,
    say: Callable[[str], None],
) -> Report:
    """Play them all. One that could not be played to its end has failed; the next is tried all the same."""
    report = Report()
    for result in chain(_on_records(servers, on_records), _alone(servers, alone)):
        report.results.append(result)
        say(str(result))
    for stop in _stops(servers, stops):
        report.stops.append(stop)
        outside = stop.verdict.searches_outside
        say(f"stop: last search {stop.last_search_ms:.0f} ms after it, {stop.backlog} waiting, {outside} outside")
    return report


def _on_records(servers: Servers, attacks: Sequence[OnRecords]) -> Iterator[Result]:
    """In one town; its books are compared at the end, and a discrepancy is the last attack's."""
    if not attacks:
        return
    with Town(servers) as town:
        town.matcher()
        town.matcher(settings=records.CLAIMS)
        for attack in attacks[:-1]:
            yield _tried(attack.name, attack.tried, partial(attack.play, town))
        last = attacks[-1]
        found = _tried(last.name, last.tried, partial(last.play, town))
        yield replace(found, outcome=found.outcome + Outcome(town.books(), ""))


def _alone(servers: Servers, attacks: Sequence[Attack]) -> Iterator[Result]:
    for attack in attacks:
        yield _tried(attack.name, attack.tried, partial(attack.play, servers))


def _tried(name: str, tried: str, play: Callable[[], Outcome]) -> Result:
    try:
        return Result(name, tried, play())
    except Unfinished as failed:
        return Result(name, tried, failed.outcome, failure=str(failed))
    except (AssertionError, grpc.RpcError) as failed:  # not withstood, or not even tried: both are for a person
        return Result(name, tried, Outcome(Verdict(0, ()), ""), failure=str(failed) or type(failed).__name__)


def _stops(servers: Servers, stops: int) -> Iterator[governed.Stop]:
    if not stops:
        return
    with governed.bureau_of(servers) as (bureau, oversight):
        for serial in range(1, stops + 1):
            yield governed.stopped(servers, bureau, oversight, serial=serial)

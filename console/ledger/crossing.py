"""What lies between two stages: on its way, or deleted by Kafka before it was read, or missing; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.contracts import codec, run_counts, topics
from services.contracts.counts import Count, Lane, Tally
from services.contracts.errors import SignpostError
from services.contracts.events import FrameCaptured, StageCounts
from services.contracts.places import Between, Log, between, place_of
from services.runtime.kafka.types import Record


@dataclass(frozen=True)
class Ahead:
    """A topic from where its reader's group stood: each partition, and the records that it had not read then."""

    logs: Mapping[int, Log]
    records: Iterable[Record]


@dataclass(frozen=True)
class Numbers:
    """The counts of such an arrow: the last number given, and passed, by lane; and what was skipped."""

    given: Count
    passed: Count
    skipped: Count


def numbered(deployment: str, names: Numbers, now: Tally, later: Tally, on: Ahead) -> Between:
    """Between two stages whose records are numbered. `now` holds for one moment, `later` for one after `on`."""
    there: dict[Lane, set[int]] = defaultdict(set)
    for record in on.records:
        place = place_of(record.headers)
        if place is not None and place.scope == deployment:
            there[Lane(place.source, record.partition)].add(place.number)
    logs = {
        home: replace(log, there={lane.source: frozenset(there[lane]) for lane in there if lane.home == home})
        for home, log in on.logs.items()
    }
    found = between(now.numbers[names.given], now.numbers[names.passed], later.numbers[names.passed], logs)
    # Passed over between the two moments: it was deleted, and lies nowhere any more.
    skipped = min(found.unread, max(0, later.totals[names.skipped] - now.totals[names.skipped]))
    return replace(found, unread=found.unread - skipped, deleted=found.deleted + skipped)


def frames_told(deployment: str, on: Ahead) -> list[StageCounts]:
    """Of each of the deployment's frames that lie on the topic, its run as it was when the frame was published."""
    found = []
    for record in on.records:
        try:
            peeked = codec.peek(record.value, topic=topics.FRAMES.name)
            if peeked.kind is FrameCaptured and peeked.deployment == deployment:
                found.append(run_counts.of_unopened(peeked))
        except SignpostError:
            # Nobody's frame: embed will say so, and count it.
            continue
    return found


def unnumbered(told: Iterable[StageCounts], now: Tally, later: Tally, on: Ahead) -> Between:
    """Between ingest and embed: frames have their numbers by run. `now` includes what is `told` by the frames."""
    there: dict[str, set[int]] = defaultdict(set)
    for one in told:
        number = one.totals[Count.FRAMES_PUBLISHED, ""]
        if number > now.reached.get(one.incarnation, 0):
            there[one.incarnation].add(number)
    unread = sum(map(len, there.values()))
    read = sum(max(reached, later.reached.get(run, 0)) for run, reached in now.reached.items())
    gone = max(0, now.totals[Count.FRAMES_PUBLISHED] - read - unread)
    return Between(unread, min(gone, sum(log.cut for log in on.logs.values())))

"""The names of all counts, and the arrows between them that must add up.

A count is cumulative within its incarnation and belongs to a stage; `name:reason` splits an exit by why. The
arrows are the definition of "in = out + dropped + expired + dead-lettered": the report, the metrics and the
tests read them from here.

Between two stages lies a topic. What is written to it is numbered, by lane (services/contracts/places.py);
the last number `given` and the last `passed` of each lane stand in the same records as the counts, so any stretch
of the topic `counts` from its beginning says of itself what was on its way when it ended.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from services.contracts import topics
from services.contracts.events import StageCounts


class Stage(StrEnum):
    INGEST = "ingest"
    EMBED = "embed"
    MATCH = "match"
    REVIEW = "review"


class Count(StrEnum):
    """Every count there is. `standing` ones say how things stand; the others only grow."""

    # ingest, by run of a camera
    FRAMES_READ = "frames_read"
    FRAMES_NOT_SAMPLED = "frames_not_sampled"
    FRAMES_SAMPLED = "frames_sampled"
    FRAMES_DROPPED = "frames_dropped"
    FRAMES_PUBLISHED = "frames_published"
    FRAMES_IN_HAND = "frames_in_hand"
    CAMERA_GAPS = "camera_gaps"
    # embed
    FRAMES_REACHED = "frames_reached"
    FRAMES_SKIPPED = "frames_skipped"
    FRAMES_RECEIVED = "frames_received"
    FRAMES_EXPIRED = "frames_expired"
    FRAMES_REFUSED = "frames_refused"
    FRAMES_DEAD = "frames_dead"
    # In no arrow, as FACES_FOREIGN is: records that anybody could have written were never published.
    FRAMES_FOREIGN = "frames_foreign"
    FRAMES_DECODED = "frames_decoded"
    FRAMES_WITHOUT_FACE = "frames_without_face"
    FRAMES_WITH_FACE = "frames_with_face"
    FACES_DETECTED = "faces_detected"
    TRACKS_STARTED = "tracks_started"
    TRACKS_USABLE = "tracks_usable"
    TRACKS_UNUSABLE = "tracks_unusable"
    TRACKS_CUT_SHORT = "tracks_cut_short"
    TRACKS_PENDING = "tracks_pending"
    FACES_PUBLISHED = "faces_published"
    FACES_GIVEN = "faces_given"
    # match
    FACES_SKIPPED = "faces_skipped"
    FACES_PASSED = "faces_passed"
    FACES_RECEIVED = "faces_received"
    FACES_EXPIRED = "faces_expired"
    FACES_REFUSED = "faces_refused"
    FACES_DEAD = "faces_dead"
    FACES_FOREIGN = "faces_foreign"
    FACES_SEARCHED = "faces_searched"
    FACES_BELOW_THRESHOLD = "faces_below_threshold"
    FACES_ALERTED = "faces_alerted"
    ALERTS_PUBLISHED = "alerts_published"
    ALERTS_GIVEN = "alerts_given"
    # review
    ALERTS_SKIPPED = "alerts_skipped"
    ALERTS_PASSED = "alerts_passed"
    EVENTS_WAITING = "events_waiting"
    ALERTS_RECEIVED = "alerts_received"
    ALERTS_EXPIRED = "alerts_expired"
    ALERTS_REFUSED = "alerts_refused"
    ALERTS_OPENED_CASE = "alerts_opened_case"
    ALERTS_FOLDED = "alerts_folded"
    # from the decisions topic
    CASES_OPENED = "cases_opened"
    CASES_DECIDED = "cases_decided"
    CASES_EXPIRED = "cases_expired"
    CASES_OPEN = "cases_open"


_NAMES = frozenset(str(name) for name in Count)
STANDING = frozenset({Count.FRAMES_IN_HAND, Count.TRACKS_PENDING, Count.CASES_OPEN, Count.EVENTS_WAITING})
"""Counts that say how things stand as of their record; they may go down."""

NUMBERS = frozenset({Count.FACES_GIVEN, Count.FACES_PASSED, Count.ALERTS_GIVEN, Count.ALERTS_PASSED})
"""The last number by lane, which is their reason: never added up, the largest holds, whoever wrote it."""

_APART = NUMBERS | {Count.FRAMES_REACHED}


PARTITIONS = max(topic.partitions for topic in (topics.FRAMES, topics.FACES, topics.ALERTS))
"""Between two of which a lane can lead: there are never more lanes than their square, whoever writes."""

MOST_NUMBER = 10**12
"""The last number that a lane may have: at 1,000 records a second it is reached after thirty years. What a reader
counts of a lane is never more than this, whoever made the number, so no sum of them leaves its 64 bits."""

_MOST_COUNT = 2**63 - 1


class Lane(NamedTuple):
    """All records that were written while one partition, `source`, was read, to one partition, `home`."""

    source: int
    home: int

    def __str__(self) -> str:
        return f"{self.source}-{self.home}"

    @classmethod
    def read(cls, text: str) -> Lane | None:
        """None for a text that is nobody's lane: no topic has such a partition."""
        found = re.fullmatch(r"([0-9]{1,3})-([0-9]{1,3})", text, re.ASCII)
        lane = None if found is None else cls(int(found[1]), int(found[2]))
        return lane if lane is not None and max(lane) < PARTITIONS else None


class Expired(StrEnum):
    """LATE: its key's time was over. KEY_LOST: the key died before its time, with its Redis; this pages."""

    LATE = "late"
    KEY_LOST = "key_lost"


CountKey = tuple[str, str]
"""Whose (a deployment) and which (`name` or `name:reason`): how the loop is handed its counts."""


def key(deployment: str, name: Count, reason: str = "") -> CountKey:
    return (deployment, f"{name}:{reason}" if reason else str(name))


def split(counts: Mapping[CountKey, int]) -> dict[tuple[str, str], int]:
    """Counts of one deployment by (name, reason), as StageCounts carries them.

    None is too large for it, and no number is of a lane that cannot be: whatever the counts came from, what they
    become can be written.
    """
    found: Counter[tuple[str, str]] = Counter()
    for (_, name), value in counts.items():
        base, _, reason = name.partition(":")
        if base not in NUMBERS or numbered(reason, value):
            found[base, reason] += value
    return {which: min(max(value, 0), _MOST_COUNT) for which, value in found.items()}


def numbered(lane: str, number: int) -> bool:
    """Whether there can be such a lane, and such a number in it."""
    return 0 <= number <= MOST_NUMBER and Lane.read(lane) is not None


@dataclass(frozen=True)
class Tally:
    """All incarnations of all stages added up: each count, and its split by reason where one was given."""

    totals: Counter[Count]
    reasons: Counter[tuple[Count, str]]
    numbers: Mapping[Count, Mapping[Lane, int]] = field(default_factory=dict)
    reached: Mapping[str, int] = field(default_factory=dict)
    """By run of a camera, the number of the last frame that embed has read."""


def tally(records: Iterable[StageCounts]) -> Tally:
    """Add up `records`, which come in the order of their topic.

    Of an incarnation the largest value of each count holds, whoever wrote it: counts only grow, and the counts a
    killed ingest had reached live on in the frames it published (embed writes them, without reasons). Where an
    incarnation has said its last word, that holds: a frame that it sent and that did not arrive was dropped, which
    the frames sent after it could not know.
    """
    newest: dict[str, _Newest] = {}
    for record in records:
        newest.setdefault(record.event_id, _Newest(record.stage, record.incarnation)).take(record)
    totals: Counter[Count] = Counter()
    reasons: Counter[tuple[Count, str]] = Counter()
    numbers: dict[Count, Counter[Lane]] = {name: Counter() for name in NUMBERS}
    for one in newest.values():
        # A name that is not ours is a newer version's, or a stranger's: no arrow of ours has it.
        totals.update({Count(name): value for name, value in one.settled().items() if name in _NAMES})
        reasons.update(
            {(Count(name), why): value for (name, why), value in one.by_reason.items() if why and name in _NAMES}
        )
        for (name, text), number in one.numbers.items():
            if (lane := Lane.read(text)) is not None:
                numbers[Count(name)] |= Counter({lane: number})
    reached = {one.incarnation: one.reached for one in newest.values() if one.reached}
    return Tally(totals, reasons, numbers, reached)


def sequences_reached(records: Iterable[StageCounts]) -> Mapping[str, int]:
    """By run of a camera, which of its sampled frames embed has read last."""
    found: dict[str, int] = {}
    for one in records:
        if (Count.FRAMES_REACHED, "") in one.totals:
            sequence = one.totals.get((Count.FRAMES_SAMPLED, ""), 0)
            found[one.incarnation] = max(sequence, found.get(one.incarnation, 0))
    return found


class _Newest:
    """One incarnation's newest counts. Owned by the `tally` that reads them."""

    def __init__(self, stage: str, incarnation: str) -> None:
        self._stage = stage
        self.incarnation = incarnation
        self.reached = 0
        self._by_name: Counter[str] = Counter()
        self._standing: Counter[str] = Counter()
        self._final = False
        self.by_reason: Counter[tuple[str, str]] = Counter()
        self.numbers: Counter[tuple[str, str]] = Counter()

    def take(self, record: StageCounts) -> None:
        totals = {which: value for which, value in record.totals.items() if which[0] not in _APART}
        self.reached = max(self.reached, record.totals.get((Count.FRAMES_REACHED, ""), 0))
        self.numbers |= Counter(
            {
                which: value
                for which, value in record.totals.items()
                if which[0] in NUMBERS and numbered(which[1], value)
            }
        )
        if record.final or not self._final:
            said = (by_name(totals), Counter(totals))
            self._by_name = said[0] if record.final else self._by_name | said[0]
            self.by_reason = said[1] if record.final else self.by_reason | said[1]
            self._standing = by_name(record.standing)
        self._final = self._final or record.final

    def settled(self) -> Counter[str]:
        """Totals and standing counts. What an ingest that never ended its run had in hand died with it."""
        counted = self._by_name.copy()
        if self._stage == Stage.INGEST and not self._final:
            out = counted[Count.FRAMES_PUBLISHED] + counted[Count.FRAMES_DROPPED]
            counted[Count.FRAMES_IN_HAND] = counted[Count.FRAMES_SAMPLED] - out
        else:
            counted.update(self._standing)
        return counted


def by_name(counts: Mapping[tuple[str, str], int]) -> Counter[str]:
    """Counts with their reasons added up."""
    found: Counter[str] = Counter()
    for (name, _), value in counts.items():
        found[name] += value
    return found


@dataclass(frozen=True)
class Arrow:
    """`whole` is the sum of `parts`, or the figures are refused."""

    whole: Count
    parts: tuple[Count, ...]

    def gap(self, totals: Mapping[Count, int]) -> int:
        """What is missing on the right (negative: too much); 0 where it adds up."""
        return totals.get(self.whole, 0) - sum(totals.get(part, 0) for part in self.parts)


ARROWS = (
    Arrow(Count.FRAMES_READ, (Count.FRAMES_SAMPLED, Count.FRAMES_NOT_SAMPLED)),
    Arrow(Count.FRAMES_SAMPLED, (Count.FRAMES_PUBLISHED, Count.FRAMES_DROPPED, Count.FRAMES_IN_HAND)),
    Arrow(Count.FRAMES_PUBLISHED, (Count.FRAMES_RECEIVED, Count.FRAMES_SKIPPED)),
    Arrow(
        Count.FRAMES_RECEIVED,
        (Count.FRAMES_DECODED, Count.FRAMES_EXPIRED, Count.FRAMES_REFUSED, Count.FRAMES_DEAD),
    ),
    Arrow(Count.FRAMES_DECODED, (Count.FRAMES_WITH_FACE, Count.FRAMES_WITHOUT_FACE)),
    Arrow(
        Count.TRACKS_STARTED,
        (Count.TRACKS_USABLE, Count.TRACKS_UNUSABLE, Count.TRACKS_CUT_SHORT, Count.TRACKS_PENDING),
    ),
    Arrow(Count.FACES_PUBLISHED, (Count.FACES_RECEIVED, Count.FACES_SKIPPED)),
    Arrow(
        Count.FACES_RECEIVED,
        (Count.FACES_SEARCHED, Count.FACES_EXPIRED, Count.FACES_REFUSED, Count.FACES_DEAD),
    ),
    Arrow(Count.FACES_SEARCHED, (Count.FACES_ALERTED, Count.FACES_BELOW_THRESHOLD)),
    Arrow(Count.ALERTS_PUBLISHED, (Count.ALERTS_RECEIVED, Count.ALERTS_SKIPPED)),
    Arrow(
        Count.ALERTS_RECEIVED,
        (Count.ALERTS_OPENED_CASE, Count.ALERTS_FOLDED, Count.ALERTS_EXPIRED, Count.ALERTS_REFUSED),
    ),
    Arrow(Count.ALERTS_OPENED_CASE, (Count.CASES_OPENED,)),
    Arrow(Count.CASES_OPENED, (Count.CASES_DECIDED, Count.CASES_EXPIRED, Count.CASES_OPEN)),
)
"""While a deployment runs, what is on its way between two stages is a gap; the command line adds it from the
topics' own offsets and names it in flight."""

"""Which searches lay outside what was authorised: pure, from what was written, what was seen and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Walk:
    """A face that we wrote, and the moment just before. One that is not `listed` scores below the threshold."""

    track: str
    camera: str
    at: datetime
    listed: bool = True


@dataclass(frozen=True)
class Sighting:
    """An alert, as it stands on the topic; `seen_at` is when we could read it, by our clock."""

    track: str
    camera: str
    subject: str
    list_digest: str
    score_kind: str
    version: int
    searched_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class Span:
    """A time in which may be searched: begin included, end not."""

    begin: datetime
    end: datetime

    def covers(self, at: datetime) -> bool:
        return self.begin <= at < self.end

    def meets(self, begin: datetime, end: datetime) -> bool:
        """Whether any moment from `begin` to `end` lies in it."""
        return self.begin <= end and begin < self.end


@dataclass(frozen=True)
class Bounds:
    """What was authorised."""

    spans: tuple[Span, ...]
    cameras: frozenset[str]
    subjects: frozenset[str]
    list_digest: str
    score_kind: str
    version: int = 1


@dataclass(frozen=True)
class Verdict:
    """`outside` says why, once a search; `hidden` are searches that the counts speak of and nothing shows."""

    inside: int
    outside: tuple[str, ...]
    hidden: int = 0

    @property
    def searches_outside(self) -> int:
        return len(self.outside) + self.hidden

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(self.inside + other.inside, (*self.outside, *other.outside), self.hidden + other.hidden)


def judge(walks: Mapping[str, Walk], sightings: Iterable[Sighting], bounds: Bounds) -> Verdict:
    """Each sighting against the bounds; it need not be of a face that we wrote."""
    found = [_offence(one, walks.get(one.track), bounds) for one in sightings]
    return Verdict(inside=found.count(None), outside=tuple(why for why in found if why is not None))


def hidden(*, searched: int, sightings: Iterable[Sighting], walks: Iterable[Walk]) -> int:
    """How many of the searches that were counted neither raised an alert nor were of a look-alike."""
    shown = len({one.track for one in sightings})
    return max(0, searched - shown - sum(not walk.listed for walk in walks))


def last_search(sightings: Iterable[Sighting]) -> datetime | None:
    """The latest search, by match's word, which `judge` has compared with ours."""
    return max((one.searched_at for one in sightings), default=None)


# The two ends of a bracket are taken on either side of a broker by one machine's clock: no more than its grain.
_GRAIN = timedelta(milliseconds=5)


def _offence(one: Sighting, walk: Walk | None, bounds: Bounds) -> str | None:
    if walk is None:
        return "a face that nobody showed"
    if not walk.listed:
        return "below the authorised threshold"
    return _offence_in_kind(one, walk, bounds) or _offence_in_time(one, walk, bounds)


def _offence_in_kind(one: Sighting, walk: Walk, bounds: Bounds) -> str | None:
    if one.camera != walk.camera or one.camera not in bounds.cameras:
        return "another camera"
    if one.subject not in bounds.subjects:
        return "somebody who is not on the authorised list"
    if one.list_digest != bounds.list_digest or one.score_kind != bounds.score_kind:
        return "another list or kind of score"
    return None if one.version == bounds.version else "another version of the authority"


def _offence_in_time(one: Sighting, walk: Walk, bounds: Bounds) -> str | None:
    if not any(span.meets(walk.at, one.seen_at) for span in bounds.spans):
        return "at no authorised moment, by when it was written and seen"
    if not any(span.covers(one.searched_at) for span in bounds.spans):
        return "at no authorised moment, by its own word"
    if not walk.at - _GRAIN <= one.searched_at <= one.seen_at + _GRAIN:
        return "says a time at which it cannot have been"
    return None

"""A case as it lies in the store: one frozen value, no pixels, no scores, people only as tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.contracts import ids
from services.contracts.events import Judgement
from services.review.core.views import CaseState


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How people decide: the authority's verification policy; and how long a case that ended without a match can
    still be reopened, because its pictures stay."""

    reviewers: int
    decide_within: timedelta
    claim: timedelta
    fold_within: timedelta
    closed_pictures: timedelta


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """An alert of this case, as its track stands at `revision`. `searched_at` names the key of its pictures;
    `probe_sha256` (hex) is over what was searched with."""

    alert: ids.AlertId
    revision: int
    track: ids.TrackId
    camera: ids.CameraId
    captured_at: datetime
    searched_at: datetime
    probe_sha256: str

    @property
    def content(self) -> str:
        """The name of its sealed pictures: the alert event's id."""
        return f"{self.alert}.r{self.revision}"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A picture of a view: the `index`-th of what it lies in (an alert's `content`, or the list if empty)."""

    name: str
    content: str
    index: int


@dataclass(frozen=True, kw_only=True)
class Lent:
    """A seat's claim, and what it was last shown."""

    person: str
    fence: int
    until: datetime
    digest: str = ""
    shown: tuple[Shown, ...] = ()
    alerts: tuple[str, ...] = ()
    first_viewed_at: datetime | None = None

    @property
    def contents(self) -> tuple[str, ...]:
        """Where the alerts' pictures that it was shown lie."""
        return tuple(dict.fromkeys(one.content for one in self.shown if one.content))


@dataclass(frozen=True, kw_only=True)
class Given:
    """A seat's judgement; `alerts` are those whose pictures, lying in `contents`, it was made on."""

    person: str
    fence: int
    judgement: Judgement
    digest: str
    contents: tuple[str, ...]
    alerts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Free, lent or filled. `lapsed` are people whose claim of it lapsed: it is not lent to them again."""

    number: int
    lent: Lent | None = None
    given: Given | None = None
    lapsed: tuple[str, ...] = ()

    def held(self, now: datetime) -> Lent | None:
        """Its claim, while it lasts."""
        return self.lent if self.lent is not None and now < self.lent.until else None


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that is known of a case. `version` counts its changes, `fence` its claims, and `turn` the changes behind
    which no earlier state may come back (`binding`).

    `excluded` may take no seat: they know the person, or judged a round that led to another. `joined` counts the
    alerts that came once it was an agreed match: their pictures are not kept, so nobody judges them here.
    `pictures_until` is set while it is over without a match; None with a match, and while it is open.
    """

    id: ids.CaseId
    deployment: ids.DeploymentId
    trace_id: str
    subject: ids.SubjectToken
    list_digest: str
    sightings: tuple[Sighting, ...]
    opened_at: datetime
    expires_at: datetime
    fold_until: datetime
    seats: tuple[Seat, ...]
    state: CaseState = CaseState.OPEN
    round: int = 1
    version: int = 1
    turn: int = 0
    fence: int = 0
    excluded: tuple[str, ...] = ()
    judged_by: tuple[str, ...] = ()
    closed_at: datetime | None = None
    engagements: int = 0
    outcomes: int = 0
    joined: int = 0
    pictures_until: datetime | None = None

    @property
    def alerts(self) -> int:
        """How many it has taken."""
        return len(self.sightings) + self.joined

    @property
    def first(self) -> Sighting:
        """The alert that opened it."""
        return self.sightings[0]

    def is_open(self, now: datetime) -> bool:
        """Whether people may still decide it; past its time it is over, written down or not."""
        return self.state is CaseState.OPEN and now < self.expires_at

    @property
    def binding(self) -> tuple[object, ...]:
        """Judgements, ends, second thoughts, what was done on them, and who was excluded."""
        told = (self.state, self.round, self.engagements, self.outcomes)
        return (*told, self.judgements, self.judged_by, self.excluded)

    @property
    def judgements(self) -> tuple[Given, ...]:
        """Those of the present round."""
        return tuple(seat.given for seat in self.seats if seat.given is not None)

    def seat_lent(self, person: str, now: datetime) -> Seat | None:
        """The seat this person holds now."""
        for seat in self.seats:
            lent = seat.held(now)
            if lent is not None and lent.person == person:
                return seat
        return None

    def seats_open(self, now: datetime) -> tuple[Seat, ...]:
        """Neither held nor filled."""
        return tuple(seat for seat in self.seats if seat.given is None and seat.held(now) is None)

    def seat_for(self, person: str, now: datetime) -> Seat | None:
        """The seat this person could take now, if any."""
        sits = any(given.person == person for given in self.judgements)
        if sits or person in self.excluded or self.seat_lent(person, now) is not None:
            return None
        return next((seat for seat in self.seats_open(now) if person not in self._lapsed_of(seat, now)), None)

    def _lapsed_of(self, seat: Seat, now: datetime) -> tuple[str, ...]:
        """Who let this seat's claim lapse, the last of them perhaps not yet written down."""
        over = seat.lent is not None and seat.held(now) is None
        return (*seat.lapsed, seat.lent.person) if over and seat.lent is not None else seat.lapsed


def empty_seats(reviewers: int) -> tuple[Seat, ...]:
    """The seats of a new round."""
    return tuple(Seat(number=number) for number in range(1, reviewers + 1))


def contents_of(case: Case) -> tuple[str, ...]:
    """The names of the pictures that this round's judgements were made on, and of the present ones."""
    judged = (content for given in case.judgements for content in given.contents)
    return tuple(dict.fromkeys((*judged, *(sighting.content for sighting in case.sightings))))


def needed(case: Case) -> tuple[str, ...]:
    """The names of all pictures that a move may still ask for: those, and what a claim was last shown."""
    return tuple(dict.fromkeys((*contents_of(case), *shown_in(case))))


def shown_in(case: Case) -> tuple[str, ...]:
    """The names of the pictures that claims were last shown."""
    return tuple(dict.fromkeys(content for seat in case.seats if seat.lent for content in seat.lent.contents))

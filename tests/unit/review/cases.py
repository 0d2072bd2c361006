"""Cases, alerts and people as the tests of review tell of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.contracts.events import Judgement
from services.contracts.ids import AlertId, CameraId, DeploymentId, SubjectToken, TrackId
from services.review.core.case import Case, Policy, Sighting
from services.review.core.folding import Arrival, Folding, Seen, fold
from services.review.core.move import Claim, Judge, Move, View
from services.review.core.moves import Step, decide

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
POLICY = Policy(
    reviewers=2,
    decide_within=timedelta(seconds=120),
    claim=timedelta(seconds=60),
    fold_within=timedelta(seconds=300),
    closed_pictures=timedelta(seconds=200),
)
ANN, BEN, CAT, DAN = "token-ann", "token-ben", "token-cat", "token-dan"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_sighting(track: str = "gate-1.1.1.7.0", *, revision: int = 1, seconds: float = 0.0) -> Sighting:
    at = after(seconds)
    return Sighting(
        probe_sha256="a" * 64,
        alert=AlertId(f"alert-of-{track}"),
        revision=revision,
        track=TrackId(track),
        camera=CameraId(track.partition(".")[0]),
        captured_at=at,
        searched_at=at,
    )


def an_arrival(sighting: Sighting | None = None, *, offset: int = 0) -> Arrival:
    return Arrival(
        deployment=DeploymentId("oxford-street-1"),
        trace_id="trace-1",
        subject=SubjectToken("subject-1"),
        list_digest="digest-1",
        sighting=sighting or a_sighting(),
        position=(0, offset),
    )


def folded(arrival: Arrival, *, seconds: float = 0.0, **known: Any) -> Folding:
    """`known`: seen, own, window."""
    known = {"seen": None, "own": None, "window": None} | known
    return fold(arrival, now=after(seconds), policy=POLICY, **known)


def seen_of(folding: Folding, arrival: Arrival) -> Seen:
    return Seen(
        version=1,
        revision=arrival.sighting.revision,
        case=folding.belongs_to,
        position=arrival.position,
    )


def a_case(sighting: Sighting | None = None) -> Case:
    """Just opened."""
    case = folded(an_arrival(sighting)).case
    assert case is not None
    return case


def moved(case: Case, move: Move, *, seconds: float = 1.0, policy: Policy = POLICY) -> Step:
    return decide(case, move, now=after(seconds), policy=policy)


def claimed(case: Case, person: str, *, seconds: float = 1.0) -> tuple[Case, int]:
    """The case with a seat lent to `person`, and the claim's fence."""
    case = moved(case, Claim(person=person), seconds=seconds).case
    seat = case.seat_lent(person, after(seconds))
    assert seat is not None
    assert seat.lent is not None
    return case, seat.lent.fence


def viewed(case: Case, person: str, fence: int, *, seconds: float = 1.0) -> Case:
    """All there is was displayed; the digest says what."""
    alerts = tuple(sighting.alert for sighting in case.sightings)
    look = View(person=person, fence=fence, digest=digest_of(case), shown=(), alerts=alerts)
    return moved(case, look, seconds=seconds).case


def digest_of(case: Case) -> str:
    return "+".join(sighting.content for sighting in case.sightings)


def judged(
    case: Case, person: str, judgement: Judgement, *, seconds: float = 1.0, digest: str | None = None
) -> Step:
    """Claim, view, judge."""
    case, fence = claimed(case, person, seconds=seconds)
    case = viewed(case, person, fence, seconds=seconds)
    said = Judge(
        person=person,
        fence=fence,
        judgement=judgement,
        features=(),
        digest=digest_of(case) if digest is None else digest,
        scripted=False,
    )
    return moved(case, said, seconds=seconds)


def decided(case: Case, first: Judgement, second: Judgement, *, seconds: float = 1.0) -> Case:
    """By Ann and Ben."""
    case = judged(case, ANN, first, seconds=seconds).case
    return judged(case, BEN, second, seconds=seconds).case

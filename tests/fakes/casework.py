"""The service layer of review by hand: cases in a dictionary, people by what they are told to be."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.review.core.errors import Gone, NotAllowed, NotFound, NotSignedIn, NotYours, Stale, Taken, TooOften
from services.review.core.people import Credentials, Person, Role, Session
from services.review.core.roles import Call, check
from services.review.core.views import (
    CaseState,
    CaseStatus,
    CaseSummary,
    CaseView,
    Claim,
    Engagement,
    FaceFeature,
    Judged,
    Judgement,
    KnownOutcome,
    PictureKind,
    PictureRef,
    ReleaseReason,
    Resemblance,
    SupersedeTowards,
)
from services.runtime.clock import Clock

SCORE = 0.6173
THRESHOLD = 0.4211
_LOOK_EVERY_S = 0.02


@dataclass(kw_only=True)
class FakeCase:
    """A case and everything that was done to it; tests read it, the fake writes it."""

    case: str
    camera: str
    captured_at: datetime
    expires_at: datetime
    pictures: Mapping[PictureRef, bytes]
    claim: timedelta
    alerts: int = 1
    resembles: tuple[Resemblance, ...] = ()
    handling: str = ""
    state: CaseState = CaseState.OPEN
    round: int = 1
    fence: int = 0
    claims: dict[str, Claim] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    judged: dict[str, Judgement] = field(default_factory=dict)
    features: dict[str, tuple[FaceFeature, ...]] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    released: list[ReleaseReason] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    engagements: list[Engagement] = field(default_factory=list)
    outcomes: list[KnownOutcome] = field(default_factory=list)
    version: int = 1


class FakeCaseWork:
    """`CaseWork` in memory, two judgements a case. Tests change `cases` from their own thread."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.cases: dict[str, FakeCase] = {}

    def open(
        self,
        case: str,
        *,
        pictures: Mapping[PictureRef, bytes],
        camera: str = "gate-1",
        expires_in_s: float = 600,
        claim_s: float = 120,
        alerts: int = 1,
        resembles: tuple[Resemblance, ...] = (),
        handling: str = "",
    ) -> FakeCase:
        """Put a case into the queue."""
        now = self.clock.now()
        new = FakeCase(
            case=case,
            camera=camera,
            captured_at=now - timedelta(seconds=4),
            expires_at=now + timedelta(seconds=expires_in_s),
            pictures=pictures,
            claim=timedelta(seconds=claim_s),
            alerts=alerts,
            resembles=resembles,
            handling=handling,
        )
        self.cases[case] = new
        return new

    def lapse(self, case: str) -> None:
        """End every claim of a case, as time would."""
        self.cases[case].claims.clear()
        self.cases[case].version += 1

    async def watch(self, person: Person) -> AsyncIterator[CaseSummary]:
        check(Call.WATCH_CASES, person)
        told: dict[str, CaseSummary] = {}
        while True:
            for one in list(self.cases.values()):
                line = self._summary(person, one)
                if told.get(one.case) != line and (one.case in told or _concerns(one, person)):
                    told[one.case] = line
                    yield line
            await asyncio.sleep(_LOOK_EVERY_S)

    async def claim(self, person: Person, case: str) -> Claim:
        check(Call.CLAIM_CASE, person)
        one = self._open(case)
        if person.user in one.judged or person.user in one.excluded:
            raise NotAllowed("this case needs other people")
        if person.user not in one.claims and len(one.claims) + len(one.judged) >= 2:
            raise Taken("every seat of this case is taken")
        held = one.claims.get(person.user)
        if held is None:
            one.fence += 1
            held = Claim(case=case, fence=one.fence, expires_at=self._until(one))
        one.claims[person.user] = replace(held, expires_at=self._until(one))
        one.version += 1
        return one.claims[person.user]

    async def renew(self, person: Person, case: str, fence: int) -> Claim:
        one = self._held(person, case, fence)
        one.claims[person.user] = replace(one.claims[person.user], expires_at=self._until(one))
        return one.claims[person.user]

    async def release(self, person: Person, case: str, fence: int, *, reason: ReleaseReason) -> None:
        one = self._held(person, case, fence)
        del one.claims[person.user]
        one.released.append(reason)
        if reason is ReleaseReason.KNOWS_PERSON:
            one.excluded.add(person.user)
        one.version += 1

    async def view(self, person: Person, case: str, fence: int) -> CaseView:
        one = self._held(person, case, fence)
        digest = hashlib.sha256(f"{case} {one.alerts} {sorted(p.name for p in one.pictures)}".encode()).hexdigest()
        one.shown[person.user] = digest
        return CaseView(
            case=case,
            round=one.round,
            camera=one.camera,
            captured_at=one.captured_at,
            category="test subject",
            resembles=one.resembles,
            handling=one.handling,
            pictures=tuple(one.pictures),
            displayed_digest=digest,
            claim=one.claims[person.user],
            expires_at=one.expires_at,
        )

    async def picture(self, person: Person, case: str, fence: int, name: str) -> bytes:
        one = self._held(person, case, fence)
        for ref, jpeg in one.pictures.items():
            if ref.name == name:
                return jpeg
        raise NotFound("no such picture")

    async def judge(
        self,
        person: Person,
        case: str,
        fence: int,
        *,
        judgement: Judgement,
        features: Sequence[FaceFeature],
        displayed_digest: str,
    ) -> Judged:
        said = (one := self._of(case)).judged.get(person.user), one.shown.get(person.user)
        if said == (judgement, displayed_digest):
            return self._judged(one)
        self._held(person, case, fence)
        if one.shown.get(person.user) != displayed_digest:
            raise Stale("what you saw is not what this case shows now: look again")
        one.judged[person.user] = judgement
        one.features[person.user] = tuple(features)
        del one.claims[person.user]
        if len(one.judged) == 2:
            agreed = set(one.judged.values()) == {Judgement.MATCH}
            one.state = CaseState.AGREED_MATCH if agreed else CaseState.NO_ACTION
        one.version += 1
        return self._judged(one)

    async def supersede(self, person: Person, case: str, *, towards: SupersedeTowards, reason: str) -> CaseStatus:
        check(Call.SUPERSEDE, person)
        one = self._of(case)
        one.state = CaseState.NO_ACTION if towards is SupersedeTowards.NO_ACTION else CaseState.OPEN
        one.superseded.append(reason)
        one.version += 1
        return self._status(one)

    async def record_engagement(self, person: Person, case: str, *, result: Engagement) -> CaseStatus:
        check(Call.RECORD_ENGAGEMENT, person)
        one = self._of(case)
        one.engagements.append(result)
        return self._status(one)

    async def record_outcome(self, person: Person, case: str, *, outcome: KnownOutcome) -> CaseStatus:
        check(Call.RECORD_OUTCOME, person)
        one = self._of(case)
        one.outcomes.append(outcome)
        return self._status(one)

    async def get_case(self, person: Person, case: str) -> CaseStatus:
        check(Call.GET_CASE, person)
        return self._status(self._of(case))

    def _judged(self, one: FakeCase) -> Judged:
        """With the score once the case is closed."""
        score, threshold = (None, None) if one.state is CaseState.OPEN else (SCORE, THRESHOLD)
        return Judged(status=self._status(one), score=score, threshold=threshold)

    def _of(self, case: str) -> FakeCase:
        if case not in self.cases:
            raise NotFound("no such case")
        return self.cases[case]

    def _open(self, case: str) -> FakeCase:
        one = self._of(case)
        if one.state is not CaseState.OPEN:
            raise Gone("the case is decided")
        return one

    def _held(self, person: Person, case: str, fence: int) -> FakeCase:
        one = self._of(case)
        held = one.claims.get(person.user)
        if held is None or held.fence != fence or self.clock.now() >= held.expires_at:
            raise NotYours("this claim has lapsed")
        return one

    def _until(self, one: FakeCase) -> datetime:
        return min(self.clock.now() + one.claim, one.expires_at)

    def _summary(self, person: Person, one: FakeCase) -> CaseSummary:
        mine = one.claims.get(person.user)
        free = 2 - len(one.claims) - len(one.judged)
        may = Role.REVIEWER in person.roles and person.user not in {*one.judged, *one.excluded}
        is_open = one.state is CaseState.OPEN
        return CaseSummary(
            case=one.case,
            state=one.state,
            round=one.round,
            camera=one.camera,
            captured_at=one.captured_at,
            opened_at=one.captured_at,
            expires_at=one.expires_at,
            alerts=one.alerts,
            claimable=is_open and may and mine is None and free > 0,
            mine=mine,
            version=one.version,
        )

    def _status(self, one: FakeCase) -> CaseStatus:
        return CaseStatus(
            case=one.case,
            state=one.state,
            round=one.round,
            camera=one.camera,
            captured_at=one.captured_at,
            alerts=one.alerts,
            engagements=len(one.engagements),
            outcomes=len(one.outcomes),
            version=one.version,
        )


def _concerns(one: FakeCase, person: Person) -> bool:
    seen = {
        Role.REVIEWER: {CaseState.OPEN},
        Role.SUPERVISOR: set(CaseState),
        Role.ENGAGEMENT_OFFICER: {CaseState.AGREED_MATCH},
    }
    return any(one.state in seen.get(role, set()) for role in person.roles)


class FakeSessions:
    """`Sessions` in memory; everybody's password is "correct horse"."""

    PASSWORD = "correct horse"

    def __init__(self, clock: Clock, *people: Person) -> None:
        self._clock = clock
        self._people = {person.user: person for person in people}
        self.sessions: dict[str, Person] = {}
        self.asked: list[Credentials] = []
        self.too_often_s = 0.0

    def session(self, user: str) -> str:
        """A token of a session that is open, without signing in."""
        token = secrets.token_urlsafe(16)
        self.sessions[token] = self._people[user]
        return token

    def end_all(self) -> None:
        """Every session expires."""
        self.sessions.clear()

    async def sign_in(self, credentials: Credentials) -> Session:
        self.asked.append(credentials)
        if self.too_often_s:
            raise TooOften("too many tries", wait_s=self.too_often_s)
        person = self._people.get(credentials.user)
        if person is None or credentials.password != self.PASSWORD:
            raise NotSignedIn("user name or password is wrong")
        token = self.session(credentials.user)
        until = self._clock.now() + timedelta(hours=8)
        return Session(token=token, person=person, expires_at=until, device=f"device of {person.user}")

    async def person(self, token: str) -> Person:
        if token not in self.sessions:
            raise NotSignedIn("the session has ended")
        return self.sessions[token]

    async def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)


def a_person(user: str, *roles: Role) -> Person:
    """Somebody with these roles, a reviewer if none is named."""
    return Person(user=user, name=user.capitalize(), roles=frozenset(roles or {Role.REVIEWER}))


def probe(number: int, at: datetime, *, camera: str = "gate-1") -> PictureRef:
    """A best shot as a view names it."""
    kind = PictureKind.PROBE
    return PictureRef(name=f"probe/{number}", kind=kind, sha256="0" * 64, captured_at=at, camera=camera)


def context(number: int, at: datetime, *, camera: str = "gate-1") -> PictureRef:
    """A shot's surroundings as a view names them."""
    kind = PictureKind.CONTEXT
    return PictureRef(name=f"context/{number}", kind=kind, sha256="0" * 64, captured_at=at, camera=camera)


def reference(number: int, taken_on: str) -> PictureRef:
    """A picture of the list as a view names it."""
    return PictureRef(name=f"reference/{number}", kind=PictureKind.REFERENCE, sha256="0" * 64, taken_on=taken_on)

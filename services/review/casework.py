"""What people do with cases: read the case, decide the move, apply it; again if somebody was faster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.contracts.audit.requests import Action
from services.contracts.authority import Authority
from services.contracts.errors import Transient
from services.review.core import move, queue, roles
from services.review.core.case import Case, Policy, Shown
from services.review.core.change import Change, Content
from services.review.core.display import Display, Score
from services.review.core.errors import BadInput, Gone, NotFound, NotYours
from services.review.core.keeping import Keeping
from services.review.core.move import Move
from services.review.core.moves import Step, decide
from services.review.core.people import Person, PersonTokens
from services.review.core.roles import Call
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
    ReleaseReason,
    SupersedeTowards,
)
from services.review.feed import Feed
from services.review.metrics import ReviewMetrics
from services.review.ports import CaseStore, CaseWork, Sessions, Trail
from services.review.showing import Showing
from services.runtime.clock import Clock

__all__ = ["CaseDesk", "CaseWork", "Sessions"]

# Each lost race means that somebody else's move went through; so many in a row is a store that misbehaves.
_TRIES = 100
_REASON_CHARS = (10, 500)
# These say something about two faces, and so need a reason.
_COMPARES = frozenset({Judgement.MATCH, Judgement.NOT_A_MATCH})


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a CaseDesk works with."""

    store: CaseStore
    showing: Showing
    trail: Trail
    tokens: PersonTokens
    feed: Feed
    metrics: ReviewMetrics
    clock: Clock


class CaseDesk:
    """`CaseWork`. Event loop; opening and sealing run on threads. Any number of instances side by side."""

    def __init__(self, authority: Authority, policy: Policy, desk: Desk) -> None:
        self._policy = policy
        self._keeping = Keeping(authority)
        self._store = desk.store
        self._showing = desk.showing
        self._trail = desk.trail
        self._tokens = desk.tokens
        self._feed = desk.feed
        self._metrics = desk.metrics
        self._clock = desk.clock

    async def watch(self, person: Person) -> AsyncIterator[CaseSummary]:
        roles.check(Call.WATCH_CASES, person)
        token = self._tokens.of(person)
        told: dict[str, CaseSummary] = {}
        with self._feed.watching() as watcher:
            for case in await self._concerning(person):
                line = self._line(case, token, person)
                told[case.id] = _visible(line)
                yield line
            while True:
                changed = await watcher.next()
                for case in await self._changed(person, changed, told):
                    line = self._line(case, token, person)
                    if told.get(case.id) == _visible(line):
                        continue
                    if queue.concerns(case, person.roles):
                        told[case.id] = _visible(line)
                    elif told.pop(case.id, None) is None:
                        continue
                    yield line

    async def claim(self, person: Person, case: str) -> Claim:
        roles.check(Call.CLAIM_CASE, person)
        token = self._tokens.of(person)
        self._showing.need_listed(await self._found(case))
        step = await self._move(case, move.Claim(person=token))
        return self._claim_in(step.case, token)

    async def renew(self, person: Person, case: str, fence: int) -> Claim:
        roles.check(Call.RENEW_CLAIM, person)
        token = self._tokens.of(person)
        step = await self._move(case, move.Renew(person=token, fence=fence))
        return self._claim_in(step.case, token)

    async def release(self, person: Person, case: str, fence: int, *, reason: ReleaseReason) -> None:
        roles.check(Call.RELEASE_CLAIM, person)
        await self._move(case, move.Release(person=self._tokens.of(person), fence=fence, reason=reason))

    async def view(self, person: Person, case: str, fence: int) -> CaseView:
        roles.check(Call.VIEW_CASE, person)
        token = self._tokens.of(person)
        found = await self._held(case, token, fence)
        composed = await self._showing.compose(found)
        # Before the view is theirs: no picture of it is served to anybody until then.
        await self._trail.chained(
            Action.FACE_VIEWED, who=token, subject=found.subject, about=found.id, seen=composed.digest
        )
        looking = move.View(
            person=token,
            fence=fence,
            digest=composed.digest,
            shown=composed.shown,
            alerts=composed.alerts,
        )
        step = await self._move(case, looking)
        return self._view(step.case, composed, token)

    async def picture(self, person: Person, case: str, fence: int, name: str) -> bytes:
        roles.check(Call.VIEW_PICTURE, person)
        found = await self._held(case, self._tokens.of(person), fence)
        shown = next((one for one in _last_shown(found, fence) if one.name == name), None)
        if shown is None:
            raise NotFound("the view last given has no such picture")
        return await self._showing.jpeg(found, shown)

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
        roles.check(Call.JUDGE, person)
        if judgement in _COMPARES and not features:
            raise BadInput("features: say by which features the two faces were judged")
        self._showing.need_listed(await self._found(case))
        token = self._tokens.of(person)
        said = move.Judge(
            person=token,
            fence=fence,
            judgement=judgement,
            features=tuple(dict.fromkeys(features)),
            digest=displayed_digest,
            scripted=person.scripted,
        )
        step = await self._move(case, said)
        best = await self._score(step.case, token)
        return Judged(
            status=queue.status(step.case),
            score=None if best is None else best.score,
            threshold=None if best is None else best.threshold,
        )

    async def supersede(self, person: Person, case: str, *, towards: SupersedeTowards, reason: str) -> CaseStatus:
        roles.check(Call.SUPERSEDE, person)
        token, least_most = self._tokens.of(person), _REASON_CHARS
        if not least_most[0] <= len(reason.strip()) <= least_most[1]:
            raise BadInput(f"a reason has {least_most[0]} to {least_most[1]} characters")
        if towards is SupersedeTowards.NO_ACTION:
            return queue.status((await self._move(case, move.NoAction(person=token, reason=reason.strip()))).case)
        return queue.status((await self._move(case, move.Reopen(person=token, reason=reason.strip()))).case)

    async def record_engagement(self, person: Person, case: str, *, result: Engagement) -> CaseStatus:
        roles.check(Call.RECORD_ENGAGEMENT, person)
        step = await self._move(case, move.Engage(person=self._tokens.of(person), result=result))
        return queue.status(step.case)

    async def record_outcome(self, person: Person, case: str, *, outcome: KnownOutcome) -> CaseStatus:
        roles.check(Call.RECORD_OUTCOME, person)
        step = await self._move(case, move.Outcome(person=self._tokens.of(person), outcome=outcome))
        return queue.status(step.case)

    async def get_case(self, person: Person, case: str) -> CaseStatus:
        roles.check(Call.GET_CASE, person)
        return queue.status(await self._found(case))

    async def _move(self, case: str, wanted: Move) -> Step:
        """Decide on what is there and apply it, until nobody was faster."""
        for _ in range(_TRIES):
            before = await self._found(case)
            now = self._clock.now()
            step = decide(before, wanted, now=now, policy=self._policy)
            if not step.changed or await self._store.apply(await self._change(before, step, now)):
                self._metrics.moved(step.events)
                return step
        raise Transient("a case changed faster than a move could be made")

    async def _change(self, before: Case, step: Step, now: datetime) -> Change:
        after = step.case
        contents: tuple[Content, ...] = ()
        if before.state is not after.state is CaseState.AGREED_MATCH:
            contents = await self._showing.evidence(after, until=self._keeping.evidence())
        elif before.state is not after.state is CaseState.OPEN:
            await self._showing.need_all(after)
        return Change(
            case=self._keeping.after(after, now, before=before),
            events=step.events,
            contents=contents,
            upkeep=self._keeping.upkeep(before, after, now),
        )

    async def _score(self, case: Case, token: str) -> Score | None:
        """Never of an open case: who has been told may yet tell somebody who is to judge it.

        The judgement stands whatever comes of this: a picture whose key has just died only costs its score.
        """
        return None if case.state is CaseState.OPEN else await self._showing.score(case, token)

    async def _found(self, case: str) -> Case:
        found = await self._store.case(case)
        if found is None:
            raise NotFound("there is no such case")
        return found

    async def _held(self, case: str, token: str, fence: int) -> Case:
        """The case, if this person holds a claim of it now."""
        found, now = await self._found(case), self._clock.now()
        if not found.is_open(now):
            raise Gone("the case is decided, or its time is up")
        seat = found.seat_lent(token, now)
        if seat is None or seat.lent is None or seat.lent.fence != fence:
            raise NotYours("this claim is not yours, or no longer")
        return found

    async def _concerning(self, person: Person) -> list[Case]:
        cases = await self._store.open_cases()
        if person.roles & queue.LOOKS_BACK:
            cases += await self._store.closed_cases()
        return [case for case in cases if queue.concerns(case, person.roles)]

    async def _changed(
        self, person: Person, changed: frozenset[str] | None, told: dict[str, CaseSummary]
    ) -> list[Case]:
        if changed is None:
            listed = {case.id: case for case in await self._concerning(person)}
            left = [await self._store.case(case) for case in told if case not in listed]
            return [*listed.values(), *(case for case in left if case is not None)]
        found = [await self._store.case(case) for case in sorted(changed)]
        return [case for case in found if case is not None]

    def _line(self, case: Case, token: str, person: Person) -> CaseSummary:
        return queue.summary(case, person=token, roles=person.roles, now=self._clock.now())

    def _claim_in(self, case: Case, token: str) -> Claim:
        found = queue.claim_of(case, token, self._clock.now())
        if found is None:
            raise NotYours("this claim has lapsed")
        return found

    def _view(self, case: Case, composed: Display, token: str) -> CaseView:
        return CaseView(
            case=case.id,
            round=case.round,
            camera=case.first.camera,
            captured_at=case.first.captured_at,
            category=composed.category,
            resembles=composed.resembles,
            handling=composed.handling,
            risk_flags=composed.risk_flags,
            pictures=composed.pictures,
            displayed_digest=composed.digest,
            claim=self._claim_in(case, token),
            expires_at=case.expires_at,
        )


def _visible(line: CaseSummary) -> CaseSummary:
    """What the person is shown of a line: told again without a change of it, that alone would tell that somebody
    else has looked, or judged."""
    return replace(line, version=0)


def _last_shown(case: Case, fence: int) -> tuple[Shown, ...]:
    return next((seat.lent.shown for seat in case.seats if seat.lent and seat.lent.fence == fence), ())

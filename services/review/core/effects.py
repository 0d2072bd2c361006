"""What each move does to a case, and which events tell of it. Guards have passed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from services.contracts import decisions as told
from services.contracts import ids
from services.contracts.decisions import CaseEvent
from services.contracts.events import CaseOutcome, Judgement
from services.review.core.case import Case, Given, Lent, Policy, Seat, empty_seats
from services.review.core.guards import cast, said_before, seat_of
from services.review.core.move import (
    ByHolder,
    Claim,
    Engage,
    Fold,
    Improve,
    Judge,
    Move,
    NoAction,
    Outcome,
    Release,
    Reopen,
    View,
)
from services.review.core.views import CaseState, ReleaseReason

After = tuple[Case, tuple[CaseEvent, ...]]

# Towards a match a decision is only superseded by two, also where one reviewer decides at first.
_FRESH_REVIEWERS = 2
# A browser's numbers are exact up to 53 bits.
_FENCE_BYTES = 6


class About(TypedDict):
    """What every event of a case carries."""

    deployment: ids.DeploymentId
    trace_id: str
    captured_at: datetime
    case: ids.CaseId


def about(case: Case) -> About:
    return About(
        deployment=case.deployment, trace_id=case.trace_id, captured_at=case.first.captured_at, case=case.id
    )


def fold(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    folding = cast(move, Fold)
    # Each track has its whole time: one that joins a case about to expire must not expire with it.
    expires_at = max(case.expires_at, folding.sighting.searched_at + policy.decide_within)
    after = replace(case, sightings=(*case.sightings, folding.sighting), expires_at=expires_at)
    return after, (_folded(case, folding, now),)


def join(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    """People agreed on the pictures they saw; one that comes later is no evidence, and is only counted."""
    return replace(case, joined=case.joined + 1), (_folded(case, cast(move, Fold), now),)


def _folded(case: Case, move: Fold, now: datetime) -> told.AlertFolded:
    new = move.sighting
    return told.AlertFolded(
        **about(case), alert=new.alert, track=new.track, camera=new.camera, folded_at=now, reason=move.reason
    )


def improve(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    new = cast(move, Improve).sighting
    return replace(case, sightings=tuple(new if old.alert == new.alert else old for old in case.sightings)), ()


def claim(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    person = cast(move, Claim).person
    until = min(now + policy.claim, case.expires_at)
    held = case.seat_lent(person, now)
    if held is not None and held.lent is not None:
        return _seated(case, replace(held, lent=replace(held.lent, until=until))), ()
    seat = case.seat_for(person, now)
    if seat is None:
        raise RuntimeError("the guard let a claim without a seat pass")
    number = case.fence + 1
    lent = Lent(person=person, fence=_fence(case, person, number), until=until)
    return replace(_seated(case, replace(_lapsed(seat, now), lent=lent)), fence=number), ()


def _fence(case: Case, person: str, number: int) -> int:
    """The name of a claim. No count: that would tell its holder whether somebody else has been here before.

    Nobody can work it out who does not know the person's token, and reviewers know none, not even their own.
    """
    digest = hashlib.sha256("\0".join((case.id, person, str(number))).encode()).digest()
    return 1 + int.from_bytes(digest[:_FENCE_BYTES], "big")


def renew(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    seat, lent = _held(case, move)
    until = min(now + policy.claim, case.expires_at)
    return _seated(case, replace(seat, lent=replace(lent, until=until))), ()


def release(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    seat, lent = _held(case, move)
    after = _seated(case, replace(seat, lent=None))
    if cast(move, Release).reason is ReleaseReason.KNOWS_PERSON:
        after = replace(after, excluded=(*case.excluded, lent.person))
    return after, ()


def view(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    looking = cast(move, View)
    seat, lent = _held(case, move)
    seen = replace(
        lent,
        digest=looking.digest,
        shown=looking.shown,
        alerts=looking.alerts,
        first_viewed_at=lent.first_viewed_at or now,
    )
    return _seated(case, replace(seat, lent=seen)), ()


def lapse(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    return replace(case, seats=tuple(_lapsed(seat, now) for seat in case.seats)), ()


def judge(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    said = cast(move, Judge)
    if said_before(case, said):
        return case, ()
    seat, lent = _held(case, move)
    given = Given(
        person=said.person,
        fence=said.fence,
        judgement=said.judgement,
        digest=said.digest,
        contents=lent.contents,
        alerts=lent.alerts,
    )
    after = _seated(case, replace(seat, lent=None, given=given))
    after = replace(after, judged_by=_with(case.judged_by, [said.person]))
    event = _judged(case, said, seat, lent, now)
    if len(after.judgements) < len(after.seats):
        return after, (event,)
    decided, decision = _decided(after, now, policy)
    return decided, (event, *decision)


def _judged(case: Case, said: Judge, seat: Seat, lent: Lent, now: datetime) -> told.AlertJudged:
    looked_for = now - (lent.first_viewed_at or now)
    return told.AlertJudged(
        **about(case),
        round=case.round,
        seat=seat.number,
        reviewer=said.person,
        judgement=said.judgement,
        features=tuple(feature.value for feature in said.features),
        displayed_digest=said.digest,
        judged_at=now,
        dwell_ms=max(0, int(looked_for.total_seconds() * 1000)),
        scripted=said.scripted,
    )


def _decided(case: Case, now: datetime, policy: Policy) -> After:
    """All seats are filled: a match only if everybody said so."""
    agreed = all(given.judgement is Judgement.MATCH for given in case.judgements)
    if not agreed and _unseen(case):
        # A look-alike's case must not take with it a track that not every judge has seen: so others look at all of
        # it. For these people it stays what they made of it, or two who disagreed would be asked until they agree.
        excluded = _with(case.excluded, [given.person for given in case.judgements])
        seats = empty_seats(len(case.seats))
        return replace(case, round=case.round + 1, seats=seats, excluded=excluded), ()
    outcome = CaseOutcome.AGREED_MATCH if agreed else CaseOutcome.NO_ACTION
    event = told.CaseDecided(
        **about(case), round=case.round, outcome=outcome, decided_at=now, judgements=len(case.judgements)
    )
    return _closed(case, CaseState(outcome.value), now, policy), (event,)


def _unseen(case: Case) -> bool:
    """Whether an alert folded in after one of the judges had looked."""
    return any(sighting.alert not in given.alerts for sighting in case.sightings for given in case.judgements)


def expire(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    # The time it was due, not the time somebody noticed: every instance writes the same event.
    event = told.CaseExpired(
        **about(case), round=case.round, expired_at=case.expires_at, judgements=len(case.judgements)
    )
    return _closed(case, CaseState.EXPIRED, now, policy), (event,)


def no_action(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    second = cast(move, NoAction)
    after = replace(_closed(case, CaseState.NO_ACTION, now, policy), round=case.round + 1)
    return after, (_superseded(case, second.person, second.reason, CaseState.NO_ACTION, now),)


def reopen(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    second = cast(move, Reopen)
    after = replace(
        case,
        state=CaseState.OPEN,
        round=case.round + 1,
        seats=empty_seats(max(policy.reviewers, _FRESH_REVIEWERS)),
        expires_at=now + policy.decide_within,
        # Fresh reviewers: neither those who judged before nor the one who wants another answer.
        excluded=_with(case.excluded, [*case.judged_by, second.person]),
        closed_at=None,
        pictures_until=None,
    )
    return after, (_superseded(case, second.person, second.reason, CaseState.OPEN, now),)


def engage(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    done = cast(move, Engage)
    number = case.engagements + 1
    event = told.EngagementRecorded(
        **about(case), number=number, result=done.result.value, by=done.person, recorded_at=now
    )
    return replace(case, engagements=number), (event,)


def outcome(case: Case, move: Move, now: datetime, policy: Policy) -> After:
    known = cast(move, Outcome)
    number = case.outcomes + 1
    event = told.OutcomeRecorded(
        **about(case), number=number, outcome=known.outcome.value, by=known.person, recorded_at=now
    )
    return replace(case, outcomes=number), (event,)


def _superseded(case: Case, by: str, reason: str, to: CaseState, now: datetime) -> told.DecisionSuperseded:
    return told.DecisionSuperseded(
        **about(case),
        round=case.round + 1,
        from_outcome=case.state.value,
        to_outcome="reopened" if to is CaseState.OPEN else to.value,
        reason=reason,
        by=(by,),
        superseded_at=now,
    )


def _closed(case: Case, state: CaseState, now: datetime, policy: Policy) -> Case:
    """No claim outlives its case, and of pictures only evidence does for long."""
    until = None if state is CaseState.AGREED_MATCH else now + policy.closed_pictures
    seats = tuple(replace(seat, lent=None) for seat in case.seats)
    return replace(case, state=state, closed_at=now, pictures_until=until, seats=seats)


def _seated(case: Case, seat: Seat) -> Case:
    return replace(case, seats=tuple(seat if old.number == seat.number else old for old in case.seats))


def _lapsed(seat: Seat, now: datetime) -> Seat:
    """The seat with a claim that has run out written down as such."""
    if seat.lent is None or seat.held(now) is not None:
        return seat
    return replace(seat, lent=None, lapsed=_with(seat.lapsed, [seat.lent.person]))


def _held(case: Case, move: Move) -> tuple[Seat, Lent]:
    mine = cast(move, ByHolder)
    seat = seat_of(case, mine.person, mine.fence)
    if seat is None or seat.lent is None:
        raise RuntimeError("the guard let a move without its claim pass")
    return seat, seat.lent


def _with(people: tuple[str, ...], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*people, *more)))

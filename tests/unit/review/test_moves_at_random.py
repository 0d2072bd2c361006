"""What no sequence of moves can reach, tried with many."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.decisions import AlertJudged, CaseDecided, CaseEvent, CaseExpired, DecisionSuperseded
from services.contracts.events import Judgement
from services.review.core.case import Case
from services.review.core.errors import MoveRefused
from services.review.core.move import (
    Claim,
    Engage,
    Expire,
    Fold,
    Improve,
    Judge,
    Lapse,
    Move,
    NoAction,
    Release,
    Renew,
    Reopen,
    View,
)
from services.review.core.moves import decide
from services.review.core.views import CaseState, Engagement, ReleaseReason
from tests.unit.review.cases import ANN, BEN, CAT, DAN, POLICY, a_case, a_sighting, after, digest_of

PEOPLE = (ANN, BEN, CAT, DAN)
people = st.sampled_from(PEOPLE)


@dataclass
class Life:
    """A case, and all that was told of it."""

    case: Case = field(default_factory=a_case)
    seconds: float = 0.0
    events: list[CaseEvent] = field(default_factory=list)

    def try_move(self, move: Move) -> None:
        try:
            step = decide(self.case, move, now=after(self.seconds), policy=POLICY)
        except MoveRefused:
            return
        assert step.changed == (step.case.version == self.case.version + 1)
        self.case = step.case
        self.events += step.events


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Up to 40 moves by four people, some of them cheating, while time passes."""
    life = Life()
    for _ in range(draw(st.integers(1, 40))):
        life.seconds += draw(st.sampled_from([0.0, 0.5, 5.0, 45.0]))
        life.try_move(_move(draw, life.case))
        _check_now(life)
    return life


def _move(draw: st.DrawFn, case: Case) -> Move:
    person = draw(people)
    lent = [seat.lent for seat in case.seats if seat.lent is not None and seat.lent.person == person]
    fence = lent[0].fence if lent else draw(st.integers(0, 6))
    alerts = tuple(one.alert for one in case.sightings)
    digest = digest_of(case)
    kind = draw(st.integers(0, 15))
    if kind <= 2:
        return Claim(person=person)
    if kind <= 5:
        return View(person=person, fence=fence, digest=digest, shown=(), alerts=alerts)
    if kind <= 8:
        said = draw(st.sampled_from([Judgement.MATCH, Judgement.MATCH, *Judgement]))
        told = draw(st.sampled_from([digest, digest, lent[0].digest if lent else "", "stale"]))
        return Judge(person=person, fence=fence, judgement=said, features=(), digest=told, scripted=False)
    others: list[Move] = [
        Release(person=person, fence=fence, reason=draw(st.sampled_from(list(ReleaseReason)))),
        Renew(person=person, fence=fence),
        Lapse(),
        Expire(),
        Fold(sighting=a_sighting(f"gate-2.1.1.{case.version}.0"), reason="open_case"),
        Improve(sighting=a_sighting(revision=draw(st.integers(1, 4)))),
        NoAction(person=person, reason="second thought"),
        Reopen(person=person, reason="second thought"),
        Engage(person=person, result=Engagement.ENGAGED),
    ]
    return draw(st.sampled_from(others))


def _check_now(life: Life) -> None:
    case = life.case
    holders = [seat.lent.person for seat in case.seats if seat.held(after(life.seconds)) and seat.lent]
    judges = [given.person for given in case.judgements]
    assert len(set(holders + judges)) == len(holders + judges), "one person sits twice"
    assert not set(holders) & set(case.excluded), "somebody excluded holds a seat"
    assert case.state is CaseState.OPEN or not any(seat.lent for seat in case.seats), "a claim outlived its case"


@settings(max_examples=150, deadline=None)
@given(lives())
def test_an_agreed_match_is_always_of_two_different_people_who_both_said_match(life: Life) -> None:
    for decision in life.events:
        if isinstance(decision, CaseDecided) and decision.outcome == "agreed_match":
            said = [one for one in life.events if isinstance(one, AlertJudged) and one.round == decision.round]
            assert {one.judgement for one in said} == {Judgement.MATCH}
            assert len({one.reviewer for one in said}) == len(said) == 2
    if life.case.state is CaseState.AGREED_MATCH:
        assert [given.judgement for given in life.case.judgements] == [Judgement.MATCH] * 2


@settings(max_examples=150, deadline=None)
@given(lives())
def test_a_reopened_case_is_decided_by_people_who_never_judged_it(life: Life) -> None:
    judges: set[str] = set()
    barred: set[str] = set()
    for event in life.events:
        if isinstance(event, DecisionSuperseded) and event.to_outcome == "reopened":
            barred |= judges | set(event.by)
        if isinstance(event, AlertJudged):
            assert event.reviewer not in barred
            judges.add(event.reviewer)


@settings(max_examples=150, deadline=None)
@given(lives())
def test_no_track_is_rejected_unless_every_judge_has_seen_it(life: Life) -> None:
    superseded = any(isinstance(event, DecisionSuperseded) for event in life.events)
    if life.case.state is CaseState.NO_ACTION and not superseded:
        for judged in life.case.judgements:
            assert {one.alert for one in life.case.sightings} == set(judged.alerts)


@settings(max_examples=150, deadline=None)
@given(lives())
def test_every_event_has_an_id_of_its_own_and_every_round_ends_once(life: Life) -> None:
    ids = [event.event_id for event in life.events]
    assert len(ids) == len(set(ids))
    ends = [event.round for event in life.events if isinstance(event, CaseDecided | CaseExpired)]
    assert len(ends) == len(set(ends))

"""What no sequence of moves can reach, tried with many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import find, given, settings
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

PEOPLE = (ANN, BEN, CAT, DAN, "token-eve", "token-fay")
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
    """Up to 15 acts by six people, some of them cheating, while time passes."""
    life = Life()
    for _ in range(draw(st.integers(1, 15))):
        life.seconds += draw(st.sampled_from([0.0, 0.0, 0.0, 0.5, 45.0]))
        person = draw(people)
        for move in _act(draw, life.case, person):
            life.try_move(move(life.case))
            _check_now(life)
    return life


def _act(draw: st.DrawFn, case: Case, person: str) -> list[Callable[[Case], Move]]:
    """What a person sets out to do; each step is made of the case as it is by then."""
    kind = draw(st.integers(0, 9))
    if kind <= 4:
        return _judging(draw, person)
    if kind <= 6:
        return [lambda now: Fold(sighting=a_sighting(f"gate-2.1.1.{now.version}.0"), reason="open_case")]
    second_thoughts = [
        NoAction(person=person, reason="second thought"),
        Reopen(person=person, reason="second thought"),
    ]
    if kind == 7:
        return [lambda _, one=one: one for one in second_thoughts]  # type: ignore[misc]
    fences = [seat.lent.fence for seat in case.seats if seat.lent is not None]
    fence = draw(st.sampled_from([0, 1, *fences]))
    other = draw(
        st.sampled_from(
            [
                Claim(person=person),
                Release(person=person, fence=fence, reason=draw(st.sampled_from(list(ReleaseReason)))),
                Renew(person=person, fence=fence),
                Lapse(),
                Expire(),
                Improve(sighting=a_sighting(revision=draw(st.integers(1, 4)))),
                Engage(person=person, result=Engagement.ENGAGED),
            ]
        )
    )
    return [lambda _: other]


def _judging(draw: st.DrawFn, person: str) -> list[Callable[[Case], Move]]:
    """Claim, look, judge; perhaps without looking, perhaps with another's fence or a view made up."""
    said = draw(st.sampled_from([Judgement.MATCH] * 4 + list(Judgement)))
    looks, forges = draw(st.integers(0, 7)) > 0, draw(st.integers(0, 7)) == 0
    digest = draw(st.sampled_from(["", "made up"])) if forges else None
    steals = draw(st.integers(0, 7)) == 0

    def held(case: Case) -> int:
        """Of the person's own claim, or of another's."""
        lent = [seat.lent for seat in case.seats if seat.lent is not None]
        return next((one.fence for one in lent if (one.person == person) is not steals), 0)

    def look(case: Case) -> Move:
        alerts = tuple(one.alert for one in case.sightings)
        return View(person=person, fence=held(case), digest=digest_of(case), shown=(), alerts=alerts)

    def judge(case: Case) -> Move:
        on = digest_of(case) if digest is None else digest
        return Judge(person=person, fence=held(case), judgement=said, features=(), digest=on, scripted=False)

    return [lambda _: Claim(person=person), *([look] if looks else []), judge]


def _check_now(life: Life) -> None:
    case = life.case
    holders = [seat.lent.person for seat in case.seats if seat.held(after(life.seconds)) and seat.lent]
    judges = [given.person for given in case.judgements]
    assert len(set(holders + judges)) == len(holders + judges), "one person sits twice"
    assert not set(holders) & set(case.excluded), "somebody excluded holds a seat"
    assert case.state is CaseState.OPEN or not any(seat.lent for seat in case.seats), "a claim outlived its case"


def _an_agreed_match_is_always_of_two_different_people_who_both_said_match(life: Life) -> None:
    for decision in life.events:
        if isinstance(decision, CaseDecided) and decision.outcome == "agreed_match":
            said = [one for one in life.events if isinstance(one, AlertJudged) and one.round == decision.round]
            assert {one.judgement for one in said} == {Judgement.MATCH}
            assert len({one.reviewer for one in said}) == len(said) == 2
    if life.case.state is CaseState.AGREED_MATCH:
        assert [given.judgement for given in life.case.judgements] == [Judgement.MATCH] * 2


def _nobody_judges_a_case_twice_nor_one_that_they_had_reopened(life: Life) -> None:
    barred: set[str] = set()
    for event in life.events:
        if isinstance(event, DecisionSuperseded) and event.to_outcome == "reopened":
            barred |= set(event.by)
        if isinstance(event, AlertJudged):
            assert event.reviewer not in barred
            barred.add(event.reviewer)


def _no_track_is_rejected_unless_every_judge_has_seen_it(life: Life) -> None:
    superseded = any(isinstance(event, DecisionSuperseded) for event in life.events)
    if life.case.state is CaseState.NO_ACTION and not superseded:
        for judged in life.case.judgements:
            assert {one.alert for one in life.case.sightings} == set(judged.alerts)


def _every_event_has_an_id_of_its_own_and_every_round_ends_once(life: Life) -> None:
    ids = [event.event_id for event in life.events]
    assert len(ids) == len(set(ids))
    ends = [event.round for event in life.events if isinstance(event, CaseDecided | CaseExpired)]
    assert len(ends) == len(set(ends))


@settings(max_examples=200, deadline=None)
@given(lives())
def test_no_sequence_of_moves_breaks_what_must_hold(life: Life) -> None:
    _an_agreed_match_is_always_of_two_different_people_who_both_said_match(life)
    _nobody_judges_a_case_twice_nor_one_that_they_had_reopened(life)
    _no_track_is_rejected_unless_every_judge_has_seen_it(life)
    _every_event_has_an_id_of_its_own_and_every_round_ends_once(life)


@pytest.mark.parametrize("state", [CaseState.AGREED_MATCH, CaseState.NO_ACTION])
def test_the_lives_tried_here_reach_both_decisions(state: CaseState) -> None:
    found = find(lives(), lambda life: life.case.state is state, settings=settings(max_examples=200))
    assert found.case.state is state

"""The table of moves, move by move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.contracts.decisions import AlertJudged, CaseDecided, CaseExpired, DecisionSuperseded
from services.contracts.events import CaseOutcome, Judgement
from services.review.core.case import empty_seats
from services.review.core.errors import Gone, MoveRefused, NotAllowed, NotYours, Stale, Taken
from services.review.core.move import (
    Claim,
    Engage,
    Expire,
    Fold,
    Judge,
    Lapse,
    Move,
    NoAction,
    Outcome,
    Release,
    Renew,
    Reopen,
)
from services.review.core.moves import TABLE
from services.review.core.views import CaseState, Engagement, KnownOutcome, ReleaseReason
from tests.unit.review.cases import (
    ANN,
    BEN,
    CAT,
    DAN,
    POLICY,
    a_case,
    a_sighting,
    after,
    claimed,
    decided,
    digest_of,
    judged,
    moved,
    viewed,
)

MATCH, NOT = Judgement.MATCH, Judgement.NOT_A_MATCH


def test_the_table_has_each_state_and_move_once() -> None:
    rows = [(row.state, row.move) for row in TABLE]
    assert len(rows) == len(set(rows))


def test_two_people_who_both_see_a_match_agree() -> None:
    case = judged(a_case(), ANN, MATCH).case
    assert case.state is CaseState.OPEN
    step = judged(case, BEN, MATCH)
    assert step.case.state is CaseState.AGREED_MATCH
    assert [type(event) for event in step.events] == [AlertJudged, CaseDecided]


@pytest.mark.parametrize("other", [one for one in Judgement if one is not MATCH])
def test_anything_else_is_no_action(other: Judgement) -> None:
    assert decided(a_case(), MATCH, other).state is CaseState.NO_ACTION
    assert decided(a_case(), other, MATCH).state is CaseState.NO_ACTION


def test_a_first_judgement_never_ends_a_case_or_the_second_would_know_it() -> None:
    assert judged(a_case(), ANN, NOT).case.state is CaseState.OPEN


def test_one_person_cannot_fill_both_seats() -> None:
    case = judged(a_case(), ANN, MATCH).case
    with pytest.raises(NotAllowed):
        moved(case, Claim(person=ANN))


def test_a_third_person_finds_every_seat_taken() -> None:
    case, _ = claimed(a_case(), ANN)
    case, _ = claimed(case, BEN)
    with pytest.raises(Taken):
        moved(case, Claim(person=CAT))


def test_claiming_again_renews_the_same_claim() -> None:
    case, fence = claimed(a_case(), ANN, seconds=1)
    case, again = claimed(case, ANN, seconds=30)
    seat = case.seat_lent(ANN, after(30))
    assert (again, len(case.seats_open(after(30)))) == (fence, 1)
    assert seat is not None
    assert seat.lent is not None
    assert seat.lent.until == after(90)


def test_a_claim_never_outlasts_its_case() -> None:
    case, fence = claimed(a_case(), ANN, seconds=50)
    case = moved(case, Renew(person=ANN, fence=fence), seconds=100).case
    seat = case.seat_lent(ANN, after(100))
    assert seat is not None
    assert seat.lent is not None
    assert seat.lent.until == case.expires_at == after(120)


def test_a_lapsed_claim_goes_to_somebody_else() -> None:
    case, _ = claimed(a_case(), ANN, seconds=1)
    case, _ = claimed(case, BEN, seconds=1)
    case = moved(case, Lapse(), seconds=62).case
    assert len(case.seats_open(after(62))) == 2
    case, _ = claimed(case, ANN, seconds=62)
    seat = case.seat_lent(ANN, after(62))
    assert seat is not None
    assert seat.number == 2, "the seat that lapsed was lent to the same person again"


def test_who_let_both_seats_lapse_gets_neither() -> None:
    case, _ = claimed(a_case(), ANN, seconds=1)
    case, _ = claimed(moved(case, Lapse(), seconds=62).case, ANN, seconds=62)
    case = moved(case, Lapse(), seconds=119).case if case.seat_lent(ANN, after(119)) is None else case
    assert case.seat_for(ANN, after(119)) is None


@pytest.mark.parametrize("late_by", [0, 5])
def test_the_holder_of_a_lapsed_claim_is_refused_whoever_has_it_now(late_by: int) -> None:
    case, fence = claimed(a_case(), ANN, seconds=1)
    case = viewed(case, ANN, fence)
    late = Judge(person=ANN, fence=fence, judgement=MATCH, features=(), digest=digest_of(case), scripted=False)
    with pytest.raises(NotYours):
        moved(case, late, seconds=61 + late_by)
    case, _ = claimed(case, BEN, seconds=61)
    with pytest.raises(NotYours):
        moved(case, late, seconds=61 + late_by)


def test_another_ones_fence_is_refused() -> None:
    case, fence = claimed(a_case(), ANN)
    with pytest.raises(NotYours):
        moved(case, Renew(person=BEN, fence=fence))


def test_who_knows_the_person_hands_the_case_on_for_good() -> None:
    case, fence = claimed(a_case(), ANN)
    case = moved(case, Release(person=ANN, fence=fence, reason=ReleaseReason.KNOWS_PERSON)).case
    with pytest.raises(NotAllowed):
        moved(case, Claim(person=ANN))
    claimed(case, BEN)


def test_who_puts_a_case_back_may_take_it_again() -> None:
    case, fence = claimed(a_case(), ANN)
    case = moved(case, Release(person=ANN, fence=fence, reason=ReleaseReason.PUT_BACK)).case
    claimed(case, ANN)


def test_a_judgement_on_anything_but_what_was_displayed_is_refused() -> None:
    with pytest.raises(Stale):
        judged(a_case(), ANN, MATCH, digest="another view")


def test_a_judgement_without_a_look_is_refused() -> None:
    case, fence = claimed(a_case(), ANN)
    with pytest.raises(Stale):
        moved(case, Judge(person=ANN, fence=fence, judgement=MATCH, features=(), digest="", scripted=False))


def test_a_judgement_said_twice_is_one() -> None:
    case, fence = claimed(a_case(), ANN)
    case = viewed(case, ANN, fence)
    said = Judge(person=ANN, fence=fence, judgement=MATCH, features=(), digest=digest_of(case), scripted=False)
    once = moved(case, said)
    again = moved(once.case, said)
    assert (again.changed, again.events, again.case) == (False, (), once.case)


@pytest.mark.parametrize(("answer", "state"), [(MATCH, CaseState.AGREED_MATCH), (NOT, CaseState.NO_ACTION)])
def test_the_judgement_that_decided_is_answered_again_when_its_answer_was_lost(
    answer: Judgement, state: CaseState
) -> None:
    case = judged(a_case(), ANN, MATCH).case
    case, fence = claimed(case, BEN)
    case = viewed(case, BEN, fence)
    said = Judge(person=BEN, fence=fence, judgement=answer, features=(), digest=digest_of(case), scripted=False)
    over = moved(case, said).case
    assert over.state is state
    again = moved(over, said, seconds=500)
    assert (again.changed, again.events, again.case) == (False, (), over)


def test_a_first_judgement_is_answered_again_also_when_the_time_is_up() -> None:
    case, fence = claimed(a_case(), ANN)
    case = viewed(case, ANN, fence)
    said = Judge(person=ANN, fence=fence, judgement=MATCH, features=(), digest=digest_of(case), scripted=False)
    once = moved(case, said).case
    assert not moved(once, said, seconds=121).changed
    assert not moved(moved(once, Expire(), seconds=121).case, said, seconds=130).changed


@pytest.mark.parametrize("other", ["person", "fence", "judgement", "digest"])
def test_a_case_that_is_over_takes_no_other_judgement(other: str) -> None:
    case, fence = claimed(a_case(), ANN)
    case = viewed(case, ANN, fence)
    said = Judge(person=ANN, fence=fence, judgement=NOT, features=(), digest=digest_of(case), scripted=False)
    over = judged(moved(case, said).case, BEN, NOT).case
    changed = {"person": CAT, "fence": fence + 7, "judgement": MATCH, "digest": "another view"}[other]
    with pytest.raises(Gone):
        moved(over, replace(said, **{other: changed}))  # type: ignore[arg-type]  # one field of its own type


def test_towards_a_match_two_fresh_reviewers_are_asked_also_where_one_decides_at_first() -> None:
    alone = replace(POLICY, reviewers=1)
    case = replace(a_case(), seats=empty_seats(1))
    case, fence = claimed(case, ANN)
    case = viewed(case, ANN, fence)
    said = Judge(person=ANN, fence=fence, judgement=NOT, features=(), digest=digest_of(case), scripted=False)
    case = moved(case, said, policy=alone).case
    assert case.state is CaseState.NO_ACTION
    case = moved(case, Reopen(person=CAT, reason="scar seen"), policy=alone).case
    case = judged(case, BEN, MATCH).case
    assert case.state is CaseState.OPEN, "one fresh reviewer was enough"
    assert judged(case, DAN, MATCH).case.state is CaseState.AGREED_MATCH


def test_dwell_runs_from_the_first_view() -> None:
    case, fence = claimed(a_case(), ANN, seconds=1)
    case = viewed(case, ANN, fence, seconds=2)
    case = viewed(case, ANN, fence, seconds=9)
    said = Judge(person=ANN, fence=fence, judgement=NOT, features=(), digest=digest_of(case), scripted=True)
    event = moved(case, said, seconds=12).events[0]
    assert isinstance(event, AlertJudged)
    assert (event.dwell_ms, event.scripted, event.reviewer) == (10_000, True, ANN)


def test_nobody_decides_after_time_is_up() -> None:
    case = a_case()
    with pytest.raises(Gone):
        moved(case, Claim(person=ANN), seconds=120)
    step = moved(case, Expire(), seconds=500)
    event = step.events[0]
    assert step.case.state is CaseState.EXPIRED
    assert isinstance(event, CaseExpired)
    assert event.expired_at == after(120), "every instance must write the same event"


def test_a_case_does_not_expire_early() -> None:
    with pytest.raises(Gone):
        moved(a_case(), Expire(), seconds=119)


def test_a_track_that_a_judge_has_not_seen_is_not_rejected_with_the_others() -> None:
    """A look-alike's "not a match" would take the person sought with it, and nobody would ever look."""
    case = judged(a_case(), ANN, NOT).case
    case = moved(case, Fold(sighting=a_sighting("gate-2.1.1.9.0", seconds=1), reason="open_case")).case
    step = judged(case, BEN, MATCH)
    assert (step.case.state, step.case.round) == (CaseState.OPEN, 2)
    assert [type(event) for event in step.events] == [AlertJudged]
    by_others = judged(step.case, CAT, MATCH).case
    assert judged(by_others, DAN, MATCH).case.state is CaseState.AGREED_MATCH


@pytest.mark.parametrize(("first", "second"), [(MATCH, NOT), (NOT, MATCH), (NOT, NOT)], ids=str)
def test_whoever_judged_a_round_that_led_to_another_sits_in_none_of_the_case_again(
    first: Judgement, second: Judgement
) -> None:
    """Two who disagreed would be asked again until they agree. Both who said no, too: else a free seat would tell
    each of them what the other has said."""
    case = judged(a_case(), ANN, first).case
    case = moved(case, Fold(sighting=a_sighting("gate-2.1.1.9.0", seconds=1), reason="open_case")).case
    case = judged(case, BEN, second).case
    assert case.state is CaseState.OPEN
    for person in (ANN, BEN):
        with pytest.raises(NotAllowed):
            moved(case, Claim(person=person))
    assert moved(case, Expire(), seconds=300).case.state is CaseState.EXPIRED


def test_a_claim_is_named_by_nothing_that_counts() -> None:
    """A reviewer whose claim is the case's first, and is called so, knows that nobody else has judged."""
    alone = claimed(a_case(), ANN)[1]
    after_another = claimed(judged(a_case(), BEN, MATCH).case, ANN)[1]
    assert alone != after_another
    assert min(alone, after_another) > 1_000
    assert max(alone, after_another) < 2**53, "a browser would round it"


def test_a_track_that_joins_late_has_its_whole_time() -> None:
    late = a_sighting("gate-2.1.1.9.0", seconds=119)
    case = moved(a_case(), Fold(sighting=late, reason="open_case"), seconds=119).case
    assert case.expires_at == after(239)


def test_a_supervisor_takes_a_match_back_at_once() -> None:
    case = decided(a_case(), MATCH, MATCH)
    step = moved(case, NoAction(person=CAT, reason="ears differ"))
    event = step.events[0]
    assert step.case.state is CaseState.NO_ACTION
    assert isinstance(event, DecisionSuperseded)
    assert (event.from_outcome, event.to_outcome, event.by) == ("agreed_match", "no_action", (CAT,))


def test_towards_a_match_leads_only_through_two_fresh_reviewers() -> None:
    case = decided(a_case(), MATCH, NOT)
    with pytest.raises(Gone):
        moved(case, NoAction(person=CAT, reason="sure"))
    case = moved(case, Reopen(person=CAT, reason="scar seen")).case
    for person in (ANN, BEN, CAT):
        with pytest.raises(NotAllowed):
            moved(case, Claim(person=person))
    case = judged(case, DAN, MATCH).case
    assert judged(case, "token-eve", MATCH).case.state is CaseState.AGREED_MATCH


def test_an_expired_case_can_be_reopened_too() -> None:
    case = moved(a_case(), Expire(), seconds=121).case
    assert moved(case, Reopen(person=CAT, reason="queue was long"), seconds=130).case.expires_at == after(250)


@pytest.mark.parametrize("state", [CaseState.NO_ACTION, CaseState.EXPIRED])
def test_a_case_is_reopened_only_while_its_pictures_stay(state: CaseState) -> None:
    expired = state is CaseState.EXPIRED
    case = moved(a_case(), Expire(), seconds=121).case if expired else decided(a_case(), NOT, NOT, seconds=121 - 2)
    assert (case.state, case.pictures_until) == (state, after(321 if expired else 319))
    again = Reopen(person=CAT, reason="scar seen")
    with pytest.raises(Gone, match="pictures of this case are gone"):
        moved(case, again, seconds=321)
    reopened = moved(case, again, seconds=318).case
    assert (reopened.state, reopened.pictures_until) == (CaseState.OPEN, None)


def test_who_judged_a_case_is_told_that_first_also_when_its_pictures_are_gone() -> None:
    with pytest.raises(NotAllowed):
        moved(decided(a_case(), NOT, NOT), Reopen(person=ANN, reason="scar seen"), seconds=900)


def test_an_agreed_match_keeps_its_pictures_until_it_is_taken_back() -> None:
    case = decided(a_case(), MATCH, MATCH)
    assert case.pictures_until is None
    assert moved(case, NoAction(person=CAT, reason="no"), seconds=50).case.pictures_until == after(250)


def test_every_supersession_has_an_id_of_its_own() -> None:
    case, ids = decided(a_case(), MATCH, MATCH), []
    for move in (
        NoAction(person=CAT, reason="no"),
        Reopen(person=CAT, reason="yes"),
    ):
        step = moved(case, move)
        case = step.case
        ids += [event.event_id for event in step.events]
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize("person", [ANN, BEN])
@pytest.mark.parametrize(
    "move",
    [
        lambda person: NoAction(person=person, reason="changed my mind"),
        lambda person: Engage(person=person, result=Engagement.ENGAGED),
        lambda person: Outcome(person=person, outcome=KnownOutcome.CONFIRMED),
    ],
)
def test_nobody_holds_two_sides_of_one_decision(person: str, move: object) -> None:
    case = decided(a_case(), MATCH, MATCH)
    assert callable(move)
    with pytest.raises(NotAllowed):
        moved(case, move(person))


@pytest.mark.parametrize(
    "move",
    [Engage(person=CAT, result=Engagement.ENGAGED), Outcome(person=CAT, outcome=KnownOutcome.CONFIRMED)],
)
def test_nobody_acts_but_on_an_agreed_match(move: Move) -> None:
    for case in (a_case(), decided(a_case(), MATCH, NOT), moved(a_case(), Expire(), seconds=121).case):
        with pytest.raises(MoveRefused):
            moved(case, move)
    step = moved(decided(a_case(), MATCH, MATCH), move)
    assert len(step.events) == 1


def test_the_decision_event_says_the_outcome_and_never_a_name() -> None:
    case = judged(a_case(), ANN, MATCH).case
    events = judged(case, BEN, NOT).events
    assert isinstance(events[-1], CaseDecided)
    assert (events[-1].outcome, events[-1].judgements) == (CaseOutcome.NO_ACTION, 2)

"""Which pictures a move makes useless, and which it needs for longer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from services.contracts.events import Judgement
from services.review.core.case import Case, Shown
from services.review.core.change import Deadline, Upkeep
from services.review.core.keeping import READING, Keeping
from services.review.core.move import Expire, Fold, Improve, Lapse, NoAction, Reopen, View
from tests.builders import an_authority_of
from tests.unit.review.cases import ANN, BEN, CAT, DAN, a_case, a_sighting, after, claimed, decided, moved

DOCUMENT = """
deployment: oxford-street-1
use_case: exercise
purpose: find people recalled to prison
cameras: [{id: gate, source: rtsp, address: "rtsp://gate/live"}]
window: {start: 2026-06-01T08:00:00Z, end: 2026-06-01T16:00:00Z}
watchlist: {name: blue-list, max_entries: 100, score_kind: raw, thresholds: {1: 0.3}}
"""
KEEPING = Keeping(an_authority_of(DOCUMENT))
MATCH, NOT = Judgement.MATCH, Judgement.NOT_A_MATCH
FIRST, BETTER = a_sighting(), a_sighting(revision=2, seconds=3)
# The alert key of noon's hour.
KEY_DIES = after(25 * 3600)


def sooner(before: Case, now_case: Case, *, seconds: float) -> dict[str, float]:
    """How many seconds from `seconds` on each of them still has."""
    return left(KEEPING.upkeep(before, now_case, after(seconds)).sooner, seconds)


def left(deadlines: Sequence[Deadline], seconds: float) -> dict[str, float]:
    return {one.name: (one.at - after(seconds)).total_seconds() for one in deadlines}


def shown(case: Case, person: str, content: str, *, seconds: float = 1.0) -> Case:
    """The case with a seat of `person` that was shown this."""
    case, fence = claimed(case, person, seconds=seconds)
    pictures = (Shown(name="probe/0", content=content, index=0), Shown(name="reference/0", content="", index=0))
    look = View(person=person, fence=fence, digest="digest", shown=pictures, alerts=(FIRST.alert,))
    return moved(case, look, seconds=seconds).case


def test_an_alert_that_joins_changes_nothing_for_the_others() -> None:
    case = a_case()
    joined = moved(case, Fold(sighting=a_sighting("gate-2.1.1.9.0"), reason="open_case")).case
    assert KEEPING.upkeep(case, joined, after(1)) == Upkeep()


def test_a_better_revision_makes_the_one_before_useless() -> None:
    case = a_case()
    better = moved(case, Improve(sighting=BETTER), seconds=3).case
    assert sooner(case, better, seconds=3) == {FIRST.content: READING.total_seconds()}


def test_but_not_while_a_claim_shows_it() -> None:
    case = shown(a_case(), ANN, FIRST.content)
    better = moved(case, Improve(sighting=BETTER), seconds=3).case
    assert sooner(case, better, seconds=3) == {}
    lapsed = moved(better, Lapse(), seconds=62).case
    assert sooner(better, lapsed, seconds=62) == {FIRST.content: READING.total_seconds()}


def test_a_view_that_was_put_together_meanwhile_keeps_its_pictures() -> None:
    better = moved(a_case(), Improve(sighting=BETTER), seconds=3).case
    late = shown(better, ANN, FIRST.content, seconds=4)
    assert {one.name: one.at for one in KEEPING.upkeep(better, late, after(4)).later} == {FIRST.content: KEY_DIES}


def test_a_case_that_ends_without_a_match_keeps_its_pictures_for_a_while() -> None:
    case = shown(moved(a_case(), Improve(sighting=BETTER), seconds=3).case, ANN, FIRST.content, seconds=4)
    over = moved(case, Expire(), seconds=121).case
    assert sooner(case, over, seconds=121) == {FIRST.content: READING.total_seconds(), BETTER.content: 200.0}


def test_an_agreed_match_keeps_what_was_judged() -> None:
    case = a_case()
    assert sooner(case, decided(case, MATCH, MATCH), seconds=1) == {}


def test_a_match_taken_back_has_the_time_of_any_other_alert_at_most() -> None:
    case = decided(a_case(), MATCH, MATCH)
    soon = moved(case, NoAction(person=CAT, reason="no"), seconds=100).case
    assert sooner(case, soon, seconds=100) == {FIRST.content: 200.0}
    two_days = timedelta(days=2).total_seconds()
    late = moved(case, NoAction(person=CAT, reason="no"), seconds=two_days).case
    assert all(at < 0 for at in sooner(case, late, seconds=two_days).values())


def test_a_reopened_case_has_its_pictures_for_as_long_as_their_key_lives() -> None:
    case = decided(a_case(), NOT, MATCH)
    again = moved(case, Reopen(person=DAN, reason="scar seen"), seconds=50).case
    upkeep = KEEPING.upkeep(case, again, after(50))
    assert upkeep.sooner == ()
    assert {one.name: one.at for one in upkeep.later} == {FIRST.content: KEY_DIES}


def test_what_happens_to_a_case_that_is_over_leaves_its_pictures_the_time_they_have() -> None:
    over = moved(shown(a_case(), BEN, FIRST.content), Expire(), seconds=121).case
    assert KEEPING.upkeep(over, over, after(500)) == Upkeep()

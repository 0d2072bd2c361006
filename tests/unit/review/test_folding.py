"""Which case an alert belongs to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.contracts.decisions import AlertFolded, CaseOpened
from services.contracts.events import Judgement
from services.contracts.ids import AlertId
from services.review.core.folding import Exit, FoldReason
from services.review.core.move import Expire, NoAction, Reopen
from tests.unit.review.cases import (
    CAT,
    DAN,
    a_case,
    a_sighting,
    after,
    an_arrival,
    decided,
    folded,
    moved,
    seen_of,
)

MATCH, NOT = Judgement.MATCH, Judgement.NOT_A_MATCH
OTHER_TRACK = a_sighting("gate-2.1.1.9.0", seconds=10)


def test_the_first_alert_of_a_subject_opens_a_case() -> None:
    found = folded(an_arrival())
    assert (found.exit, [type(event) for event in found.events]) == (Exit.OPENED, [CaseOpened])
    assert found.case is not None
    assert (found.case.expires_at, found.case.fold_until) == (after(120), after(300))


def test_an_old_alert_has_only_what_is_left_of_its_time() -> None:
    found = folded(an_arrival(), seconds=100)
    assert found.case is not None
    assert found.case.expires_at == after(120)


def test_another_track_within_the_window_joins_the_open_case() -> None:
    found = folded(an_arrival(OTHER_TRACK, offset=1), window=a_case(), seconds=10)
    assert (found.exit, found.reason) == (Exit.FOLDED, FoldReason.OPEN_CASE)
    assert [type(event) for event in found.events] == [AlertFolded]
    assert found.case is not None
    assert [one.alert for one in found.case.sightings] == [a_sighting().alert, OTHER_TRACK.alert]


def test_after_the_window_a_new_case_opens_even_beside_an_open_one() -> None:
    late = a_sighting("gate-2.1.1.9.0", seconds=300)
    assert folded(an_arrival(late), window=a_case(), seconds=90).exit is Exit.OPENED


def test_a_better_revision_improves_its_sighting() -> None:
    case, first = a_case(), an_arrival()
    better = an_arrival(a_sighting(revision=2, seconds=1), offset=1)
    found = folded(better, seen=seen_of(folded(first), first), own=case, window=case, seconds=1)
    assert (found.exit, found.reason, found.keep_pictures) == (Exit.FOLDED, FoldReason.SAME_ALERT, True)
    assert found.case is not None
    assert [one.revision for one in found.case.sightings] == [2]
    assert found.events == ()


def test_the_same_revision_published_again_changes_nothing() -> None:
    case, first = a_case(), an_arrival()
    found = folded(an_arrival(offset=1), seen=seen_of(folded(first), first), own=case, window=case)
    assert (found.reason, found.case, found.events) == (FoldReason.REPEATED, None, ())


@pytest.mark.parametrize("offset", [0, 3])
def test_a_record_read_again_is_not_counted_again(offset: int) -> None:
    seen = replace(seen_of(folded(an_arrival()), an_arrival()), position=(0, 3))
    assert folded(an_arrival(offset=offset), seen=seen, own=a_case()).exit is Exit.REPLAYED


def test_not_a_match_closes_the_window_for_that_track() -> None:
    case, first = decided(a_case(), NOT, NOT), an_arrival()
    better = an_arrival(a_sighting(revision=2, seconds=5), offset=1)
    found = folded(better, seen=seen_of(folded(first), first), own=case, window=case, seconds=5)
    assert (found.reason, found.case, found.keep_pictures) == (FoldReason.TRACK_REJECTED, None, False)


def test_not_a_match_does_not_mute_the_person_sought() -> None:
    case = decided(a_case(), NOT, NOT)
    assert folded(an_arrival(OTHER_TRACK), window=case, seconds=10).exit is Exit.OPENED


def test_a_rejected_track_under_another_list_stays_rejected() -> None:
    other_list = replace(a_sighting(seconds=5), alert=AlertId("alert-of-the-next-list"))
    found = folded(an_arrival(other_list), window=decided(a_case(), NOT, NOT), seconds=5)
    assert (found.exit, found.reason) == (Exit.FOLDED, FoldReason.TRACK_REJECTED)


def test_an_agreed_match_takes_further_sightings_of_the_person() -> None:
    case = decided(a_case(), MATCH, MATCH)
    found = folded(an_arrival(OTHER_TRACK), window=case, seconds=10)
    assert (found.exit, found.reason) == (Exit.FOLDED, FoldReason.AGREED_CASE)
    assert [type(event) for event in found.events] == [AlertFolded]


def test_what_joins_an_agreed_match_is_counted_and_its_pictures_are_not_kept() -> None:
    case = decided(a_case(), MATCH, MATCH)
    found = folded(an_arrival(OTHER_TRACK), window=case, seconds=10)
    assert not found.keep_pictures
    assert found.case is not None
    assert (found.case.sightings, found.case.alerts) == (case.sightings, 2)


def test_what_only_joined_a_match_improves_nothing_when_that_is_reopened() -> None:
    joining = an_arrival(OTHER_TRACK, offset=1)
    joined = folded(joining, window=decided(a_case(), MATCH, MATCH), seconds=10)
    assert joined.case is not None
    case = moved(joined.case, NoAction(person=CAT, reason="no"), seconds=20).case
    case = moved(case, Reopen(person=DAN, reason="yes"), seconds=21).case
    better = an_arrival(replace(OTHER_TRACK, revision=2), offset=2)
    found = folded(better, seen=seen_of(joined, joining), own=case, window=case, seconds=22)
    assert (found.exit, found.case, found.keep_pictures) == (Exit.FOLDED, None, False)


@pytest.mark.parametrize("swept", [True, False])
def test_a_better_revision_for_a_case_whose_time_is_up_keeps_no_pictures(swept: bool) -> None:
    case, first = a_case(), an_arrival()
    case = moved(case, Expire(), seconds=121).case if swept else case
    better = an_arrival(a_sighting(revision=2, seconds=121), offset=1)
    found = folded(better, seen=seen_of(folded(first), first), own=case, window=case, seconds=121)
    assert (found.exit, found.case, found.keep_pictures) == (Exit.FOLDED, None, False)


def test_a_match_taken_back_mutes_nobody() -> None:
    case = moved(decided(a_case(), MATCH, MATCH), NoAction(person=CAT, reason="no")).case
    assert folded(an_arrival(OTHER_TRACK), window=case, seconds=10).exit is Exit.OPENED


def test_a_case_nobody_decided_mutes_nobody() -> None:
    late = a_sighting("gate-2.1.1.9.0", seconds=125)
    expired = moved(a_case(), Expire(), seconds=121).case
    assert folded(an_arrival(late), window=expired, seconds=125).exit is Exit.OPENED
    assert folded(an_arrival(late), window=a_case(), seconds=125).exit is Exit.OPENED, "not swept yet"


def test_an_alert_only_remembered_as_unreadable_still_opens_its_case() -> None:
    unread = replace(seen_of(folded(an_arrival()), an_arrival()), case="", revision=0)
    assert folded(an_arrival(offset=1), seen=unread).exit is Exit.OPENED

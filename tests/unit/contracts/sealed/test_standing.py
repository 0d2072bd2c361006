"""Who may raise now: stale and expired entries stop by themselves and stay in the cohort (G10, C-08, C-32)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.scoring import raw_scores
from services.contracts.sealed import likeness, revocations
from services.contracts.sealed.entry import Entry, Related, Relation, Status
from services.contracts.sealed.manifest import Pair, Resolution, Verdict
from services.contracts.sealed.overlap import Counted, counted, totals
from services.contracts.sealed.revocations import Folded, Reason, Revocation
from services.contracts.sealed.standing import Inert, Likeness, Warned, active, may_raise, related, standing
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import a_draft, an_entry, rows

HOUR = timedelta(hours=1)
REF = "NOMINAL/{}/7731"


def checked(at: datetime, max_age_h: int = 24) -> Status:
    return Status(checked_at=at, max_age_h=max_age_h, system="index", reference="W-1")


# Active, stale in four hours, expired in two, not yet checked until in an hour (a clock that went back).
MIXED = a_draft(
    an_entry("e-1"),
    an_entry("e-2", status=checked(NOON - 2 * HOUR, 6)),
    an_entry("e-3", expires_at=NOON + 2 * HOUR),
    an_entry("e-4", status=checked(NOON - HOUR)),
)
LIST = MIXED.manifest
NONE = Folded(LIST.digest)


def revoked(*entries: str) -> Folded:
    return revocations.fold(
        NONE,
        [
            Revocation(
                digest=LIST.digest, sequence=n, entry_id=name, reason=Reason.LOCATED, by="p-manager", at=NOON
            )
            for n, name in enumerate(entries, 1)
        ],
    )


@pytest.mark.parametrize(
    ("now", "inert"),
    [
        (NOON, {}),
        (NOON + 2 * HOUR - timedelta(microseconds=1), {}),
        (NOON + 2 * HOUR, {"e-3": Inert.EXPIRED}),
        (NOON + 4 * HOUR - timedelta(microseconds=1), {"e-3": Inert.EXPIRED}),
        (NOON + 4 * HOUR, {"e-2": Inert.STALE, "e-3": Inert.EXPIRED}),
        (
            NOON + 23 * HOUR,
            {"e-1": Inert.STALE, "e-2": Inert.STALE, "e-3": Inert.EXPIRED, "e-4": Inert.STALE},
        ),
        (NOON - HOUR - timedelta(microseconds=1), {"e-4": Inert.NOT_YET_CHECKED}),
    ],
)
def test_an_entry_is_inert_by_itself_once_its_time_is_over(now: datetime, inert: dict[str, Inert]) -> None:
    found = active(LIST, NONE, now)
    assert found.inert == inert
    assert found.active == {"e-1", "e-2", "e-3", "e-4"} - set(inert)


def test_a_revoked_entry_is_inert_at_once_and_says_so_first() -> None:
    assert active(LIST, revoked("e-1", "e-3"), NOON + 2 * HOUR).inert == {
        "e-1": Inert.REVOKED,
        "e-3": Inert.REVOKED,
    }


def test_revocations_may_be_kept_elsewhere() -> None:
    assert standing(LIST, {"e-1"}, NOON) == active(LIST, revoked("e-1"), NOON)


@given(st.integers(-1, 100), st.integers(0, 100))
def test_an_entry_that_became_inert_stays_so(first_h: int, more_h: int) -> None:
    now = NOON + first_h * HOUR
    assert active(LIST, NONE, now + more_h * HOUR).active <= active(LIST, NONE, now).active


def raised(names: Sequence[str], now: datetime, probe: np.ndarray, threshold: float) -> tuple[set[str], bytes]:  # type: ignore[type-arg]
    """Whoever a face raises an alert for with these revoked, and the scores it was compared with."""
    gallery = likeness.fused(MIXED.templates, MIXED.fillers)
    ids = [entry.entry_id for entry in LIST.entries]
    pairs = likeness.columns(LIST.cohort.apart, ids)
    scores = likeness.normalised(
        raw_scores(probe, gallery), pairs, k=LIST.head.cohort_size, a=LIST.head.cohort_weight
    )
    may = may_raise(LIST, active(LIST, revoked(*names), now))
    hits = np.flatnonzero((scores[0] >= threshold) & may)
    return {ids[place] for place in hits}, scores.tobytes()


@given(
    names=st.sets(st.sampled_from(["e-1", "e-2", "e-3", "e-4"])),
    hours=st.floats(0, 30),
    person=st.integers(11, 14),
    threshold=st.floats(-1, 1),
)
def test_an_inert_entry_never_raises_and_moves_no_score(
    names: set[str], hours: float, person: int, threshold: float
) -> None:
    now = NOON + timedelta(hours=hours)
    probe = rows(person)[:1]
    hits, scores = raised(sorted(names), now, probe, threshold)
    all_hits, all_scores = raised([], NOON, probe, threshold)
    assert hits == all_hits & active(LIST, revoked(*names), now).active
    assert scores == all_scores


def test_a_stale_entry_raises_nothing_where_it_would_have() -> None:
    """C-08: the person stands before the camera, and nobody is stopped on yesterday's word."""
    face = rows(12)[:1]
    assert raised([], NOON + 3 * HOUR, face, 0.5)[0] == {"e-2"}
    assert raised([], NOON + 4 * HOUR, face, 0.5)[0] == set()


def test_a_filler_never_may_raise() -> None:
    assert may_raise(LIST, active(LIST, NONE, NOON)).tolist() == [True] * 4 + [False] * 3


def test_brothers_warn_on_each_others_alerts_whoever_names_whom() -> None:
    """C-32: a man was questioned for his brother, who looked like him."""
    brother = Related(subject_ref=REF.format("E-2"), relation=Relation.SIBLING)
    found = a_draft(an_entry("e-1", related_subjects=(brother,)), an_entry("e-2"), an_entry("e-3")).manifest
    assert related(found, "e-1") == (Warned(Likeness.SIBLING, "e-2", REF.format("E-2")),)
    assert related(found, "e-2") == (Warned(Likeness.SIBLING, "e-1", REF.format("E-1")),)
    assert related(found, "e-3") == ()


def test_a_twin_who_is_on_no_list_warns_too() -> None:
    twin = Related(subject_ref="NOMINAL/9", relation=Relation.TWIN)
    found = a_draft(an_entry("e-1", related_subjects=(twin,)), an_entry("e-2")).manifest
    assert related(found, "e-1") == (Warned(Likeness.TWIN, "", "NOMINAL/9"),)
    assert "NOMINAL" not in repr(related(found, "e-1"))


@pytest.mark.parametrize(
    ("verdict", "likeness_"),
    [(Verdict.DISTINCT_PERSONS, Likeness.LOOK_ALIKE), (Verdict.SAME_PERSON, Likeness.LISTED_TWICE)],
)
def test_a_collision_that_was_resolved_warns_on_both(verdict: Verdict, likeness_: Likeness) -> None:
    one = Resolution(pair=Pair("e-1", "e-2"), verdict=verdict, by="p-analyst", at=NOON, grounds="looked at both")
    found = a_draft(an_entry("e-1"), an_entry("e-2"), resolutions=[one]).manifest
    assert related(found, "e-1") == (Warned(likeness_, "e-2", REF.format("E-2")),)
    assert related(found, "e-2") == (Warned(likeness_, "e-1", REF.format("E-1")),)


def test_every_relation_is_a_likeness() -> None:
    assert {one.value for one in Relation} == {one.value for one in Likeness} - {"listed_twice"}


def of(authority: str, start_h: int, end_h: int, *entries: Entry, key: bytes = b"organisation") -> Counted:
    return counted(
        a_draft(*entries).manifest,
        authority=authority,
        start=NOON + start_h * HOUR,
        end=NOON + end_h * HOUR,
        key=key,
    )


ONE, TWO, THREE = (an_entry(f"e-{n}") for n in (1, 2, 3))


def test_authorities_that_overlap_are_added_up_and_people_counted_once() -> None:
    same = replace(THREE, subject_ref=ONE.subject_ref)
    own = of("north-1", 0, 4, ONE, TWO)
    found = totals(own, [of("south-1", 3, 6, same), of("east-1", 4, 6, TWO), own])
    assert (found.authorities, found.entries, found.templates) == (("north-1", "south-1"), 3, 6)
    assert (found.distinct_subjects, found.several) == (2, 1)


def test_an_authority_alone_adds_up_to_itself() -> None:
    found = totals(of("north-1", 0, 4, ONE), [])
    assert (found.authorities, found.entries, found.distinct_subjects, found.several) == (("north-1",), 1, 1, 0)


def test_people_are_counted_by_tokens_that_only_the_organisation_can_make() -> None:
    own = of("north-1", 0, 4, ONE)
    assert own.subjects == of("south-1", 0, 4, ONE).subjects
    assert not own.subjects & of("north-1", 0, 4, ONE, key=b"another").subjects
    assert "subjects" not in repr(own)
    assert not any("NOMINAL" in token for token in own.subjects)


@given(st.permutations(range(4)))
def test_totals_do_not_depend_on_the_order_of_authorities(order: list[int]) -> None:
    own = of("north-1", 0, 4, ONE)
    others = [of(f"south-{n}", n, n + 2, *((ONE, TWO, THREE)[: n % 3 + 1])) for n in range(4)]
    assert totals(own, [others[n] for n in order]) == totals(own, others)

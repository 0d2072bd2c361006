"""Who may raise now: stale and expired entries stop by themselves and stay in the cohort (G10, C-08)."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.scoring import gallery_t, raw_scores
from services.contracts.sealed import likeness
from services.contracts.sealed.entry import Status
from services.contracts.sealed.standing import Inert, Term, inert
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import BOUNDED, a_draft, an_entry, rows

HOUR = timedelta(hours=1)


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


@pytest.mark.parametrize(
    ("now", "reasons"),
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
def test_an_entry_is_inert_by_itself_once_its_time_is_over(now: datetime, reasons: dict[str, Inert]) -> None:
    assert inert(LIST, (), now) == reasons


def test_a_revoked_entry_is_inert_at_once_and_says_so_first() -> None:
    found = inert(LIST, {"e-1", "e-3"}, NOON + 2 * HOUR)
    assert found == {"e-1": Inert.REVOKED, "e-3": Inert.REVOKED}


@BOUNDED
@given(st.integers(-1, 100), st.integers(0, 100))
def test_an_entry_that_became_inert_stays_so(first_h: int, more_h: int) -> None:
    now = NOON + first_h * HOUR
    assert inert(LIST, (), now).keys() <= inert(LIST, (), now + more_h * HOUR).keys()


def raised(names: set[str], now: datetime, probe: np.ndarray, threshold: float) -> tuple[set[str], bytes]:
    """Whoever a face raises an alert for with these revoked, and the scores it was compared with."""
    gallery = likeness.fused(MIXED.templates, MIXED.fillers)
    ids = [entry.entry_id for entry in LIST.entries]
    pairs = likeness.columns(LIST.cohort.apart, ids)
    scores = gallery_t(raw_scores(probe, gallery), pairs, k=LIST.head.cohort_size, a=LIST.head.cohort_weight)
    hits = [entry for entry, score in zip(LIST.entries, scores[0], strict=False) if score >= threshold]
    may = {one.entry_id for one in hits if Term.of(one).inert(now, revoked=one.entry_id in names) is None}
    return may, scores.tobytes()


@BOUNDED
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
    hits, scores = raised(names, now, probe, threshold)
    all_hits, all_scores = raised(set(), NOON, probe, threshold)
    assert hits == all_hits - inert(LIST, names, now).keys()
    assert scores == all_scores


def test_a_stale_entry_raises_nothing_where_it_would_have() -> None:
    """C-08: the person stands before the camera, and nobody is stopped on yesterday's word."""
    face = rows(12)[:1]
    assert raised(set(), NOON + 3 * HOUR, face, 0.5)[0] == {"e-2"}
    assert raised(set(), NOON + 4 * HOUR, face, 0.5)[0] == set()

"""Authorities that run at once are added up, so that no list is split to slip under a cap."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.sealed.entry import Entry
from services.contracts.sealed.overlap import Counted, counted, totals
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import BOUNDED, a_draft, an_entry

HOUR = timedelta(hours=1)


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


@BOUNDED
@given(st.permutations(range(4)))
def test_totals_do_not_depend_on_the_order_of_authorities(order: list[int]) -> None:
    own = of("north-1", 0, 4, ONE)
    others = [of(f"south-{n}", n, n + 2, *((ONE, TWO, THREE)[: n % 3 + 1])) for n in range(4)]
    assert totals(own, [others[n] for n in order]) == totals(own, others)

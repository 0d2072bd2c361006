"""Authorities that run at once are added up, so that no list is split to slip under a cap."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.authorisation.document import Document
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.overlap import Caps, Counted, caps, counted, totals
from tests.builders import NOON
from tests.unit.contracts.authorisation import builders as b
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


def bounded(deployment: str, start_h: int, end_h: int, *, entries: int, templates: int) -> Document:
    window = {"start": b.START + start_h * HOUR, "end": b.START + end_h * HOUR}
    watchlist = b.a_document().watchlist.model_dump() | {"max_entries": entries, "max_templates": templates}
    return b.a_document(id=deployment, window=window, watchlist=watchlist)


def test_caps_of_authorities_whose_windows_overlap_are_added_up() -> None:
    own = bounded("north-1", 0, 4, entries=100, templates=300)
    others = [
        bounded("south-1", 3, 6, entries=20, templates=50),
        bounded("east-1", 4, 6, entries=1000, templates=1000),
        own,
    ]
    assert caps(own, others) == Caps(authorities=("north-1", "south-1"), entries=120, templates=350)


def test_caps_of_one_authority_are_its_own() -> None:
    own = bounded("north-1", 0, 4, entries=100, templates=300)
    assert caps(own, []) == Caps(authorities=("north-1",), entries=100, templates=300)

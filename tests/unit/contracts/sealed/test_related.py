"""Whoever judges an alert is warned of those who look like its subject (C-32)."""

from __future__ import annotations

import pytest

from services.contracts.sealed.entry import Related, Relation
from services.contracts.sealed.manifest import Pair, Resolution, Verdict
from services.contracts.sealed.related import Likeness, Warned, related
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import a_draft, an_entry

REF = "NOMINAL/{}/7731"


def test_brothers_warn_on_each_others_alerts_whoever_names_whom() -> None:
    """C-32: a man was questioned for his brother, who looked like him."""
    brother = Related(subject_ref=REF.format("E-2"), relation=Relation.SIBLING)
    found = a_draft(an_entry("e-1", related_subjects=(brother,)), an_entry("e-2"), an_entry("e-3")).manifest
    assert related(found)["e-1"] == (Warned(Likeness.SIBLING, "e-2", REF.format("E-2")),)
    assert related(found)["e-2"] == (Warned(Likeness.SIBLING, "e-1", REF.format("E-1")),)
    assert "e-3" not in related(found)


def test_a_twin_who_is_on_no_list_warns_too() -> None:
    twin = Related(subject_ref="NOMINAL/9", relation=Relation.TWIN)
    found = a_draft(an_entry("e-1", related_subjects=(twin,)), an_entry("e-2")).manifest
    assert related(found)["e-1"] == (Warned(Likeness.TWIN, "", "NOMINAL/9"),)
    assert "NOMINAL" not in repr(related(found)["e-1"])


@pytest.mark.parametrize(
    ("verdict", "likeness_"),
    [(Verdict.DISTINCT_PERSONS, Likeness.LOOK_ALIKE), (Verdict.SAME_PERSON, Likeness.LISTED_TWICE)],
)
def test_a_collision_that_was_resolved_warns_on_both(verdict: Verdict, likeness_: Likeness) -> None:
    one = Resolution(pair=Pair("e-1", "e-2"), verdict=verdict, by="p-analyst", at=NOON, grounds="looked at both")
    found = a_draft(an_entry("e-1"), an_entry("e-2"), resolutions=[one]).manifest
    assert related(found)["e-1"] == (Warned(likeness_, "e-2", REF.format("E-2")),)
    assert related(found)["e-2"] == (Warned(likeness_, "e-1", REF.format("E-1")),)


def test_every_relation_is_a_likeness() -> None:
    assert {one.value for one in Relation} == {one.value for one in Likeness} - {"listed_twice"}


def test_a_relation_that_both_entries_name_is_told_once() -> None:
    one = Related(subject_ref=REF.format("E-1"), relation=Relation.TWIN)
    other = Related(subject_ref=REF.format("E-2"), relation=Relation.TWIN)
    of = a_draft(an_entry("e-1", related_subjects=(other,)), an_entry("e-2", related_subjects=(one,))).manifest
    assert [len(warned) for warned in related(of).values()] == [1, 1]

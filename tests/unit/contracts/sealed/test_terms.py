"""A list is searched only under the authority that names it, and within that authority's terms (B 3.13, C-26)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.contracts.authorisation.enums import AgeBand, Category
from services.contracts.events import ScoreKind
from services.contracts.sealed.manifest import Threshold
from services.contracts.sealed.terms import Terms, outside
from tests.unit.contracts.sealed.lists_builder import MODEL, a_draft

LIST = a_draft().manifest
TERMS = Terms(
    name="blue-list",
    digest=LIST.digest,
    max_entries=3,
    max_templates=6,
    categories=frozenset({Category.WANTED_ON_WARRANT}),
    age_bands=frozenset({AgeBand.ADULT}),
    score_kind=ScoreKind.GALLERY_NORMALISED,
    model_id=MODEL,
    thresholds=(Threshold(shots=1, score=0.5), Threshold(shots=3, score=0.45)),
)


def test_a_list_within_its_authoritys_terms_is_admitted() -> None:
    assert list(outside(LIST, TERMS)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": "red-list"},
        {"digest": "0" * 64},
        {"model_id": "other"},
        {"score_kind": ScoreKind.RAW},
        {"thresholds": (Threshold(shots=1, score=0.6),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_list_that_is_another_in_one_thing_is_told_which(change: dict[str, Any]) -> None:
    found = list(outside(LIST, replace(TERMS, **change)))
    assert [(one.entry, one.field, one.control) for one in found] == [("", next(iter(change)), "B 3.13")]


def test_a_list_that_grew_past_its_caps_is_told_both() -> None:
    found = [str(one) for one in outside(LIST, replace(TERMS, max_entries=2, max_templates=5))]
    assert found == [
        "list: entries: are 3; the authority admits 2 [B 3.13]",
        "list: templates: are 6; the authority admits 5 [B 3.13]",
    ]


def test_a_category_or_age_band_that_the_authority_does_not_admit_is_named_by_entry() -> None:
    found = list(
        outside(
            LIST,
            replace(
                TERMS, categories=frozenset({Category.MISSING_AT_RISK}), age_bands=frozenset({AgeBand.UNDER_10})
            ),
        )
    )
    assert {(one.entry, one.field, one.control) for one in found} == {
        (entry, field, control)
        for entry in ("e-1", "e-2", "e-3")
        for field, control in (("category", "C-26"), ("age_band", "C-31"))
    }

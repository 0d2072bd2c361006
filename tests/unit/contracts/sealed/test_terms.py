"""A list is searched only under the authority that names it, and within that authority's terms (B 3.13, C-26)."""

from __future__ import annotations

from typing import Any

import pytest

from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import AgeBand
from services.contracts.events import ScoreKind
from services.contracts.sealed.entry import RiskFlag, SecondApproval
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.terms import outside
from tests.unit.contracts.authorisation.builders import a_document, a_list, some_evidence
from tests.unit.contracts.sealed.lists_builder import MODEL, a_draft, an_entry

LIST = a_draft().manifest
EVIDENCE = "equity-2026-03"


def an_authority(of: Manifest = LIST, *, evidence: dict[str, Any] | None = None, **changes: Any) -> Document:
    terms: dict[str, Any] = {
        "id": "blue-list",
        "digest": of.digest,
        "max_entries": 3,
        "max_templates": 6,
        "score_kind": ScoreKind.GALLERY_NORMALISED,
        "model": MODEL,
        "thresholds": {1: 0.5, 3: 0.45},
    }
    deployment = changes.pop("deployment", "oxford-street-1")
    return a_document(id=deployment, watchlist=a_list(**(terms | changes)), equity=evidence)


def found(of: Manifest, authority: Document) -> set[tuple[str, str, str]]:
    return {(one.entry, one.field, one.control) for one in outside(of, authority)}


def test_a_list_within_its_authoritys_terms_is_admitted() -> None:
    assert found(LIST, an_authority()) == set()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"deployment": "other-street-1"}, "deployment"),
        ({"id": "red-list"}, "name"),
        ({"digest": "0" * 64}, "digest"),
        ({"model": "other"}, "model_id"),
        ({"score_kind": ScoreKind.RAW}, "score_kind"),
        ({"thresholds": {1: 0.6, 3: 0.45}}, "thresholds"),
        ({"thresholds": {1: 0.5}}, "thresholds"),
    ],
    ids=str,
)
def test_a_list_that_is_another_in_one_thing_is_told_which(change: dict[str, Any], field: str) -> None:
    assert found(LIST, an_authority(**change)) == {("", field, "B 3.13")}


def test_a_list_that_grew_past_its_caps_is_told_both() -> None:
    assert [str(one) for one in outside(LIST, an_authority(max_entries=2, max_templates=5))] == [
        "list: entries: are 3; the authority admits 2 [B 3.13]",
        "list: templates: are 6; the authority admits 5 [B 3.13]",
    ]


def test_a_category_or_age_band_that_the_authority_does_not_admit_is_named_by_entry() -> None:
    assert found(LIST, an_authority(categories=["missing_at_risk"], age_bands=["under_10"])) == {
        (entry, field, control)
        for entry in ("e-1", "e-2", "e-3")
        for field, control in (("category", "C-26"), ("age_band", "C-31"))
    }


def with_a_child(evidence_id: str = EVIDENCE) -> Manifest:
    child = an_entry(
        "e-2",
        age_band=AgeBand.FROM_14_TO_17,
        age_evidence_id=evidence_id,
        risk_flags=(RiskFlag.UNDER_18,),
        handling_instruction="Approach with an appropriate adult only.",
        second_approval=SecondApproval(by="p-inspector", rationale="Missing for nine days, at risk."),
    )
    return a_draft(an_entry("e-1"), child, an_entry("e-3")).manifest


BOTH_BANDS = ["adult", "14_to_17"]


def test_a_child_is_admitted_on_the_authoritys_evidence_for_the_age_band() -> None:
    of = with_a_child()
    evidence = some_evidence(age_bands=BOTH_BANDS)
    assert found(of, an_authority(of, evidence=evidence, age_bands=BOTH_BANDS)) == set()


@pytest.mark.parametrize(
    ("of", "evidence"),
    [
        (with_a_child(), None),
        (with_a_child("some-other-study"), some_evidence(age_bands=BOTH_BANDS)),
        (with_a_child(), some_evidence(age_bands=["adult", "10_to_13"])),
    ],
    ids=["no evidence", "other evidence", "evidence for another age"],
)
def test_a_child_without_evidence_for_the_age_band_is_refused(
    of: Manifest, evidence: dict[str, Any] | None
) -> None:
    """C-31: any text would pass for an evidence's id, so it must be the authority's own."""
    authority = an_authority(of, evidence=evidence, age_bands=BOTH_BANDS)
    assert found(of, authority) == {("e-2", "age_evidence_id", "C-31")}

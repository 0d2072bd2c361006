"""An entry says who, why, by whose word and until when, or is named with the field and the rule (G10, B 3.7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import yaml

from services.contracts.authorisation.enums import AgeBand, Category
from services.contracts.sealed.canonical import decode, encode
from services.contracts.sealed.entry import (
    Entry,
    Related,
    Relation,
    RiskFlag,
    SecondApproval,
    SourceType,
    from_document,
)
from services.contracts.sealed.faults import Refused
from services.contracts.sealed.rules import entry_faults
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import a_picture, an_entry, bounds

STATUS = an_entry().status
CHILD: dict[str, Any] = {
    "age_band": AgeBand.FROM_14_TO_17,
    "age_evidence_id": "equitability-2026-05-14to17",
    "risk_flags": (RiskFlag.UNDER_18,),
    "handling_instruction": "Approach with an appropriate adult only.",
    "second_approval": SecondApproval(
        by="p-inspector", rationale="Missing for nine days, at risk of exploitation."
    ),
}
DOCUMENT = """
entry_id: e-1
subject_ref: NOMINAL/7731
category: wanted_on_warrant
legal_basis: warrant of arrest
necessity_note: Four visits at known addresses did not find the person.
location_nexus: Seen twice at the market.
pictures:
  - image_sha256: "{h}"
    shown_sha256: "{h}"
    template_sha256: "{h}"
    captured_on: 2024-05-01
    quality: 1
    source_type: custody
    source_system: custody records
    source_reference: CR-1
    lawfully_held_basis: custody image policy
    identity_assured_by: p-clerk
status: {{checked_at: 2026-06-01T10:00:00Z, max_age_h: 24, system: wanted index, reference: W-551}}
expires_at: 2026-06-04T12:00:00+01:00
added_by: p-officer
approved_by: p-sergeant
age_band: adult
""".format(h="0a" * 32)


def broken(entry: Entry, **limits: Any) -> set[tuple[str, str]]:
    """The fields at fault with the rules' sources."""
    found = list(entry_faults(entry, bounds(**limits), at=NOON))
    assert all(fault.entry == entry.entry_id and fault.rule for fault in found)
    return {(fault.field, fault.control) for fault in found}


def test_an_entry_that_keeps_every_rule_has_no_fault() -> None:
    assert broken(an_entry()) == set()


def test_a_child_with_all_that_is_asked_for_has_no_fault() -> None:
    assert broken(an_entry(**CHILD)) == set()


@pytest.mark.parametrize(
    ("changes", "field", "control"),
    [
        ({"entry_id": "E 1"}, "entry_id", "B 3.7"),
        ({"entry_id": "cohort"}, "entry_id", "B 3.7"),
        ({"entry_id": "of-7731", "subject_ref": "7731"}, "entry_id", "B 3.7"),
        ({"subject_ref": " "}, "subject_ref", "B 3.7"),
        ({"legal_basis": ""}, "legal_basis", "B 3.7"),
        ({"legal_basis": "two\nlines"}, "legal_basis", "B 3.7"),
        ({"necessity_note": "is wanted"}, "necessity_note", "C-13"),
        ({"location_nexus": ""}, "location_nexus", "C-26, B 3.6"),
        ({"pictures": ()}, "pictures", "C-24"),
        ({"pictures": tuple(a_picture(str(n)) for n in range(6))}, "pictures", "C-24"),
        ({"pictures": (a_picture(), a_picture())}, "pictures", "C-24"),
        ({"added_by": ""}, "added_by", "C-24"),
        ({"approved_by": "p-officer"}, "approved_by", "C-24"),
        ({"approved_by": "P-Officer"}, "approved_by", "C-24"),
        ({"approved_by": "p-officer "}, "approved_by", "C-24"),
        ({"approved_by": "p-\N{CYRILLIC SMALL LETTER O}fficer"}, "approved_by", "C-24"),
        ({"approved_by": "Sergeant J. Smith"}, "approved_by", "C-24"),
        ({"expires_at": NOON}, "expires_at", "C-24"),
        ({"status": replace(STATUS, checked_at=NOON - timedelta(hours=24))}, "status.checked_at", "C-08"),
        ({"status": replace(STATUS, checked_at=NOON + timedelta(seconds=1))}, "status.checked_at", "C-08"),
        ({"status": replace(STATUS, max_age_h=25)}, "status.max_age_h", "C-08"),
        ({"status": replace(STATUS, max_age_h=0)}, "status.max_age_h", "C-08"),
        ({"status": replace(STATUS, system="")}, "status.system", "C-08"),
        ({"status": replace(STATUS, reference="")}, "status.reference", "C-08"),
        ({"age_band": AgeBand.UNDER_10, "age_evidence_id": "e-1"}, "age_band", "C-31"),
        (CHILD | {"age_band": AgeBand.ADULT}, "age_band", "C-31"),
        (CHILD | {"age_evidence_id": None}, "age_evidence_id", "C-31"),
        (CHILD | {"second_approval": None}, "second_approval", "C-31"),
        (
            CHILD | {"second_approval": replace(CHILD["second_approval"], by="p-sergeant")},
            "second_approval.by",
            "C-31",
        ),
        (
            CHILD | {"second_approval": replace(CHILD["second_approval"], rationale="yes")},
            "second_approval.rationale",
            "C-31",
        ),
        (CHILD | {"handling_instruction": " "}, "handling_instruction", "C-31"),
        ({"risk_flags": (RiskFlag.VULNERABLE,), "handling_instruction": "be kind"}, "second_approval", "C-31"),
        ({"category": Category.MISSING_AT_RISK}, "risk_flags", "B 3.7"),
        (
            {"related_subjects": (Related(subject_ref="NOMINAL/E-1/7731", relation=Relation.TWIN),)},
            "related_subjects",
            "C-32",
        ),
        (
            {"related_subjects": (Related(subject_ref="x", relation=Relation.TWIN),) * 2},
            "related_subjects",
            "C-32",
        ),
    ],
)
def test_a_broken_rule_is_named_by_field_and_source(changes: dict[str, Any], field: str, control: str) -> None:
    assert broken(an_entry(**changes)) == {(field, control)}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"image_sha256": "0A" * 32}, "image_sha256"),
        ({"shown_sha256": ""}, "shown_sha256"),
        ({"template_sha256": "0a"}, "template_sha256"),
        ({"quality": 1.01}, "quality"),
        ({"quality": float("nan")}, "quality"),
        ({"quality": 0.29}, "quality"),
        ({"captured_on": date(2026, 6, 2)}, "captured_on"),
        ({"captured_on": date(2016, 1, 1)}, "age_reason"),
        ({"source_type": SourceType.THIRD_PARTY, "share": 1}, "source_care"),
        ({"source_type": SourceType.OPEN_SOURCE, "source_care": " "}, "source_care"),
        ({"source_system": ""}, "source_system"),
        ({"source_reference": ""}, "source_reference"),
        ({"lawfully_held_basis": ""}, "lawfully_held_basis"),
        ({"identity_assured_by": ""}, "identity_assured_by"),
    ],
)
def test_a_picture_without_provenance_is_named_by_its_place(changes: dict[str, Any], field: str) -> None:
    entry = an_entry(pictures=(a_picture("fine"), a_picture(**changes)))
    assert broken(entry, min_quality=0.3) == {(f"pictures.1.{field}", "C-24")}


def test_an_old_picture_is_taken_with_a_reason() -> None:
    old = a_picture(
        captured_on=date(2016, 1, 1), age_reason="The only one there is; the face is scarred since birth."
    )
    assert broken(an_entry(pictures=(old,))) == set()


def test_an_entry_of_a_document_is_the_entry() -> None:
    entry = from_document(yaml.safe_load(DOCUMENT), origin="e-1.yaml")
    assert broken(entry) == set()
    assert entry.pictures[0].quality == 1.0
    assert entry.expires_at.utcoffset() == timedelta(0)
    assert decode(Entry, encode(entry)) == entry


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        (
            "category",
            "other",
            "entry e-1: category: must be one of wanted_on_warrant, suspect_of_serious_crime, "
            "unlawfully_at_large, subject_of_court_order, missing_at_risk, victim_of_serious_crime, "
            "imminent_threat_to_life, "
            "consenting_volunteer; there is no other [C-26]",
        ),
        ("added_by", None, "entry e-1: added_by: must be text [C-24]"),
        ("nickname", "Jo", "entry e-1: document: has a field that is none; its fields are entry_id, "),
        ("expires_at", "2026-06-04", "entry e-1: expires_at: must be a time with its zone, such as "),
        ("expires_at", "soon", "entry e-1: expires_at: must be a time such as "),
        ("pictures", "one.jpg", "entry e-1: pictures: must be a list [C-24]"),
        ("status", 7, "entry e-1: status: must be a mapping of fields [C-08]"),
        ("entry_id", 7, "entry subject.yaml: entry_id: must be text [B 3.7]"),
    ],
)
def test_a_document_that_is_wrong_is_told_where_and_never_with_its_value(key: str, value: Any, text: str) -> None:
    with pytest.raises(Refused) as refused:
        from_document(yaml.safe_load(DOCUMENT) | {key: value}, origin="subject.yaml")
    assert str(refused.value).startswith(text)
    assert "Jo" not in str(refused.value)


def test_a_document_without_a_field_is_told_which() -> None:
    document = yaml.safe_load(DOCUMENT)
    del document["pictures"][0]["lawfully_held_basis"]
    with pytest.raises(Refused, match=r"pictures\.0\.lawfully_held_basis: is missing \[C-24\]"):
        from_document(document, origin="e-1.yaml")


def test_no_repr_shows_a_subject_or_a_note() -> None:
    text = repr(an_entry(related_subjects=(Related(subject_ref="NOMINAL/9", relation=Relation.TWIN),)))
    assert "NOMINAL" not in text
    assert "visits" not in text
    assert "CR-2024" not in text

"""One entry of a list: who, why, on what ground, by which pictures, added and approved by whom, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.contracts.authorisation.enums import AgeBand, Category
from services.contracts.sealed.canonical import Unfit, from_plain
from services.contracts.sealed.faults import Fault, Refused


class SourceType(StrEnum):
    """Where a picture was got. Passports and driving licences are not among them."""

    CUSTODY = "custody"
    COURT = "court"
    MISSING_REPORT = "missing_report"
    OFFENCE_FOOTAGE = "offence_footage"
    PARTNER_AGENCY = "partner_agency"
    THIRD_PARTY = "third_party"
    OPEN_SOURCE = "open_source"
    CONSENT = "consent"

    @property
    def needs_care(self) -> bool:
        """Whether somebody has to say why the source can be relied on, and is not put at risk by its use."""
        return self in (self.PARTNER_AGENCY, self.THIRD_PARTY, self.OPEN_SOURCE)

    @property
    def shared_in(self) -> bool:
        """Whether somebody else gave it: then a line of the sharing register says under which agreement."""
        return self in (self.PARTNER_AGENCY, self.THIRD_PARTY)


class RiskFlag(StrEnum):
    """What those who meet the person must know."""

    UNDER_18 = "under_18"
    VULNERABLE = "vulnerable"
    VICTIM = "victim"
    MISSING = "missing"


class Relation(StrEnum):
    """Why another person may look like this one."""

    TWIN = "twin"
    SIBLING = "sibling"
    PARENT_OR_CHILD = "parent_or_child"
    OTHER_KIN = "other_kin"
    LOOK_ALIKE = "look_alike"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of the subject. Hashes are SHA-256 in hex: of the file as it was enrolled, of the JPEG that a
    reviewer is shown, of the template (float32, little-endian). `quality` is the model's, 0 to 1. `share` is the
    serial of the sharing register under which another body gave it."""

    image_sha256: str
    shown_sha256: str
    template_sha256: str
    captured_on: date
    quality: float
    source_type: SourceType
    source_system: str
    source_reference: str = field(repr=False)
    lawfully_held_basis: str
    identity_assured_by: str
    source_care: str | None = None
    age_reason: str | None = None
    share: int | None = None


@dataclass(frozen=True, kw_only=True)
class Status:
    """When a source system last said that the person is still sought, and under which reference of its own."""

    checked_at: datetime
    max_age_h: int
    system: str
    reference: str = field(repr=False)

    @property
    def stale_at(self) -> datetime:
        """From then on the entry is inert by itself (C-08)."""
        return self.checked_at + timedelta(hours=self.max_age_h)


@dataclass(frozen=True, kw_only=True)
class Related:
    """A person who may be taken for this one; need not be on any list."""

    subject_ref: str = field(repr=False)
    relation: Relation


@dataclass(frozen=True, kw_only=True)
class SecondApproval:
    """Of an entry that needs one more (C-31)."""

    by: str
    rationale: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One subject (controls B 3.7). `subject_ref` is the organisation's opaque reference: it stays on the list;
    `entry_id` names the entry in errors, events and file headers, so it must say nothing about the subject."""

    entry_id: str
    subject_ref: str = field(repr=False)
    category: Category
    legal_basis: str
    necessity_note: str = field(repr=False)
    location_nexus: str = field(repr=False)
    pictures: tuple[Picture, ...] = field(repr=False)
    status: Status
    expires_at: datetime
    added_by: str
    approved_by: str
    age_band: AgeBand
    age_evidence_id: str | None = None
    risk_flags: tuple[RiskFlag, ...] = ()
    handling_instruction: str | None = None
    second_approval: SecondApproval | None = None
    related_subjects: tuple[Related, ...] = field(default=(), repr=False)


# The source of a field's rule, where it is not the schema itself.
CONTROLS: Mapping[str, str] = {
    "category": "C-26",
    "necessity_note": "C-13",
    "location_nexus": "C-26, B 3.6",
    "pictures": "C-24",
    "added_by": "C-24",
    "approved_by": "C-24",
    "expires_at": "C-24",
    "status": "C-08",
    "age_band": "C-31",
    "age_evidence_id": "C-31",
    "second_approval": "C-31",
    "handling_instruction": "C-31",
    "related_subjects": "C-32",
}
SCHEMA = "B 3.7"


def control_of(path: str) -> str:
    """The id of the control behind a field's rule, by the field's path."""
    if path.endswith(".share"):
        return "C-20"
    return CONTROLS.get(path.split(".", 1)[0], SCHEMA)


def from_document(document: object, *, origin: str) -> Entry:
    """An entry of a document that somebody wrote (YAML or JSON, already loaded); only types are checked here.

    Raises Refused naming the entry (or `origin`, if the document has no id), the field and the rule.
    """
    try:
        return from_plain(Entry, document)
    except Unfit as unfit:
        named = document.get("entry_id") if isinstance(document, Mapping) else None
        entry = named if isinstance(named, str) else origin
        raise Refused([Fault(entry, unfit.path, unfit.rule, control_of(unfit.path))]) from None

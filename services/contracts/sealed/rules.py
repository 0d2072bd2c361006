"""The rules of an entry, each with its source: what must hold before a list with it is sealed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from services.contracts import ids
from services.contracts.authorisation.enums import AgeBand, Category
from services.contracts.file_names import is_one_line
from services.contracts.sealed.entry import Entry, Picture, RiskFlag, control_of
from services.contracts.sealed.faults import Fault

Broken = tuple[str, str]

# What the other records of a list are called beside its entries.
RESERVED_IDS = ("head", "cohort")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_TEXT_CHARS = 2000
_TELLING_CHARS = 3
# A note of three words does not say why this person, here, now.
_MIN_NOTE_CHARS = 20
_NEEDS_FLAG = {
    Category.MISSING_AT_RISK: RiskFlag.MISSING,
    Category.VICTIM_OF_SERIOUS_CRIME: RiskFlag.VICTIM,
}
_NEEDS_SECOND = frozenset({RiskFlag.UNDER_18, RiskFlag.VULNERABLE})
_MOST_RELATED = 64
_MOST_PICTURES = 20
# A week without asking the source system is no freshness; 24 hours are the rule (controls B 3.7).
_MOST_STATUS_AGE_H = 7 * 24
_BOUND_OF = {"max_pictures": "pictures", "max_status_age_h": "status"}
# The organisation's number for a person: in other letters one person could pass for two.
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What the list's authority allows, sealed with it. Caps count people and templates; fillers are neither."""

    max_entries: int
    max_templates: int
    max_pictures: int = 5
    max_image_age_d: int = 3650
    min_quality: float = 0.0
    max_status_age_h: int = 24


def bounds_faults(bounds: Bounds) -> Iterator[Fault]:
    """Bounds that bound nothing: they are the makers' choice too."""
    for name, most in (("max_pictures", _MOST_PICTURES), ("max_status_age_h", _MOST_STATUS_AGE_H)):
        if not 1 <= getattr(bounds, name) <= most:
            yield Fault("", f"bounds.{name}", f"must be 1 to {most}", control_of(_BOUND_OF[name]))
    if bounds.max_image_age_d < 0:
        yield Fault("", "bounds.max_image_age_d", "must not be negative", control_of("pictures"))
    if not 0.0 <= bounds.min_quality <= 1.0:
        yield Fault("", "bounds.min_quality", "must lie between 0 and 1", control_of("pictures"))


def entry_faults(entry: Entry, bounds: Bounds, *, at: datetime) -> Iterator[Fault]:
    """Every rule that `entry` breaks if it is sealed `at`."""
    for part in (_identity, _approval, _risk, _related):
        for path, rule in part(entry):
            yield Fault(entry.entry_id, path, rule, control_of(path))
    for path, rule in (*_pictures(entry, bounds, at), *_times(entry, bounds, at)):
        yield Fault(entry.entry_id, path, rule, control_of(path))


def _identity(entry: Entry) -> Iterator[Broken]:
    if not ids.is_name(entry.entry_id) or entry.entry_id in RESERVED_IDS:
        yield "entry_id", f"must be a name (a-z, 0-9, hyphen), not {' or '.join(RESERVED_IDS)}"
    yield from _texts(entry, "subject_ref", "legal_basis")
    yield from _notes(entry, "necessity_note")
    yield from _texts(entry, "location_nexus")
    if tells_of(entry.subject_ref, entry.entry_id):
        yield "entry_id", "must say nothing about the subject; it is made of the subject's reference"


def _approval(entry: Entry) -> Iterator[Broken]:
    yield from _people(entry, "added_by", "approved_by")
    if same_person(entry.added_by, entry.approved_by):
        yield "approved_by", "must be another person than added_by"
    if entry.second_approval is None:
        if _NEEDS_SECOND & set(entry.risk_flags):
            yield "second_approval", "is needed for a person under 18 or vulnerable"
        return
    yield from _people(entry.second_approval, "by", under="second_approval")
    yield from _notes(entry.second_approval, "rationale", under="second_approval")
    if any(same_person(entry.second_approval.by, one) for one in (entry.added_by, entry.approved_by)):
        yield "second_approval.by", "must be another person than added_by and approved_by"


def _risk(entry: Entry) -> Iterator[Broken]:
    child = entry.age_band is not AgeBand.ADULT
    if child != (RiskFlag.UNDER_18 in entry.risk_flags):
        yield "age_band", "and the risk flag under_18 must say the same"
    if child and _blank(entry.age_evidence_id):
        yield "age_evidence_id", "is needed under 18: evidence of how the model does in that age band"
    if list(entry.risk_flags) != sorted(set(entry.risk_flags)):
        yield "risk_flags", "must be in order, each once"
    if entry.risk_flags and _blank(entry.handling_instruction):
        yield "handling_instruction", "is needed with any risk flag"
    needed = _NEEDS_FLAG.get(entry.category)
    if needed is not None and needed not in entry.risk_flags:
        yield "risk_flags", f"must have {needed} for category {entry.category}"
    for name in ("age_evidence_id", "handling_instruction"):
        if getattr(entry, name) is not None:
            yield from _texts(entry, name)


def _related(entry: Entry) -> Iterator[Broken]:
    refs = [one.subject_ref for one in entry.related_subjects]
    if len(refs) > _MOST_RELATED:
        yield "related_subjects", f"must be at most {_MOST_RELATED}"
    if len(set(refs)) != len(refs):
        yield "related_subjects", "must name each person once"
    if entry.subject_ref in refs:
        yield "related_subjects", "must not name the subject"
    for place, one in enumerate(entry.related_subjects):
        yield from _texts(one, "subject_ref", under=f"related_subjects.{place}")


def _pictures(entry: Entry, bounds: Bounds, at: datetime) -> Iterator[Broken]:
    if not 1 <= len(entry.pictures) <= bounds.max_pictures:
        yield "pictures", f"must be 1 to {bounds.max_pictures}"
    hashes = [one.image_sha256 for one in entry.pictures]
    if len(set(hashes)) != len(hashes):
        yield "pictures", "must differ: one stands there twice"
    for place, one in enumerate(entry.pictures):
        yield from _picture(one, f"pictures.{place}", bounds, at)


def _picture(one: Picture, under: str, bounds: Bounds, at: datetime) -> Iterator[Broken]:
    for name in ("image_sha256", "shown_sha256", "template_sha256"):
        if not is_sha256(getattr(one, name)):
            yield f"{under}.{name}", "must be a SHA-256 in lower-case hex"
    yield from _texts(one, "source_system", "source_reference", "lawfully_held_basis", under=under)
    yield from _people(one, "identity_assured_by", under=under)
    if not bounds.min_quality <= one.quality <= 1.0:
        yield f"{under}.quality", f"must lie between {bounds.min_quality} and 1"
    if one.captured_on > at.date():
        yield f"{under}.captured_on", "must not lie in the future"
    elif (at.date() - one.captured_on).days > bounds.max_image_age_d and _blank(one.age_reason):
        yield f"{under}.age_reason", f"is needed for a picture older than {bounds.max_image_age_d} days"
    yield from _source(one, under)
    for name in ("source_care", "age_reason"):
        if getattr(one, name) is not None:
            yield from _texts(one, name, under=under)


def _source(one: Picture, under: str) -> Iterator[Broken]:
    if one.source_type.needs_care and _blank(one.source_care):
        yield f"{under}.source_care", f"is needed for a picture from {one.source_type}"
    if one.source_type.shared_in and one.share is None:
        yield f"{under}.share", f"is needed for a picture from {one.source_type}: the serial of its share"
    if one.share is not None and not (one.source_type.shared_in and one.share >= 1):
        yield f"{under}.share", "is a serial, for a picture that another body gave"


def _times(entry: Entry, bounds: Bounds, at: datetime) -> Iterator[Broken]:
    yield from _texts(entry.status, "system", "reference", under="status")
    if not 1 <= entry.status.max_age_h <= bounds.max_status_age_h:
        yield "status.max_age_h", f"must be 1 to {bounds.max_status_age_h}"
    elif entry.status.stale_at <= at:
        yield "status.checked_at", f"must not be older than {entry.status.max_age_h} hours"
    if entry.status.checked_at > at:
        yield "status.checked_at", "must not lie in the future"
    if entry.expires_at <= at:
        yield "expires_at", "must lie in the future"


def tells_of(subject_ref: str, entry_id: str) -> bool:
    """Whether an entry's id is made of the subject's reference. One or two characters are in an id by chance: they
    must not be one of its words."""
    said = subject_ref.strip().lower()
    if len(said) < _TELLING_CHARS:
        return said != "" and (entry_id == said or said in entry_id.split("-")[1:])
    return said in entry_id


def is_sha256(text: str) -> bool:
    """Whether `text` is a SHA-256 in lower-case hex."""
    return _SHA256.fullmatch(text) is not None


def same_person(one: str, other: str) -> bool:
    """Whether two numbers are of one person: case and space around make no second one."""
    return one.strip().casefold() == other.strip().casefold()


def is_person(text: str) -> bool:
    """Whether `text` is a person's number in the organisation's records."""
    return _PERSON.fullmatch(text) is not None


def _people(of: object, *names: str, under: str = "") -> Iterable[Broken]:
    for name in names:
        if not is_person(str(getattr(of, name))):
            yield f"{under}.{name}" if under else name, "must be a person's number (letters, digits, . _ -)"


def _texts(of: object, *names: str, under: str = "") -> Iterable[Broken]:
    for name in names:
        text = str(getattr(of, name) or "")
        path = f"{under}.{name}" if under else name
        if _blank(text):
            yield path, "must not be empty"
        elif len(text) > _MAX_TEXT_CHARS or not is_one_line(text):
            yield path, f"must be one line of at most {_MAX_TEXT_CHARS} characters"


def _notes(of: object, name: str, under: str = "") -> Iterable[Broken]:
    yield from _texts(of, name, under=under)
    if 0 < len(str(getattr(of, name)).strip()) < _MIN_NOTE_CHARS:
        yield f"{under}.{name}" if under else name, f"must say why, in at least {_MIN_NOTE_CHARS} characters"


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()

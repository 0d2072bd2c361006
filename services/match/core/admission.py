"""Whether a list may be searched at all: two people sealed it, an authority names it, and bounds it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from services.contracts.errors import Permanent
from services.contracts.sealed.faults import Fault


class ListRefusal(StrEnum):
    """Why a list that lies in Redis is not searched; a metric label."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    ALTERED = "altered"
    NOT_SEALED = "not_sealed"
    OTHER_NAME = "other_name"
    OTHER_DIGEST = "other_digest"
    OTHER_MODEL = "other_model"
    OTHER_SCORE_KIND = "other_score_kind"
    TOO_MANY_ENTRIES = "too_many_entries"
    OUTSIDE_AUTHORITY = "outside_authority"
    COHORT_TOO_SMALL = "cohort_too_small"


_BY_FIELD = {
    "name": ListRefusal.OTHER_NAME,
    "digest": ListRefusal.OTHER_DIGEST,
    "model_id": ListRefusal.OTHER_MODEL,
    "score_kind": ListRefusal.OTHER_SCORE_KIND,
    "entries": ListRefusal.TOO_MANY_ENTRIES,
    "templates": ListRefusal.TOO_MANY_ENTRIES,
}


class NotAdmitted(Permanent):
    """A list that may not be searched. The text names fields, and parts by entry ids, which say nothing."""

    def __init__(self, why: ListRefusal, message: str) -> None:
        super().__init__(why, message)
        self.why = why


def admit(faults: Iterable[Fault]) -> None:
    """Raises NotAdmitted if a sealed list is outside its authority, for the first fault; names all the fields."""
    found = tuple(faults)
    if found:
        first = _BY_FIELD.get(found[0].field) if not found[0].entry else None
        named = dict.fromkeys(f"{one.field} [{one.control}]" for one in found)
        raise NotAdmitted(first or ListRefusal.OUTSIDE_AUTHORITY, f"outside the authority: {', '.join(named)}")

"""What review keeps, to JSON and back, as it is sealed into the durable Redis."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from services.review.core.case import Case
from services.review.core.folding import Seen

_CASE: TypeAdapter[Case] = TypeAdapter(Case)
_SEEN: TypeAdapter[Seen] = TypeAdapter(Seen)


def dump(case: Case) -> bytes:
    """The case: no pixels, no scores, people as tokens."""
    return _CASE.dump_json(case)


def load(raw: bytes) -> Case | None:
    """None for what another release of ours wrote in another form."""
    try:
        return _CASE.validate_json(raw)
    except ValidationError:
        return None


def dump_seen(seen: Seen) -> bytes:
    """What is remembered of an alert."""
    return _SEEN.dump_json(seen)


def load_seen(raw: bytes) -> Seen | None:
    """As `load`."""
    try:
        return _SEEN.validate_json(raw)
    except ValidationError:
        return None

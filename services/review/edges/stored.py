"""A case to JSON and back, as it lies in the durable Redis."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter

from services.review.core.case import Case
from services.review.core.folding import Seen

_CASE: TypeAdapter[Case] = TypeAdapter(Case)


def dump(case: Case) -> bytes:
    """The case, without anything that the store could not show an administrator."""
    return _CASE.dump_json(case)


def load(raw: bytes | str) -> Case:
    """Raises ValueError for what `dump` did not write."""
    return _CASE.validate_json(raw)


def seen(fields: Mapping[str, str]) -> Seen | None:
    """What is remembered of an alert, from its hash; None for an empty one."""
    if not fields:
        return None
    return Seen(
        version=int(fields["version"]),
        revision=int(fields["revision"]),
        case=fields["case"],
        position=(int(fields["partition"]), int(fields["offset"])),
    )

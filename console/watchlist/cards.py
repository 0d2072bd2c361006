"""Writes a `subject.yaml` to begin with into every folder of pictures that has none."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from console.edges.private_file import write_whole
from console.watchlist.contents import CARD, of_root, of_subject
from services.contracts.authorisation.enums import AgeBand, Category
from services.contracts.errors import Misconfigured
from services.contracts.file_names import one_form
from services.contracts.sealed.entry import SourceType
from services.contracts.sealed.rules import tells_of

_STATUS_AGE_H = 24


@dataclass(frozen=True)
class Common:
    """What all the new cards say: two people's numbers, when consent was asked for, until when they hold."""

    added_by: str
    approved_by: str
    checked_at: datetime
    expires_at: datetime


def write_missing(root: Path, common: Common) -> list[Path]:
    """The cards written; those that exist stay. Raises Misconfigured if there is no folder of pictures.

    A picture's date is its file's, for want of a better one: whoever runs this has to look at it.
    """
    folders = of_root(root).found
    if not folders:
        raise Misconfigured(f"{root}: holds no folder of a subject; make one a person, with pictures in it")
    written = []
    for folder in folders:
        path = folder / CARD
        if path.exists():
            continue
        taken = {one_form(one.name): _date(one) for one in of_subject(folder).found}
        reference = one_form(folder.name)
        write(path, volunteer(_entry_id(reference), reference, taken, common))
        written.append(path)
    return written


def write(path: Path, card: dict[str, Any]) -> None:
    """All of it or nothing: a card that is there is never written again. Raises OSError."""
    write_whole(path, yaml.safe_dump(card, sort_keys=False))


def volunteer(
    entry_id: str,
    subject_ref: str,
    taken: dict[str, date],
    common: Common,
    *,
    related: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """The card of somebody who agreed to be looked for: exercises have nobody else. `taken` by file name."""
    card: dict[str, Any] = {
        "entry_id": entry_id,
        "subject_ref": subject_ref,
        "category": Category.CONSENTING_VOLUNTEER.value,
        "legal_basis": "explicit consent, in writing",
        "necessity_note": "Walks past the cameras, so that it can be measured how often they are found.",
        "location_nexus": "Takes part in the exercise at this place.",
        "age_band": AgeBand.ADULT.value,
        "status": {
            "checked_at": common.checked_at,
            "max_age_h": _STATUS_AGE_H,
            "system": "consent forms",
            "reference": subject_ref,
        },
        "expires_at": common.expires_at,
        "added_by": common.added_by,
        "approved_by": common.approved_by,
        "all_pictures": {
            "source_type": SourceType.CONSENT.value,
            "source_system": "own pictures",
            "lawfully_held_basis": "given for the exercise, with consent",
            "identity_assured_by": common.added_by,
            "age_reason": "the newest that the volunteer gave",
        },
        "pictures": {name: {"captured_on": on, "source_reference": name} for name, on in taken.items()},
    }
    return card | ({"related_subjects": list(related)} if related else {})


def _entry_id(subject_ref: str) -> str:
    """One that says nothing of the subject, not even by chance."""
    while tells_of(subject_ref, found := f"e-{secrets.token_hex(4)}"):
        pass
    return found


def _date(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()

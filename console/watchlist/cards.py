"""Writes a `subject.yaml` to begin with into every folder of pictures that has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import yaml

from console.watchlist.folder import CARD
from services.contracts.errors import Misconfigured


@dataclass(frozen=True)
class Common:
    """What all the new cards say."""

    category: str
    source: str
    reason: str
    expires_on: date


def write_missing(root: Path, common: Common) -> list[Path]:
    """The cards written; those that exist stay. Raises Misconfigured if there is no folder of pictures.

    A picture's date is its file's, for want of a better one: whoever runs this has to look at it.
    """
    folders = sorted(one for one in root.iterdir() if one.is_dir() and not one.name.startswith("."))
    if not folders:
        raise Misconfigured(f"{root}: holds no folder of a subject; make one a person, with pictures in it")
    written = []
    for folder in folders:
        path = folder / CARD
        if path.exists():
            continue
        document = {
            "reference": folder.name,
            "category": common.category,
            "source": common.source,
            "reason": common.reason,
            "taken_on": {one.name: _date(one) for one in sorted(folder.iterdir()) if one.is_file()},
            "expires_on": common.expires_on,
        }
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        written.append(path)
    return written


def _date(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()

"""A draft as its author writes it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from console.authority.draft import SealedFacts
from console.authority.first_draft import FirstCamera, FirstList, Who, exercise
from services.contracts.authority import SourceKind
from services.contracts.events import ScoreKind

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
FACTS = {
    "deployment": "try-1",
    "id": "faces",
    "digest": hashlib.sha256(b"list").hexdigest(),
    "model": "sface-1",
    "score_kind": "raw",
    "thresholds": {1: 0.454, 3: 0.463},
}


def fields(**changes: Any) -> dict[str, Any]:
    """An exercise's first draft with one camera on the network."""
    return (
        exercise(
            "try-1",
            [FirstCamera("front", SourceKind.RTSP, host="10.0.0.21")],
            FirstList(id="faces", max_entries=100, score_kind=ScoreKind.RAW),
            who=Who(organisation="club", author="p-1", accountable_person="p-2"),
            papers="try-1.papers",
            now=NOON,
            lasts=timedelta(hours=4),
        )
        | changes
    )


def written(**changes: Any) -> str:
    return yaml.safe_dump(fields(**changes), sort_keys=False)


def digest_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def some_facts(**changes: Any) -> SealedFacts:
    return SealedFacts.read(FACTS | changes)

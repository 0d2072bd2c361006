"""A draft to begin with: everything a document must say, to be looked at field by field before anybody signs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.contracts.authorisation.enums import Category, ClockState, DocumentKind, Purpose, UseCase
from services.contracts.authority import SourceKind
from services.contracts.events import ScoreKind

POLICY_FILE = "policy.md"
# A square to be replaced by what was surveyed, in metres.
_SITE = [[0, 0], [40, 0], [40, 40], [0, 40]]
_ZONE = [[10, 10], [30, 10], [30, 30], [10, 30]]


@dataclass(frozen=True)
class FirstCamera:
    """A camera as the document knows it; `host` where it is on the network."""

    id: str
    source: SourceKind
    host: str | None = None


@dataclass(frozen=True, kw_only=True)
class FirstList:
    """The list to be: its id, caps, kind of score."""

    id: str
    max_entries: int
    score_kind: ScoreKind


@dataclass(frozen=True, kw_only=True)
class Who:
    """The organisation, who writes the document, who answers for it: numbers in its records, no names."""

    organisation: str
    author: str
    accountable_person: str


def exercise(
    deployment: str,
    cameras: Sequence[FirstCamera],
    watchlist: FirstList,
    *,
    who: Who,
    papers: str,
    now: datetime,
    lasts: timedelta,
    verification: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A draft for consenting people and nobody else, from now on. `papers` is the folder of `stubs`."""
    at = now.replace(microsecond=0)
    review_by = (at + timedelta(days=31)).date()
    return {
        "id": deployment,
        "version": 1,
        "organisation": who.organisation,
        "serial": 1,
        "accountable_person": who.accountable_person,
        "author": who.author,
        "created_at": at,
        "purpose": Purpose.EXERCISE.value,
        "use_case": UseCase.EXERCISE.value,
        "legal_basis": "Explicit consent, in writing, of everybody who is listed or filmed.",
        "policy": {"address": "https://example.org/exercise", "file": f"{papers}/{POLICY_FILE}"},
        "grounds": "Measure whether listed volunteers are found; dispatch nobody.",
        "alternatives_considered": "Recorded data sets do not show what this camera at this place does.",
        "assembly": False,
        "site": {
            "name": "The exercise's own ground",
            "origin_latitude": 0.0,
            "origin_longitude": 0.0,
            "polygon": _SITE,
            "grounds": "The volunteers walk here.",
            "review_by": review_by,
        },
        "cameras": [_camera(camera, who.organisation) for camera in cameras],
        "window": {"start": at, "end": at + lasts, "max_hours": math.ceil(lasts / timedelta(hours=1))},
        "watchlist": {
            "id": watchlist.id,
            "max_entries": watchlist.max_entries,
            # Entries are padded with fillers where a short list's scores are normalised.
            "max_templates": 2 * watchlist.max_entries,
            "categories": [Category.CONSENTING_VOLUNTEER.value],
            "age_bands": ["adult"],
            # No thresholds: they follow from fpir_budget and the list's size when it is built.
            "score_kind": watchlist.score_kind.value,
        },
        "fpir_budget": 0.001,
        "documents": [
            {"kind": kind.value, "id": f"exercise-{kind}", "file": f"{papers}/{kind}.md", "review_by": review_by}
            for kind in DocumentKind
        ],
        "clock": {
            "accepts": [state.value for state in ClockState],
            "reason": "An exercise on one machine: every time is told by one clock, whether it is right or not.",
        },
        "verification": dict(verification or {}),
    }


def stubs(deployment: str) -> dict[str, str]:
    """The papers of an exercise, by file name. Each says that it is none."""
    return {
        name: f"# {title}\n\nA stub for the exercise {deployment}, written by a program. It assesses nothing.\n"
        for name, title in (
            (POLICY_FILE, "Published policy"),
            *((f"{kind}.md", kind.replace("_", " ").capitalize()) for kind in DocumentKind),
        )
    }


def _camera(camera: FirstCamera, organisation: str) -> dict[str, Any]:
    found = {
        "id": camera.id,
        "owner": organisation,
        "controller": organisation,
        "source": camera.source.value,
        "zone": _ZONE,
    }
    return found | ({"host": camera.host} if camera.host else {})

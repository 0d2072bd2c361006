"""Sealed lists with real-looking values, their people and their keys, for every test that needs one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from hypothesis import settings

from services.contracts.authorisation.enums import AgeBand, Category
from services.contracts.codec import Sealing
from services.contracts.events import ScoreKind
from services.contracts.scoring import Floats, raw_scores
from services.contracts.sealed.bundle.read import open_draft
from services.contracts.sealed.bundle.write import write_draft, write_sealed
from services.contracts.sealed.draft import Draft, Plan, compose
from services.contracts.sealed.entry import Entry, Picture, SourceType, Status
from services.contracts.sealed.manifest import (
    Filling,
    Limits,
    Resolution,
    Threshold,
    file_sha256,
    template_sha256,
)
from services.contracts.sealed.rules import Bounds
from services.contracts.sealed.seal import Seal, seal, sign
from services.runtime.keys.cipher import AesGcm
from tests.builders import NOON, a_vector
from tests.unit.contracts.authorisation.builders import a_registry, key
from tests.unit.match.lists_builder import near

# A busy machine makes an example slow, not wrong.
BOUNDED = settings(max_examples=60, deadline=None)
MODEL = "sface-0123456789abcdef"
SIZE = 32
KEY = bytes(range(32))
FILLING = Filling(method="strangers-1", seed=1, stranger_mean=0.107, stranger_sd=0.092)
SEALING = Sealing("oxford-street-1/list/blue-list", KEY, AesGcm())


# Who signs lists, by the registry of the authority's tests.
MANAGER, OFFICER = key("liz"), key("olu")
REGISTRY = a_registry()


def a_picture(name: str = "one", **changes: Any) -> Picture:
    values: dict[str, Any] = {
        "image_sha256": file_sha256(f"file {name}".encode()),
        "shown_sha256": file_sha256(jpeg(name)),
        "template_sha256": template_sha256(a_vector(size=SIZE)),
        "captured_on": date(2024, 5, 1),
        "quality": 0.75,
        "source_type": SourceType.CUSTODY,
        "source_system": "custody records",
        "source_reference": "CR-2024-118822",
        "lawfully_held_basis": "taken on arrest, held under the custody image policy",
        "identity_assured_by": "p-clerk",
    }
    return Picture(**(values | changes))


def an_entry(entry_id: str = "e-1", **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "entry_id": entry_id,
        "subject_ref": f"NOMINAL/{entry_id.upper()}/7731",
        "category": Category.WANTED_ON_WARRANT,
        "legal_basis": "warrant of arrest, Westminster Magistrates",
        "necessity_note": "Four visits at known addresses since March did not find the person.",
        "location_nexus": "Works and was seen twice at the market beside the site.",
        "pictures": (a_picture(entry_id),),
        "status": Status(
            checked_at=NOON - timedelta(hours=2), max_age_h=24, system="national wanted index", reference="W-551"
        ),
        "expires_at": NOON + timedelta(days=3),
        "added_by": "p-officer",
        "approved_by": "p-sergeant",
        "age_band": AgeBand.ADULT,
    }
    return Entry(**(values | changes))


def bounds(**changes: Any) -> Bounds:
    return Bounds(**({"max_entries": 100, "max_templates": 300} | changes))


def a_plan(**changes: Any) -> Plan:
    values: dict[str, Any] = {
        "deployment": "oxford-street-1",
        "name": "blue-list",
        "model_id": MODEL,
        "score_kind": ScoreKind.GALLERY_NORMALISED,
        "cohort_size": 3,
        "cohort_weight": 0.5,
        "thresholds": (Threshold(shots=1, score=0.5), Threshold(shots=3, score=0.45)),
        "bounds": bounds(),
        "limits": Limits(same_person=0.4, alike=0.8),
        "created_at": NOON - timedelta(hours=1),
    }
    return Plan(**(values | changes))


def rows(seed: int, count: int = 2) -> Floats:
    """Templates of `count` pictures of one person."""
    first = a_vector(size=SIZE, seed=seed)
    return np.stack([first, *(near(first, 0.7, seed=1000 * seed + n) for n in range(1, count))])


def matched(entry: Entry, templates: Floats) -> Entry:
    """The entry with one picture for each of these templates."""
    pictures = tuple(
        replace(a_picture(f"{entry.entry_id} {n}"), template_sha256=template_sha256(row))
        for n, row in enumerate(templates)
    )
    return replace(entry, pictures=pictures)


def a_draft(
    *entries: Entry,
    templates: dict[str, Floats] | None = None,
    fillers: int = 3,
    resolutions: Sequence[Resolution] = (),
    **plan: Any,
) -> Draft:
    """A list of these entries (three by default), each with two pictures unless `templates` says otherwise."""
    listed = entries or tuple(an_entry(f"e-{n}") for n in (1, 2, 3))
    vectors = {one.entry_id: rows(number) for number, one in enumerate(listed, 11)} | (templates or {})
    made_up = [a_vector(size=SIZE, seed=n) for n in range(900, 900 + fillers)]
    return compose(
        a_plan(**({"filling": FILLING if fillers else None} | plan)),
        [matched(one, vectors[one.entry_id]) for one in listed],
        vectors,
        fillers=np.stack(made_up) if made_up else np.zeros((0, SIZE), np.float32),
        resolutions=resolutions,
        similarity=raw_scores,
    )


def two_signatures(draft: Draft) -> tuple[str, str]:
    return sign(draft.manifest, MANAGER, at=NOON), sign(draft.manifest, OFFICER, at=NOON)


def sealed(draft: Draft) -> Seal:
    return seal(draft, two_signatures(draft), similarity=raw_scores, registry=REGISTRY, now=NOON)


def jpeg(name: str) -> bytes:
    return f"\xff\xd8 the face of {name}".encode("latin-1")


def pictures(draft: Draft) -> dict[str, tuple[bytes, ...]]:
    return {
        one.entry_id: tuple(jpeg(f"{one.entry_id} {n}") for n in range(len(one.pictures)))
        for one in draft.manifest.entries
    }


def a_draft_file(draft: Draft) -> bytes:
    return write_draft(draft, pictures(draft), sealing=SEALING)


def a_bundle(draft: Draft) -> bytes:
    return write_sealed(open_draft(a_draft_file(draft)), sealed(draft), MANAGER, at=NOON)

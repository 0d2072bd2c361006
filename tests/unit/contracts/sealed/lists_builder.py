"""Sealed lists with real-looking values, their people and their keys, for every test that needs one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.authorisation.enums import AgeBand, Category
from services.contracts.codec import Sealing
from services.contracts.events import ScoreKind
from services.contracts.scoring import Floats, raw_scores
from services.contracts.sealed.bundle.write import write
from services.contracts.sealed.draft import Draft, Plan, compose
from services.contracts.sealed.entry import Entry, Picture, SourceType, Status
from services.contracts.sealed.manifest import Limits, Resolution, Threshold, file_sha256, template_sha256
from services.contracts.sealed.rules import Bounds
from services.contracts.sealed.seal import Role, Seal, Signature, seal, sign
from services.runtime.keys.cipher import AesGcm
from tests.builders import NOON, a_vector
from tests.unit.match.lists_builder import near

MODEL = "sface-0123456789abcdef"
SIZE = 32
KEY = bytes(range(32))
SEALING = Sealing("oxford-street-1/list/blue-list", KEY, AesGcm())


@dataclass(frozen=True)
class APerson:
    """Somebody with an Ed25519 key, made from their name."""

    person: str

    @property
    def key_id(self) -> str:
        return f"key-of-{self.person}"

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.person.encode().ljust(32, b"."))

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


MANAGER, APPROVER, AUDITOR = APerson("p-manager"), APerson("p-approver"), APerson("p-auditor")


@dataclass
class ARegistry:
    """Who holds which role, by real keys."""

    roles: dict[str, tuple[APerson, frozenset[Role]]] = field(
        default_factory=lambda: {
            MANAGER.key_id: (MANAGER, frozenset({Role.MANAGER})),
            APPROVER.key_id: (APPROVER, frozenset({Role.APPROVER})),
            AUDITOR.key_id: (AUDITOR, frozenset()),
        }
    )

    def person(
        self, *, key_id: str, role: Role, signed_at: datetime, message: bytes, signature: bytes
    ) -> str | None:
        if key_id not in self.roles:
            return None
        known, roles = self.roles[key_id]
        if role not in roles:
            return None
        try:
            known.private.public_key().verify(signature, message)
        except InvalidSignature:
            return None
        return known.person


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
        a_plan(**plan),
        [matched(one, vectors[one.entry_id]) for one in listed],
        vectors,
        fillers=np.stack(made_up) if made_up else np.zeros((0, SIZE), np.float32),
        resolutions=resolutions,
        similarity=raw_scores,
    )


def two_signatures(draft: Draft) -> tuple[Signature, Signature]:
    return (
        sign(draft.manifest, MANAGER, Role.MANAGER, at=NOON),
        sign(draft.manifest, APPROVER, Role.APPROVER, at=NOON),
    )


def sealed(draft: Draft) -> Seal:
    return seal(draft, two_signatures(draft), similarity=raw_scores, verifier=ARegistry(), at=NOON)


def jpeg(name: str) -> bytes:
    return f"\xff\xd8 the face of {name}".encode("latin-1")


def pictures(draft: Draft) -> dict[str, tuple[bytes, ...]]:
    return {
        one.entry_id: tuple(jpeg(f"{one.entry_id} {n}") for n in range(len(one.pictures)))
        for one in draft.manifest.entries
    }


def a_bundle(draft: Draft) -> bytes:
    return write(draft, sealed(draft), pictures(draft), sealing=SEALING, signer=MANAGER, at=NOON)

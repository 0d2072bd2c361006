"""The towns' lists: drafted, sealed by two people and loaded, as the operator does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from pydantic import SecretStr

from services.contracts import keys
from services.contracts.authorisation.registry import Registry
from services.contracts.codec import Sealing
from services.contracts.events import ScoreKind, Vector
from services.contracts.ids import subject_token
from services.contracts.scoring import raw_scores
from services.contracts.sealed.bundle.read import open_bundle, open_draft
from services.contracts.sealed.bundle.write import write_draft, write_sealed
from services.contracts.sealed.manifest import Limits, Threshold
from services.contracts.sealed.seal import seal, sign
from services.runtime.keys.cipher import AesGcm
from services.runtime.redis_client import connect
from tests import sealed
from tests.builders import a_vector
from tests.integration.match.world import World
from tests.unit.contracts.authorisation.builders import key
from tests.unit.contracts.sealed.lists_builder import SIZE, pictures

# Seeds of people who are not alike: 32 dimensions are few.
PEOPLE: dict[str, Vector] = {
    name: a_vector(size=SIZE, seed=seed) for seed, name in enumerate(("anna", "berta", "clara"), start=28)
}
STRANGER: dict[str, Vector] = {"dora": a_vector(size=SIZE, seed=31)}
# Not the officer who authorises: an attack revokes that one's key, and it is the authority that must fall with it.
_MANAGER, _OFFICER = key("liz"), key("pat")


class SealedList:
    """A list of a deployment, written at once: its digest is what is signed for. `plan` is how it is sealed."""

    def __init__(self, world: World, people: Mapping[str, Vector] = PEOPLE, **plan: Any) -> None:
        self._world = world
        templates = {name: np.stack([row]) for name, row in people.items()}
        values: dict[str, Any] = {
            "deployment": world.deployment,
            "score_kind": ScoreKind.RAW,
            "thresholds": (Threshold(shots=1, score=0.5),),
            "limits": Limits(same_person=0.4, alike=0.45),
            "fillers": 0,
        }
        self._draft = sealed.a_current_draft(templates, now=datetime.now(UTC), **(values | plan))

    @property
    def digest(self) -> str:
        return str(self._draft.manifest.digest)

    @property
    def score_kind(self) -> str:
        return str(self._draft.manifest.head.score_kind)

    def load(self, registry: Registry) -> None:
        """Seal it and put it where match looks. After the authority was signed: its keys are that one's."""
        spec, at = keys.watchlist(self._world.authority), datetime.now(UTC)
        sealing = Sealing(spec.id, self._world.ring.mint(spec), AesGcm())
        signatures = [sign(self._draft.manifest, signer, at=at) for signer in (_MANAGER, _OFFICER)]
        made = seal(self._draft, signatures, similarity=raw_scores, registry=registry, now=at)
        contents = open_draft(write_draft(self._draft, pictures(self._draft), sealing=sealing))
        bundle = open_bundle(write_sealed(contents, made, _MANAGER, at=at), registry=registry, now=at)
        with connect(SecretStr(self._world.durable_url), client_name="test") as client:
            sealed.load(client, bundle, until=self._world.authority.purge_at)

    def tokens(self) -> frozenset[str]:
        """Who is on it, as alerts name them."""
        own = self._world.ring.mint(keys.deployment(self._world.authority))
        return frozenset(subject_token(own, entry.subject_ref) for entry in self._draft.manifest.entries)

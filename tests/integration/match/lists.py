"""Lists of the worlds' deployments: drafted, sealed by two people and loaded, as the operator does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import redis

from services.contracts import keys
from services.contracts.authorisation.registry import Registry
from services.contracts.codec import Sealing
from services.contracts.events import ScoreKind, Vector
from services.contracts.ids import SubjectToken, subject_token
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.manifest import Limits, Threshold
from services.runtime.keys.cipher import AesGcm
from tests import sealed
from tests.builders import a_vector
from tests.integration.match.world import World
from tests.unit.contracts.authorisation.builders import key
from tests.unit.contracts.sealed.lists_builder import SIZE

# Seeds of people who are not alike: 32 dimensions are few.
PEOPLE: dict[str, Vector] = {
    name: a_vector(size=SIZE, seed=seed) for seed, name in enumerate(("anna", "berta", "clara"), start=28)
}
# Not the officer who authorises: an attack revokes that one's key, and it is the authority that must fall with it.
_OFFICER = key("pat")


class SealedList:
    """A list of a deployment, written at once: its digest is what is signed for. `plan` is how it is sealed."""

    def __init__(
        self, world: World, people: Mapping[str, Vector] = PEOPLE, *, entries: Sequence[Entry] = (), **plan: Any
    ) -> None:
        self._world = world
        templates = {name: np.stack([row]) for name, row in people.items()}
        values: dict[str, Any] = {
            "deployment": world.deployment,
            "score_kind": ScoreKind.RAW,
            "thresholds": (Threshold(shots=1, score=0.5),),
            "limits": Limits(same_person=0.4, alike=0.45),
            "fillers": 0,
        }
        self.draft = sealed.a_current_draft(templates, now=datetime.now(UTC), entries=entries, **(values | plan))

    @property
    def digest(self) -> str:
        return str(self.draft.manifest.digest)

    @property
    def score_kind(self) -> str:
        return str(self.draft.manifest.head.score_kind)

    def load(self, registry: Registry) -> None:
        """Seal it and put it where match looks. After the authority was signed: its keys are that one's."""
        spec = keys.watchlist(self._world.authority)
        sealing = Sealing(spec.id, self._world.ring.mint(spec), AesGcm())
        bundle = sealed.sealed_up(
            self.draft, sealing=sealing, registry=registry, at=datetime.now(UTC), officer=_OFFICER
        )
        sealed.load(self._world.durable, bundle, until=self._world.authority.purge_at)

    def token(self, name: str) -> SubjectToken:
        """Somebody on it, as alerts name them."""
        own = self._world.ring.mint(keys.deployment(self._world.authority))
        return subject_token(own, self.draft.manifest.by_id[name].subject_ref)

    def tokens(self) -> frozenset[str]:
        """Everybody on it."""
        return frozenset(self.token(entry.entry_id) for entry in self.draft.manifest.entries)


def signed_for(world: World, people: Mapping[str, Vector] = PEOPLE, **options: Any) -> SealedList:
    """A list of these people, which an authority names that is ACTIVE from now on; not loaded yet."""
    listed = SealedList(world, people, **options)
    world.sign_for(listed.digest)
    return listed


def searched(world: World, people: Mapping[str, Vector] = PEOPLE, **options: Any) -> SealedList:
    """As `signed_for`, and loaded."""
    listed = signed_for(world, people, **options)
    listed.load(world.signed.registry)
    return listed


def put_in_place_of(durable: redis.Redis, wrong: str, right: str) -> None:
    """Whatever lies in Redis under the one's digest now lies under the other's."""
    names = list(durable.scan_iter(f"*{wrong}*"))
    assert names, "nothing of that list is in Redis"
    for name in names:
        durable.copy(name, name.replace(wrong.encode(), right.encode()), replace=True)

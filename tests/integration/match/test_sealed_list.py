"""A sealed list part by part in real Redis: searched whole, refused when anything of it is not as sealed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from services.contracts import keys, lists
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.registry import Registry
from services.contracts.authority import Window
from services.contracts.codec import Sealing
from services.contracts.errors import Transient
from services.contracts.events import ScoreKind
from services.contracts.ids import subject_token
from services.contracts.sealed import likeness
from services.contracts.sealed.draft import Draft
from services.match.core.admission import ListRefusal, NotAdmitted
from services.match.edges.keys_ring import RingKeys
from services.match.edges.list_redis import ListGone, RedisLists
from services.runtime.clock import SystemClock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.ring import Keyring
from services.runtime.redis_client import connect
from tests import sealed
from tests.builders import NOON
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys
from tests.integration.match.lists import put_in_place_of
from tests.unit.contracts.authorisation.builders import a_registered_key, a_registry
from tests.unit.contracts.sealed.lists_builder import REGISTRY, a_draft
from tests.unit.contracts.sealed.test_terms import an_authority as a_document
from tests.unit.match.rig import an_authority


class Shelf:
    """A durable Redis, its key store, an authority for one list, and the operator's hand."""

    def __init__(self, client: redis.Redis, folder: Path, draft: Draft, **terms: Any) -> None:
        now = datetime.now(UTC)
        self.client, self.draft = client, draft
        self.bounds = an_authority().model_copy(update={"window": Window(start=now, end=now + timedelta(hours=1))})
        clock = SystemClock()
        self.keys = RingKeys(Keyring(FakeKeys(clock), FolderKeys(folder, clock), clock))
        self.registry: Registry | None = REGISTRY
        self.document: Document = a_document(draft.manifest, **terms)
        self.deployment_key = self.keys.mint(keys.deployment(self.bounds))
        self.store = RedisLists(
            client,
            self.bounds,
            self.document,
            self.keys,
            AesGcm(),
            registry=lambda: self.registry,
            clock=ManualClock(NOON),
        )

    @property
    def digest(self) -> str:
        return self.draft.manifest.digest

    def put(self) -> None:
        spec = keys.watchlist(self.bounds)
        sealing = Sealing(spec.id, self.keys.mint(spec), AesGcm())
        bundle = sealed.sealed_up(self.draft, sealing=sealing, registry=REGISTRY, at=NOON)
        assert sealed.load(self.client, bundle, until=self.bounds.purge_at) == self.digest
        if self.document.watchlist.digest != self.digest:
            put_in_place_of(self.client, self.digest, self.document.watchlist.digest)

    def name(self, part: str) -> str:
        return lists.part(self.bounds.deployment, self.digest, part)

    def refused(self) -> ListRefusal:
        with pytest.raises(NotAdmitted) as refused:
            self.store.load()
        return refused.value.why


@pytest.fixture
def client(redis_durable: str) -> Iterator[redis.Redis]:
    with connect(SecretStr(redis_durable), client_name="test") as client:
        yield client


@pytest.fixture
def shelf(client: redis.Redis, tmp_path: Path) -> Shelf:
    return Shelf(client, tmp_path / "keys", a_draft())


def test_a_sealed_list_is_searched_as_it_was_sealed(shelf: Shelf) -> None:
    assert not shelf.store.there()
    shelf.put()
    assert shelf.store.there()
    matrix = shelf.store.load()
    assert (matrix.rows == likeness.fused(shelf.draft.templates, shelf.draft.fillers)).all()
    assert matrix.digest == shelf.digest
    tokens = [subject_token(shelf.deployment_key, one.subject_ref) for one in shelf.draft.manifest.entries]
    assert list(matrix.tokens[:3]) == tokens


def test_all_of_it_expires_with_its_key_and_nothing_lies_there_in_clear(shelf: Shelf) -> None:
    shelf.put()
    names = shelf.client.keys("list:*")
    assert isinstance(names, list)
    assert len(names) == 1 + len(shelf.draft.manifest.entries) * 3 + 3
    for name in names:
        assert int(str(shelf.client.pttl(name))) > 0
        found = shelf.client.get(name)
        assert isinstance(found, bytes)
        for word in (b"NOMINAL", b"warrant", b"W-551", b"p-officer"):
            assert word not in found


@pytest.mark.parametrize("part", ["head", "cohort", "entry e-2", "templates e-2", "fillers"])
@pytest.mark.parametrize("what", ["altered", "moved", "missing"])
def test_one_byte_that_is_not_as_sealed_is_found_and_its_part_named(shelf: Shelf, part: str, what: str) -> None:
    shelf.put()
    found = shelf.client.get(shelf.name(part))
    assert isinstance(found, bytes)
    if what == "missing":
        shelf.client.delete(shelf.name(part))
    else:
        other = shelf.client.get(shelf.name("templates e-3"))
        assert isinstance(other, bytes)
        middle = len(found) // 2
        flipped = found[:middle] + bytes([found[middle] ^ 1]) + found[middle + 1 :]
        shelf.client.set(shelf.name(part), flipped if what == "altered" else other)
    with pytest.raises(NotAdmitted, match=part) as refused:
        shelf.store.load()
    assert refused.value.why is ListRefusal.ALTERED


def test_a_front_with_an_altered_byte_is_none(shelf: Shelf) -> None:
    shelf.put()
    name = lists.front(shelf.bounds.deployment, shelf.digest)
    front = shelf.client.get(name)
    assert isinstance(front, bytes)
    shelf.client.set(name, front[:-3] + bytes([front[-3] ^ 1]) + front[-2:])
    assert shelf.refused() is ListRefusal.ALTERED


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"digest": "0" * 64}, ListRefusal.OTHER_DIGEST),
        ({"deployment": "other-street-1"}, ListRefusal.OUTSIDE_AUTHORITY),
        ({"id": "red-list"}, ListRefusal.OTHER_NAME),
        ({"model": "other"}, ListRefusal.OTHER_MODEL),
        ({"score_kind": ScoreKind.RAW}, ListRefusal.OTHER_SCORE_KIND),
        ({"thresholds": {1: 0.45, 3: 0.45}}, ListRefusal.OUTSIDE_AUTHORITY),
        ({"max_entries": 2}, ListRefusal.TOO_MANY_ENTRIES),
        ({"max_templates": 5}, ListRefusal.TOO_MANY_ENTRIES),
        ({"categories": ["missing_at_risk"]}, ListRefusal.OUTSIDE_AUTHORITY),
    ],
    ids=str,
)
def test_a_list_outside_its_authority_is_refused(
    client: redis.Redis, tmp_path: Path, terms: dict[str, Any], why: ListRefusal
) -> None:
    shelf = Shelf(client, tmp_path / "keys", a_draft(), **terms)
    shelf.put()
    assert shelf.refused() is why


def test_when_a_key_that_sealed_it_is_revoked_the_list_is_void(shelf: Shelf) -> None:
    shelf.put()
    shelf.store.load()
    shelf.store.recheck()
    revoked = a_registered_key("olu", revoked_at=NOON - timedelta(minutes=1))
    shelf.registry = a_registry(revoked, without=["olu"], sequence=2)
    with pytest.raises(NotAdmitted) as refused:
        shelf.store.recheck()
    assert refused.value.why is ListRefusal.NOT_SEALED
    assert shelf.refused() is ListRefusal.NOT_SEALED


def test_without_a_registry_nothing_is_searched_and_it_is_asked_again(shelf: Shelf) -> None:
    shelf.put()
    shelf.registry = None
    with pytest.raises(Transient, match="registry"):
        shelf.store.load()


def test_a_list_whose_key_is_gone_is_gone(shelf: Shelf) -> None:
    shelf.put()
    shelf.keys.destroy([keys.watchlist(shelf.bounds)])
    with pytest.raises(ListGone):
        shelf.store.load()


def test_a_store_that_is_away_is_asked_again(tmp_path: Path) -> None:
    with connect(SecretStr("redis://127.0.0.1:1"), client_name="test") as client:
        store = Shelf(client, tmp_path / "keys", a_draft()).store
        for call in (store.there, store.load):
            with pytest.raises(Transient):
                call()

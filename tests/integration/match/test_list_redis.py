"""The list's store on real Redis: whole, missing, without its key, altered, away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from services.contracts import keys, lists
from services.contracts.authority import Window
from services.contracts.codec import Sealing
from services.contracts.errors import Tampered, Transient
from services.match.edges.keys_ring import RingKeys
from services.match.edges.list_redis import ListGone, RedisLists
from services.runtime.clock import SystemClock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.ring import Keyring
from services.runtime.redis_client import connect
from tests import old_lists
from tests.fakes.keys import FakeKeys
from tests.unit.contracts.authorisation.builders import a_document
from tests.unit.match.lists_builder import a_gallery, a_subject
from tests.unit.match.rig import an_authority


class Shelf:
    """A store, its keys, and the operator's hand."""

    def __init__(self, client: redis.Redis, folder: Path) -> None:
        now = datetime.now(UTC)
        self.client = client
        self.authority = an_authority().model_copy(
            update={"window": Window(start=now, end=now + timedelta(hours=1))}
        )
        clock = SystemClock()
        self.folder = FolderKeys(folder, clock)
        self.keys = RingKeys(Keyring(FakeKeys(clock), self.folder, clock))
        self.store = RedisLists(
            client, self.authority, a_document(), self.keys, AesGcm(), registry=lambda: None, clock=clock
        )

    def put(self, *references: str) -> str:
        gallery = a_gallery(*(a_subject(one) for one in references))
        spec = keys.watchlist(self.authority)
        sealing = Sealing(spec.id, self.keys.mint(spec), AesGcm())
        old_lists.write(self.client, self.authority, gallery, sealing)
        return gallery.digest


@pytest.fixture
def shelf(redis_durable: str, tmp_path: Path) -> Iterator[Shelf]:
    with connect(SecretStr(redis_durable), client_name="test") as client:
        yield Shelf(client, tmp_path / "keys")


def test_the_newest_list_is_current_and_opens(shelf: Shelf) -> None:
    assert shelf.store.digest() is None
    first, second = shelf.put("ref-1"), shelf.put("ref-1", "ref-2")
    assert shelf.store.digest() == second
    assert shelf.store.load(second).subjects == 2
    # What an alert of the first list refers to can still be shown.
    assert shelf.store.load(first).subjects == 1


def test_a_list_that_is_not_there_is_gone(shelf: Shelf) -> None:
    shelf.put("ref-1")
    with pytest.raises(ListGone):
        shelf.store.load("0" * 64)


def test_a_list_whose_key_was_destroyed_is_gone(shelf: Shelf) -> None:
    digest = shelf.put("ref-1")
    shelf.keys.destroy([keys.watchlist(shelf.authority)])
    with pytest.raises(ListGone):
        shelf.store.load(digest)


def test_one_list_put_in_anothers_place_does_not_open(shelf: Shelf) -> None:
    first, second = shelf.put("ref-1"), shelf.put("ref-2")
    name = shelf.authority.deployment
    moved = shelf.client.get(lists.templates(name, first))
    assert isinstance(moved, bytes)
    shelf.client.set(lists.templates(name, second), moved)
    with pytest.raises(Tampered):
        shelf.store.load(second)


def test_a_store_that_is_away_is_transient(tmp_path: Path) -> None:
    with connect(SecretStr("redis://127.0.0.1:1"), client_name="test") as client:
        store = Shelf(client, tmp_path / "keys").store
        for call in (store.digest, lambda: store.load("0" * 64)):
            with pytest.raises(Transient):
                call()

"""A process's part in a purge, on real stores: everything of its deployment goes, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from services.contracts import keys, topics
from services.contracts.authorisation.purging import Holder, PurgeAnswer, PurgeAnswered, What
from services.contracts.authorisation.signing import take_apart, unchecked_payload
from services.runtime.clock import SystemClock
from services.runtime.kafka.types import Output
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.purging import Purge, Share, Stores, Values, look
from services.runtime.redis_client import connect
from tests.contracts.key_store import HOUR
from tests.unit.contracts.authorisation import builders as b

CLOCK = SystemClock()
IN_VOLATILE = ("epoch/1", "epoch/2", "face/a")
IN_STORE = ("alert/20261122T10", "evidence", "list/blue", "deployment", "audit/token", "review", "past/case/1")


class Ground:
    """Both stores with the keys of two deployments, a list's parts and pictures. One thread."""

    def __init__(self, volatile: redis.Redis, durable: redis.Redis, folder: Path) -> None:
        self.durable = durable
        self.volatile = VolatileKeys(volatile, CLOCK)
        self.store = FolderKeys(folder, CLOCK)
        self.answers: list[PurgeAnswer] = []
        self.undelivered = 0
        self.fill("town")
        self.fill("city")

    def fill(self, deployment: str) -> None:
        until = CLOCK.now() + HOUR
        for store, names in ((self.volatile, IN_VOLATILE), (self.store, IN_STORE)):
            for one in names:
                store.get_or_create(f"{deployment}/{one}", expires_at=until)
        for number in range(3):
            self.durable.set(f"list:{deployment}:digest:part:{number}", b"sealed", ex=60)
        self.durable.set(f"pictures:{{{deployment}}}:one", b"sealed", ex=60)
        self.durable.set(f"pictures:{{{deployment}}}:two", b"held", ex=60)

    @property
    def stores(self) -> Stores:
        return Stores(self.volatile, self.store, self.durable)

    @property
    def share(self) -> Share:
        return Share(
            Holder.REVIEW,
            "town",
            "one",
            [
                Values(What.LIST_PARTS, "list:town:"),
                Values(What.PICTURES, "pictures:{town}:", lambda value: value == b"held"),
            ],
            lambda durable: self.undelivered,
        )

    def purge(self) -> Purge:
        return Purge(self.share, self.stores, self._take, CLOCK, key=b.key("review"))

    def left(self, deployment: str) -> int:
        found = sum(len(store.lives_s(f"{deployment}/")) for store in (self.volatile, self.store))
        return found + len([*self.durable.scan_iter(match=f"*{deployment}*")])

    def _take(self, output: Output) -> None:
        assert output.topic == topics.PURGES.name
        said = PurgeAnswered.from_canonical(unchecked_payload(take_apart((output.value or b"").decode())))
        self.answers.append(said.answer)


@pytest.fixture
def ground(redis_volatile: str, redis_durable: str, tmp_path: Path) -> Iterator[Ground]:
    with (
        connect(SecretStr(redis_volatile), client_name="tests") as volatile,
        connect(SecretStr(redis_durable), client_name="tests") as durable,
    ):
        yield Ground(volatile, durable, tmp_path / "keys")


def test_everything_of_the_deployment_goes_and_nothing_of_another(ground: Ground) -> None:
    before = ground.left("city")
    answer = ground.purge().obey(2, 7)
    assert answer == ground.answers[0]
    assert (answer.version, answer.order, answer.clean, answer.held) == (2, 7, True, 1)
    assert answer.destroyed == {
        What.EPOCH_KEYS: 2,
        What.FACE_KEYS: 1,
        What.ALERT_KEYS: 1,
        What.EVIDENCE_KEYS: 1,
        What.LIST_KEYS: 1,
        What.OTHER_KEYS: 4,
        What.LIST_PARTS: 3,
        What.PICTURES: 1,
    }
    assert ground.left("town") == 1, "the pictures that are held"
    assert ground.left("city") == before


def test_every_key_that_there_is_goes(ground: Ground) -> None:
    """A kind of key that nobody added to the list of what is purged would outlive it."""
    prefixes = [prefix for _, _, prefix in keys.purged("town")]
    for one in (*IN_VOLATILE, *IN_STORE):
        assert any(f"town/{one}".startswith(prefix) for prefix in prefixes), one
    assert not any(keys.held_of("town").startswith(prefix) for prefix in prefixes)


def test_what_somebody_else_wrote_in_between_goes_with_the_rest(ground: Ground) -> None:
    """A value of another type under one of our names would have held up the purge for good."""
    ground.durable.rpush("pictures:{town}:three", "mine")
    ground.durable.hset("list:town:digest:part:9", "mine", "mine")
    answer = ground.purge().obey(2, 7)
    assert (answer.clean, answer.destroyed[What.PICTURES], answer.destroyed[What.LIST_PARTS]) == (True, 2, 4)
    assert ground.left("town") == 1, "the pictures that are held"


def test_done_twice_it_finds_nothing(ground: Ground) -> None:
    ground.purge().obey(1, 5)
    again = ground.purge().obey(1, 6)
    assert (again.destroyed, again.clean, again.held) == ({}, True, 1)


def test_a_look_says_what_there_is_and_destroys_nothing(ground: Ground) -> None:
    before = ground.left("town")
    assert sum(look(ground.share, ground.stores).values()) == before - 1, "but what is held"
    assert ground.left("town") == before


def test_what_is_not_delivered_keeps_a_holder_from_being_done(ground: Ground) -> None:
    ground.undelivered = 2
    assert ground.purge().obey(1, 5).left == {What.UNDELIVERED: 2}


def test_a_stop_destroys_the_parts_of_frames_keys_and_leaves_the_rest(ground: Ground) -> None:
    assert ground.purge().shed() == 2
    assert len(ground.volatile.lives_s("town/")) == 1
    assert len(ground.store.lives_s("town/")) == len(IN_STORE)
    assert len(ground.volatile.lives_s("city/epoch/")) == 2


def test_a_held_case_has_a_key_that_no_purge_takes(ground: Ground) -> None:
    key_id = f"{keys.held_of('town')}c0ffee/20261201T000000"
    key = ground.store.get_or_create(key_id, expires_at=CLOCK.now() + timedelta(days=1))
    ground.purge().obey(1, 5)
    assert ground.store.get(key_id) == key

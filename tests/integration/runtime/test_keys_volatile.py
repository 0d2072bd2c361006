"""Keys in a real Redis: Valkey from the package, and the oldest Redis we promise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from pydantic import SecretStr

from services.contracts.errors import Transient
from services.runtime.clock import SystemClock
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.redis_client import connect
from tests.contracts.key_store import HOUR, Bench, KeyStoreContract
from tests.support import eventually


@pytest.fixture
def client(redis_volatile: str) -> Iterator[redis.Redis]:
    with connect(SecretStr(redis_volatile), client_name="tests") as client:
        yield client


def a_bench(client: redis.Redis) -> Bench:
    # Redis keeps its own time: nothing to push, the test waits for the effect.
    return Bench(VolatileKeys(client, SystemClock()), SystemClock(), lambda seconds: None)


class TestVolatileKeysOnValkey(KeyStoreContract):
    threads = 8

    @pytest.fixture
    def bench(self, client: redis.Redis) -> Bench:
        return a_bench(client)


class TestVolatileKeysOnTheOldestRedis(KeyStoreContract):
    threads = 8

    @pytest.fixture
    def bench(self, redis_floor: str) -> Iterator[Bench]:
        with connect(SecretStr(redis_floor), client_name="tests") as client:
            yield a_bench(client)


def test_an_expired_key_leaves_nothing_in_redis(client: redis.Redis) -> None:
    clock = SystemClock()
    VolatileKeys(client, clock).get_or_create("a/1", expires_at=clock.now() + HOUR / 36000)
    eventually(lambda: client.dbsize() == 0, "Redis to be empty", within_s=3)


def test_a_full_store_is_transient_because_keys_expire(client: redis.Redis) -> None:
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(Transient, match="OutOfMemory"):
            VolatileKeys(client, SystemClock()).get_or_create("a/1", expires_at=SystemClock().now() + HOUR)
    finally:
        client.config_set("maxmemory", "0")


def test_a_store_that_is_away_is_transient() -> None:
    nowhere = connect(SecretStr("redis://127.0.0.1:1/0"), client_name="tests")
    with pytest.raises(Transient, match="did not answer"):
        VolatileKeys(nowhere, SystemClock()).get_many(["a/1"])
    nowhere.close()

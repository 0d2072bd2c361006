"""Keys in a real Redis: Valkey from the package, and the oldest Redis we promise."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier

import pytest
import redis
from pydantic import SecretStr

from services.contracts import keys
from services.contracts.authority import Authority
from services.contracts.errors import Transient
from services.runtime.clock import SystemClock
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.ring import Keyring
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.redis_client import connect
from tests.builders import an_authority_of
from tests.contracts.key_store import HOUR, Bench, KeyStoreContract
from tests.reliability.scan.needles import Search, forms
from tests.reliability.scan.places import Place
from tests.support import eventually

EPOCHS = 20
EPOCH = timedelta(seconds=15)
# Two processes on a busy machine.
MET_WITHIN_S = 30.0


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


def test_what_a_full_store_refuses_is_nowhere_in_the_error(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline's own error repeats the command that failed, and the key with it."""
    fresh = b"0123456789abcdef0123456789abcdef"
    monkeypatch.setattr("services.runtime.keys.volatile.secrets.token_bytes", lambda size: fresh)
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(Transient, match="OutOfMemory") as raised:
            VolatileKeys(client, SystemClock()).get_or_create_many({"a/1": SystemClock().now() + HOUR})
    finally:
        client.config_set("maxmemory", "0")
    assert fresh.decode() not in "".join(traceback.format_exception(raised.value))


def test_a_store_that_is_away_is_transient() -> None:
    nowhere = connect(SecretStr("redis://127.0.0.1:1/0"), client_name="tests")
    with pytest.raises(Transient, match="did not answer"):
        VolatileKeys(nowhere, SystemClock()).get("a/1")
    nowhere.close()


def an_exercise(now: datetime) -> Authority:
    return an_authority_of(
        f"""
        deployment: two-ingests
        use_case: exercise
        purpose: exercise
        cameras: [{{id: gate-1, source: file, address: /film.mp4}}]
        window: {{start: "{now.isoformat()}", end: "{(now + HOUR).isoformat()}"}}
        watchlist: {{name: blue, max_entries: 10, score_kind: raw, thresholds: {{1: 0.4}}}}
        """
    )


def mint(url: str, folder: Path, authority: Authority, at_once: Barrier) -> list[bytes]:
    """One ingest's part, in a process of its own."""
    clock = SystemClock()
    with connect(SecretStr(url), client_name="tests") as client:
        ring = Keyring(VolatileKeys(client, clock), FolderKeys(folder, clock), clock)
        minted = []
        for epoch in range(EPOCHS):
            at_once.wait(MET_WITHIN_S)
            minted.append(ring.mint(keys.frame(authority, authority.window.start + epoch * EPOCH)))
        return minted


def test_two_processes_that_mint_at_once_end_with_one_key(redis_volatile: str, tmp_path: Path) -> None:
    """Two ingests on the border of an epoch: whoever loses the race must not seal under a key nobody else has."""
    authority = an_exercise(SystemClock().now())
    apart = get_context("spawn")
    with apart.Manager() as manager, ProcessPoolExecutor(2, mp_context=apart) as both:
        share = redis_volatile, tmp_path / "keys", authority, manager.Barrier(2)
        first, second = (one.result() for one in [both.submit(mint, *share), both.submit(mint, *share)])
    assert first == second
    assert len(set(first)) == EPOCHS


@pytest.mark.parametrize("server", ["redis_volatile", "redis_floor"])
def test_a_key_that_was_deleted_or_has_expired_is_nowhere_in_the_servers_memory(
    server: str, request: pytest.FixtureRequest
) -> None:
    """A freed value stayed in the server's memory until something else took it, for hours perhaps."""
    clock = SystemClock()
    with connect(SecretStr(request.getfixturevalue(server)), client_name="tests") as client:
        pid = int(client.info("server")["process_id"])
        store = VolatileKeys(client, clock)
        deleted = [f"d/face/{number:032x}" for number in range(100)]
        expired = [f"d/epoch/{number}" for number in range(100)]
        soon = clock.now() + timedelta(seconds=1)
        made = [store.get_or_create(one, expires_at=clock.now() + HOUR) for one in deleted]
        made += [store.get_or_create(one, expires_at=soon) for one in expired]
        assert [store.get(one) for one in (*deleted, *expired)] == made
        search = Search(needle for key in made for needle in forms("a key", key))
        assert _found(pid, search) >= len(made), "a live key was not found: the search sees nothing"
        eventually(lambda: client.dbsize() == len(deleted), "keys to expire", within_s=5)
        for one in deleted:
            store.destroy(one)
        store.scrub()
    assert _found(pid, search) == 0


def _found(pid: int, search: Search) -> int:
    return sum(1 for _, stream in Place("redis", pids=[pid]).streams() for _ in search.through(stream))

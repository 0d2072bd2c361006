"""Two kinds of Redis: one forgets, one keeps what it acknowledged; neither logs what it was told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import redis

from console.stack.errors import ChildDiedError
from console.stack.redis_server import RedisServer


def test_the_volatile_redis_forgets_everything_when_it_is_killed(tmp_path: Path) -> None:
    with RedisServer("volatile", tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("key", "value")
        server.kill()
        server.restart()
        assert client.get("key") is None


def test_the_volatile_redis_writes_no_value_to_the_disk(tmp_path: Path) -> None:
    with RedisServer("volatile", tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("key", "a-secret-value")
    on_disk = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(on_disk) == ["redis.conf", "redis.log"]
    assert "a-secret-value" not in (tmp_path / "redis.log").read_text()


def test_the_durable_redis_keeps_an_acknowledged_write_over_a_kill(tmp_path: Path) -> None:
    with RedisServer("durable", tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("case", "open")
        server.kill()
        server.restart()
        assert client.get("case") == b"open"


def test_neither_evicts_nor_keeps_a_log_of_commands(redis_volatile: str, redis_durable: str) -> None:
    for url in (redis_volatile, redis_durable):
        with redis.Redis.from_url(url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            limits = client.config_get("commandlog-*")
            assert set(limits.values()) >= {"-1"}
            assert client.config_get("slowlog-log-slower-than") == {"slowlog-log-slower-than": "-1"}


def test_the_durable_redis_syncs_every_write(redis_durable: str) -> None:
    with redis.Redis.from_url(redis_durable) as client:
        assert client.config_get("appendfsync") == {"appendfsync": "always"}


def test_a_fixture_hands_out_an_empty_redis(redis_volatile: str) -> None:
    with redis.Redis.from_url(redis_volatile) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_a_fixture_hands_out_an_empty_redis_again(redis_volatile: str) -> None:
    with redis.Redis.from_url(redis_volatile) as client:
        assert client.dbsize() == 0


def test_the_floor_is_redis_seven(redis_floor: str) -> None:
    with redis.Redis.from_url(redis_floor) as client:
        assert str(client.info("server")["redis_version"]).startswith("7.")


def test_a_server_started_by_a_thread_outlives_the_thread(tmp_path: Path) -> None:
    """The kernel ends a tethered child with the thread that forked it; a fault test restarts from one."""
    server = RedisServer("volatile", tmp_path)
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    try:
        with redis.Redis.from_url(server.url) as client:
            for _ in range(20):
                assert client.ping()
    finally:
        server.stop()


def test_a_server_that_cannot_start_is_reported_with_its_log(tmp_path: Path) -> None:
    broken = tmp_path / "data" / "appendonlydir"
    broken.parent.mkdir()
    broken.write_text("a file where the server wants a folder")
    with pytest.raises(ChildDiedError, match=r"durable Redis ended with code 1.*redis\.log"):
        RedisServer("durable", tmp_path / "data").start()

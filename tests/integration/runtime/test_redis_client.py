"""The two servers are told apart, and one that is set up wrongly is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from console.stack.redis_server import RedisServer
from services.contracts.errors import Misconfigured, Transient
from services.runtime.redis_client import (
    check_durable,
    check_durable_async,
    check_volatile,
    check_volatile_async,
    connect,
    connect_async,
)
from services.runtime.redis_watch import VolatileWatch
from tests.support import eventually


@pytest.fixture
def volatile(redis_volatile: str) -> Iterator[redis.Redis]:
    with connect(SecretStr(redis_volatile), client_name="tests") as client:
        yield client


@pytest.fixture
def durable(redis_durable: str) -> Iterator[redis.Redis]:
    with connect(SecretStr(redis_durable), client_name="tests") as client:
        yield client


def test_each_server_of_the_stack_is_what_it_is_taken_for(volatile: redis.Redis, durable: redis.Redis) -> None:
    check_volatile(volatile)
    check_durable(durable)


# As docs/operations.md says it.
_RULES = "~* &* +@all -@admin -@dangerous +info +config|get"


@pytest.mark.parametrize("url", ["redis_volatile", "redis_durable", "redis_floor"])
def test_a_user_that_may_do_no_more_than_it_needs_passes_and_is_refused_the_rest(
    url: str, request: pytest.FixtureRequest
) -> None:
    """The check asked for every setting there is, the passwords among them."""
    address = str(request.getfixturevalue(url))
    with connect(SecretStr(address), client_name="tests") as admin:
        admin.execute_command("ACL", "SETUSER", "signpost", "reset", "on", ">word", *_RULES.split())
        try:
            _try_out(address.replace("redis://", "redis://signpost:word@"), is_durable=url == "redis_durable")
        finally:
            admin.execute_command("ACL", "DELUSER", "signpost")


def _try_out(address: str, *, is_durable: bool) -> None:
    with connect(SecretStr(address), client_name="tests") as client:
        (check_durable if is_durable else check_volatile)(client)
        assert client.set("acl-probe", 1, px=1000)
        assert client.eval("return redis.call('GET', KEYS[1])", 1, "acl-probe") in (b"1", "1")
        assert client.publish("acl-probe", "x") == 0
        for refused in (("CONFIG", "SET", "save", ""), ("FLUSHALL",), ("KEYS", "*"), ("ACL", "LIST")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*refused)


def test_the_oldest_redis_we_promise_passes(redis_floor: str) -> None:
    with connect(SecretStr(redis_floor), client_name="tests") as client:
        check_volatile(client)


def test_swapped_servers_are_refused(volatile: redis.Redis, durable: redis.Redis) -> None:
    """A key in the append-only file of the durable one could never be deleted."""
    with pytest.raises(Misconfigured, match=r"REDIS_VOLATILE_URL: appendonly is 'yes', set it to 'no'"):
        check_volatile(durable)
    with pytest.raises(Misconfigured, match=r"REDIS_DURABLE_URL: appendonly is 'no', set it to 'yes'"):
        check_durable(volatile)


@pytest.mark.parametrize(
    ("directive", "wrong"),
    [
        ("save", "3600 1"),
        ("maxmemory-policy", "allkeys-lru"),
        ("slowlog-log-slower-than", "10000"),
        ("commandlog-reply-larger-than", "1024"),
        ("crash-log-enabled", "yes"),
    ],
)
def test_a_volatile_server_that_could_keep_something_is_refused(
    volatile: redis.Redis, directive: str, wrong: str
) -> None:
    right = volatile.config_get(directive)
    volatile.config_set(directive, wrong)
    try:
        with pytest.raises(Misconfigured, match=directive):
            check_volatile(volatile)
    finally:
        volatile.config_set(directive, str(right[directive]))
    check_volatile(volatile)


def test_a_volatile_server_with_a_value_that_never_ends_is_refused(volatile: redis.Redis) -> None:
    volatile.set("with an end", "x", ex=60)
    check_volatile(volatile)
    volatile.set("without", "x")
    try:
        with pytest.raises(Misconfigured, match="1 values without a TTL"):
            check_volatile(volatile)
    finally:
        volatile.delete("with an end", "without")


def test_a_volatile_server_with_a_replica_is_refused_and_so_is_the_replica(
    volatile: redis.Redis, tmp_path: Path
) -> None:
    told: list[int] = []
    watch = VolatileWatch(volatile, told.append)
    with (
        RedisServer("volatile", tmp_path / "replica") as second,
        connect(SecretStr(second.url), client_name="tests") as replica,
    ):
        master = volatile.connection_pool.connection_kwargs
        replica.replicaof(str(master["host"]), str(master["port"]))
        eventually(lambda: replica.info("replication")["master_link_status"] == "up", "a full copy", within_s=30)
        for server in (volatile, replica):
            with pytest.raises(Misconfigured, match="it is replicated"):
                check_volatile(server)
        watch.look()
    eventually(lambda: not volatile.info("replication")["connected_slaves"], "the replica to be gone", within_s=30)
    check_volatile(volatile)
    watch.look()
    assert told == [1, 0]


def test_a_volatile_server_that_is_changed_while_it_runs_is_told_of(volatile: redis.Redis) -> None:
    told: list[int] = []
    watch = VolatileWatch(volatile, told.append)
    watch.look()
    volatile.config_set("save", "60 1")
    try:
        watch.look()
    finally:
        volatile.config_set("save", "")
    watch.look()
    assert told == [0, 1, 0]


def test_a_durable_server_that_may_lose_a_second_is_refused(durable: redis.Redis) -> None:
    durable.config_set("appendfsync", "everysec")
    try:
        with pytest.raises(Misconfigured, match="appendfsync is 'everysec', set it to 'always'"):
            check_durable(durable)
    finally:
        durable.config_set("appendfsync", "always")


def test_a_server_that_does_not_answer_is_transient_and_its_password_stays_secret() -> None:
    with connect(SecretStr("redis://:sesame@127.0.0.1:1/0"), client_name="tests") as client:
        with pytest.raises(Transient) as caught:
            check_volatile(client)
        assert "sesame" not in str(caught.value)


def test_the_checks_hold_on_an_event_loop_too(redis_volatile: str, redis_durable: str) -> None:
    async def check() -> None:
        async with (
            connect_async(SecretStr(redis_volatile), client_name="tests") as volatile,
            connect_async(SecretStr(redis_durable), client_name="tests") as durable,
        ):
            await check_volatile_async(volatile)
            await check_durable_async(durable)
            with pytest.raises(Misconfigured):
                await check_volatile_async(durable)

    asyncio.run(check())

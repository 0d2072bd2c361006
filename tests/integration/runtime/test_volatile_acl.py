"""The volatile Redis' users, as docs/operations.md tells to set them up: a service reads its own keys alone."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from services.ingest.edges.lease_redis import RedisLeases
from services.runtime.clock import SystemClock
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.redis_client import check_volatile

ROOT = Path(__file__).parents[3]
DEPLOYMENT = "acl-test"
EPOCH, FACE = f"{DEPLOYMENT}/epoch/7", f"{DEPLOYMENT}/face/7"


def documented() -> dict[str, list[str]]:
    """Each user's rules, by service."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    return {name: rules.split() for name, rules in re.findall(r"^ +user (\w+) on >\.\.\. (.+)$", text, re.M)}


@contextmanager
def as_user(url: str, service: str) -> Iterator[redis.Redis]:
    """A client of the service's own user, as documented."""
    name, password = f"{service}-{secrets.token_hex(4)}", secrets.token_hex(8)
    with redis.Redis.from_url(url) as admin:
        admin.execute_command("ACL", "SETUSER", name, "on", f">{password}", *_whole(documented()[service]))
        try:
            with redis.Redis.from_url(url, username=name, password=password) as client:
                yield client
        finally:
            admin.execute_command("ACL", "DELUSER", name)


def _whole(rules: list[str]) -> list[str]:
    """A selector in brackets is one argument."""
    return [one.strip() for one in re.findall(r"\([^)]*\)|\S+", " ".join(rules))]


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=30)


@pytest.fixture(params=["redis_volatile", "redis_floor"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    url = str(request.getfixturevalue(request.param))
    with redis.Redis.from_url(url) as admin:
        keys = VolatileKeys(admin, SystemClock())
        keys.get_or_create(EPOCH, expires_at=soon())
        keys.get_or_create(FACE, expires_at=soon())
        yield url
        keys.destroy_prefix(f"{DEPLOYMENT}/")


Attempt = Callable[[VolatileKeys], object]
ATTEMPTS: dict[str, Attempt] = {
    "read an epoch's key": lambda keys: keys.get_many([EPOCH]),
    "make an epoch's key": lambda keys: keys.get_or_create(f"{DEPLOYMENT}/epoch/8", expires_at=soon()),
    "read a face's key": lambda keys: keys.get_many([FACE]),
    "make a face's key": lambda keys: keys.get_or_create_many({f"{DEPLOYMENT}/face/8": soon()}),
}
MAY = {
    "ingest": {"read an epoch's key", "make an epoch's key"},
    "embed": {"read an epoch's key", "read a face's key", "make a face's key"},
    "match": {"read a face's key"},
    "review": set[str](),
}


@pytest.mark.parametrize("service", MAY)
def test_a_service_reads_and_makes_its_own_kinds_of_key_and_no_other(url: str, service: str) -> None:
    with as_user(url, service) as client:
        keys = VolatileKeys(client, SystemClock())
        done = set()
        for name, attempt in ATTEMPTS.items():
            try:
                attempt(keys)
            except redis.exceptions.NoPermissionError:
                continue
            done.add(name)
    assert done == MAY[service]


@pytest.mark.parametrize("service", MAY)
def test_a_service_can_do_what_every_service_does(url: str, service: str) -> None:
    """The check of the server at start, the census of keys, a purge, and writing over what the server has read."""
    with as_user(url, service) as client:
        client.ping()
        check_volatile(client)
        keys = VolatileKeys(client, SystemClock())
        assert len(keys.lives_s(f"{DEPLOYMENT}/face/")) == 1
        keys.scrub()
        assert keys.destroy_prefix(f"{DEPLOYMENT}/face/") == 1
        assert keys.destroy(EPOCH) == 1


def test_ingest_leases_its_cameras(url: str) -> None:
    with as_user(url, "ingest") as client:
        leases = RedisLeases(client, deployment=DEPLOYMENT, holder="a", ttl_s=3)
        lease = leases.acquire("gate-1")
        assert lease is not None
        assert leases.renew([lease]) == {"gate-1"}
        leases.release(lease)


@pytest.mark.parametrize("service", ["embed", "match", "review"])
def test_nobody_else_touches_a_lease(url: str, service: str) -> None:
    with as_user(url, service) as client, pytest.raises(redis.exceptions.NoPermissionError):
        RedisLeases(client, deployment=DEPLOYMENT, holder="b", ttl_s=3).acquire("gate-1")


FORBIDDEN = (
    ("KEYS", "*"),
    ("FLUSHALL",),
    ("CONFIG", "SET", "save", "1 1"),
    ("MONITOR",),
    ("ACL", "LIST"),
    ("DUMP", "key:x"),
    ("CLIENT", "KILL", "TYPE", "normal"),
)


@pytest.mark.parametrize("service", MAY)
@pytest.mark.parametrize("command", FORBIDDEN)
def test_nobody_reads_or_ends_it_all(url: str, service: str, command: tuple[str, ...]) -> None:
    with as_user(url, service) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command)  # type: ignore[no-untyped-call]

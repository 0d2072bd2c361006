"""Who can write to the volatile Redis, and nothing else, attacks. What each of them cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import redis
from pydantic import SecretStr

from services.contracts import keys
from services.contracts.errors import Tampered
from services.runtime.clock import SystemClock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.derive import derive
from services.runtime.keys.port import OtherKey
from services.runtime.keys.ring import Found, Keyring
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.redis_client import connect
from tests.builders import an_authority_of
from tests.fakes.keys import FakeKeys

CIPHER = AesGcm()
CLOCK = SystemClock()
DOCUMENT = f"""
deployment: oxford-street-1
use_case: exercise
purpose: find people recalled to prison
cameras:
  - {{id: gate-1, source: rtsp, address: "rtsp://gate-1/live"}}
window: {{start: {CLOCK.now().isoformat()}, end: {(CLOCK.now() + timedelta(hours=8)).isoformat()}}}
watchlist: {{name: blue-list, max_entries: 100, score_kind: raw, thresholds: {{1: 0.3}}}}
"""
AUTHORITY = an_authority_of(DOCUMENT)


@pytest.fixture
def client(redis_volatile: str) -> Iterator[redis.Redis]:
    with connect(SecretStr(redis_volatile), client_name="tests") as client:
        client.flushdb()
        yield client


def soon() -> datetime:
    return CLOCK.now() + timedelta(seconds=60)


def write_over(client: redis.Redis, name: str, kind: str) -> None:
    client.delete(name)
    match kind:
        case "short":
            client.set(name, b"a", px=60_000)
        case "empty":
            client.set(name, b"", px=60_000)
        case "long":
            client.set(name, bytes(33), px=60_000)
        case "list":
            client.rpush(name, "mine")
        case "hash":
            client.hset(name, "key", bytes(32))


@pytest.mark.parametrize("kind", ["short", "empty", "long", "list", "hash"])
def test_what_is_no_key_is_as_if_none_were_there_and_stops_no_other(client: redis.Redis, kind: str) -> None:
    """One value of another length ended every process that read it; one of another type held up all the rest."""
    store = VolatileKeys(client, CLOCK)
    first, second = (store.get_or_create(one, expires_at=soon()) for one in ("town/face/1", "town/face/2"))
    write_over(client, "key:town/face/1", kind)
    assert store.get("town/face/1") is None
    assert store.get_many(["town/face/1", "town/face/2"]) == {"town/face/2": second}
    made = store.get_or_create_many({"town/face/1": soon(), "town/face/2": soon(), "town/face/3": soon()})
    assert made["town/face/2"] == second
    assert made["town/face/1"] != first
    assert store.get("town/face/1") == made["town/face/1"], "what was made is not what the others find"
    assert 0 < client.pttl("key:town/face/1") <= 60_000


def test_keys_that_changed_places_open_nothing(client: redis.Redis) -> None:
    """A face is never taken for another: what does not open is counted as lost."""
    ring = Keyring(VolatileKeys(client, CLOCK), FakeKeys(CLOCK), CLOCK)
    specs = [keys.face(AUTHORITY, f"track-{number}.r1", CLOCK.now()) for number in (1, 2)]
    made = ring.mint_once(specs)
    sealed = [CIPHER.seal(made[spec.id], b"a face", spec.id.encode()) for spec in specs]
    names = [f"key:{spec.parts[0].id}" for spec in specs]
    values = [client.get(name) for name in names]
    for name, value in zip(names, reversed(values), strict=True):
        assert isinstance(value, bytes)
        client.set(name, value, px=60_000)
    found = ring.find_once(specs)
    for spec, one in zip(specs, sealed, strict=True):
        key = found[spec.id]
        assert isinstance(key, Found)
        with pytest.raises(OtherKey):
            CIPHER.open(key.key, one, spec.id.encode())


def test_all_that_the_volatile_server_holds_opens_no_frame(client: redis.Redis) -> None:
    """The other half of a frame's key is in the key store."""
    ring = Keyring(VolatileKeys(client, CLOCK), FakeKeys(CLOCK), CLOCK)
    spec = keys.frame(AUTHORITY, CLOCK.now())
    sealed = CIPHER.seal(ring.mint(spec), b"a frame", b"")
    held = [client.get(name) for name in client.scan_iter()]
    assert held, "no half of the key is there"
    for value in held:
        assert isinstance(value, bytes)
        for key in (value, derive(value, info=spec.id), derive(value, value, info=spec.id)):
            with pytest.raises((OtherKey, Tampered)):
                CIPHER.open(key, sealed, b"")


def test_a_half_that_somebody_put_there_makes_a_key_that_they_do_not_know(client: redis.Redis) -> None:
    ring = Keyring(VolatileKeys(client, CLOCK), FakeKeys(CLOCK), CLOCK)
    spec = keys.frame(AUTHORITY, CLOCK.now())
    mine = bytes(range(32))
    client.set(f"key:{spec.parts[0].id}", mine, px=60_000)
    sealed = CIPHER.seal(ring.mint(spec), b"a frame", b"")
    for key in (mine, derive(mine, info=spec.id)):
        with pytest.raises((OtherKey, Tampered)):
            CIPHER.open(key, sealed, b"")

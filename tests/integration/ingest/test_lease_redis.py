"""The lease store on real servers."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
import redis

from services.contracts.errors import Transient
from services.ingest.edges.lease_redis import RedisLeases
from tests.contracts.leases import Bench, LeasesContract
from tests.support import eventually

TTL_S = 0.4


def a_bench(url: str) -> tuple[Bench, redis.Redis]:
    client = redis.Redis.from_url(url)
    deployment = f"leases-{secrets.token_hex(4)}"

    def holder(name: str) -> RedisLeases:
        return RedisLeases(client, deployment=deployment, holder=name, ttl_s=TTL_S)

    def lapse() -> None:
        eventually(lambda: not list(client.scan_iter("lease:*")), "the lease to lapse", within_s=5)

    def lose_all() -> None:
        client.flushall()

    return Bench(holder("ingest-a"), holder("ingest-b"), lapse, lose_all), client


class TestOnValkey(LeasesContract):
    @pytest.fixture
    def bench(self, redis_volatile: str) -> Iterator[Bench]:
        bench, client = a_bench(redis_volatile)
        yield bench
        client.close()


class TestOnTheOldestRedisPromised(LeasesContract):
    @pytest.fixture
    def bench(self, redis_floor: str) -> Iterator[Bench]:
        bench, client = a_bench(redis_floor)
        yield bench
        client.close()


def test_a_server_that_is_away_is_transient() -> None:
    with redis.Redis(port=1, socket_connect_timeout=0.2) as client:
        leases = RedisLeases(client, deployment="away", holder="ingest-a", ttl_s=1)
        with pytest.raises(Transient):
            leases.acquire("gate-1")


@pytest.mark.parametrize(
    "written",
    [{"number": "x"}, {"number": "1e308"}, {"number": "-5"}, {"number": "nan"}, None, "text"]
    + [
        {name: junk}
        for name in ("last_frame_ms", "position_ms", "taken_ms")
        for junk in ("x", "9" * 30, b"\xff", "-1")
    ],
    ids=str,
)
def test_a_camera_is_leased_whatever_was_written_of_it(redis_volatile: str, written: object) -> None:
    """A number that fits no frame's id, or no number at all, would end ingest for every camera."""
    with redis.Redis.from_url(redis_volatile) as client:
        deployment = f"leases-{secrets.token_hex(4)}"
        leases = RedisLeases(client, deployment=deployment, holder="ingest-a", ttl_s=TTL_S)
        memory = f"lease-memory:{{{deployment}:gate-1}}"
        if isinstance(written, dict):
            client.hset(memory, mapping=written)
        elif written is None:
            client.rpush(memory, "mine")
        else:
            client.set(memory, str(written))
        one = leases.acquire("gate-1")
        assert one is not None
        assert 0 < one.number < 2**53
        assert leases.renew([one]) == {"gate-1"}
        client.delete(f"lease:{{{deployment}:gate-1}}")
        client.rpush(f"lease:{{{deployment}:gate-1}}", "mine")
        other = leases.acquire("gate-2")
        assert other is not None
        assert leases.renew([one, other]) == {"gate-2"}, (
            "one camera's lease was taken, and the other's went with it"
        )

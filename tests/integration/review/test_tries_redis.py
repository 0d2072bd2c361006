"""Tries to sign in, as Redis counts them: the same as memory does, and all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
import redis
from pydantic import SecretStr

from services.contracts.ids import DeploymentId
from services.review.core.signing_in import a_try
from services.review.edges.plan import Names
from services.review.edges.tries_redis import RedisTries
from services.runtime.redis_client import connect_async

T = TypeVar("T")
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


def on_redis(url: str, work: Callable[[RedisTries], Awaitable[T]], deployment: str) -> T:
    async def run() -> T:
        client = connect_async(SecretStr(url), client_name="test-tries")
        try:
            return await work(RedisTries(client, Names(DeploymentId(deployment))))
        finally:
            await client.aclose()

    return asyncio.run(run())


def test_three_hundred_guesses_at_once_are_ten(redis_durable: str) -> None:
    """Each looked at the count before any had raised it: 300 passed a limit of 20."""

    async def work(tries: RedisTries) -> list[float]:
        return await asyncio.gather(*(tries.count(a_try("ann", HERE, device="")) for _ in range(300)))

    waits = on_redis(redis_durable, work, "tries-1")
    assert waits.count(0.0) == 10
    assert all(25 < wait <= 30 for wait in waits if wait)


def test_what_is_counted_here_is_not_counted_there_nor_for_a_known_browser(redis_durable: str) -> None:
    async def work(tries: RedisTries) -> tuple[float, float, float]:
        for _ in range(20):
            await tries.count(a_try("ann", ELSEWHERE, device=""))
        guesser = await tries.count(a_try("ann", ELSEWHERE, device=""))
        owner = await tries.count(a_try("ann", HERE, device=""))
        browser = await tries.count(a_try("ann", ELSEWHERE, device="b1"))
        return guesser, owner, browser

    guesser, owner, browser = on_redis(redis_durable, work, "tries-2")
    assert guesser > 0
    assert (owner, browser) == (0.0, 0.0)


def test_who_guesses_from_many_addresses_is_stopped_and_the_owners_place_is_not(redis_durable: str) -> None:
    async def work(tries: RedisTries) -> tuple[int, float, float]:
        at_home = a_try("ann", HERE, device="")
        assert await tries.count(at_home) == 0.0
        await tries.succeeded(at_home)
        waits = [await tries.count(a_try("ann", f"198.51.100.{n}", device="")) for n in range(200)]
        new = await tries.count(a_try("ann", "203.0.113.1", device=""))
        return waits.count(0.0), new, await tries.count(at_home)

    heard, new, at_home = on_redis(redis_durable, work, "tries-3")
    assert heard == 79
    assert new > 0
    assert at_home == 0.0


def test_one_place_may_try_many_names_and_not_any_number(redis_durable: str) -> None:
    async def work(tries: RedisTries) -> int:
        waits = [await tries.count(a_try(f"user-{n}", HERE, device="")) for n in range(150)]
        return waits.count(0.0)

    assert 100 <= on_redis(redis_durable, work, "tries-4") <= 105


def test_who_was_right_has_all_their_tries_again(redis_durable: str) -> None:
    async def work(tries: RedisTries) -> float:
        mine = a_try("ann", HERE, device="")
        for _ in range(3):
            for _ in range(10):
                assert await tries.count(mine) == 0.0
            await tries.succeeded(mine)
        return await tries.count(mine)

    assert on_redis(redis_durable, work, "tries-5") == 0.0


def test_what_is_kept_names_nobody_and_has_an_end(redis_durable: str) -> None:
    async def work(tries: RedisTries) -> None:
        mine = a_try("mallory", HERE, device="")
        await tries.count(mine)
        await tries.succeeded(mine)
        await tries.count(a_try("mallory", ELSEWHERE, device=""))

    on_redis(redis_durable, work, "tries-6")
    with redis.Redis.from_url(redis_durable) as client:
        names = [name.decode() for name in client.keys("*{tries-6}*")]
        assert names
        assert not [name for name in names if "mallory" in name or HERE in name]
        assert all(client.ttl(name) > 0 for name in names)


@pytest.mark.parametrize("written", ["mine", "nan", "-1", "inf", "1e300", b"\xff", "9" * 40, ["a list"]], ids=str)
def test_what_somebody_wrote_into_a_count_stops_no_sign_in_for_long(redis_durable: str, written: Any) -> None:
    """No number there was an error at each try, and one far ahead shut an account out for good."""
    tried = a_try("ann", HERE, device="")
    names = Names(DeploymentId("tries-9"))

    async def work(tries: RedisTries) -> tuple[float, float]:
        await tries.count(tried)
        with redis.Redis.from_url(redis_durable) as client:
            counted = list(client.scan_iter(names.tries("*")))
            assert counted
            for name in counted:
                client.delete(name)
                client.rpush(name, "mine") if isinstance(written, list) else client.set(name, written)
        return await tries.count(tried), await tries.count(a_try("ben", ELSEWHERE, device=""))

    waits, others = on_redis(redis_durable, work, "tries-9")
    assert 0 <= waits <= 3600
    assert others == 0

"""Session fixtures on real servers.

A conftest imports the fixtures it offers, by name, and their servers with them (see conftest.py here).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import redis

from console.stack.errors import StackUnavailableError
from console.stack.kafka import KafkaCluster
from console.stack.redis_server import RedisServer

# Shared with `make demo`: the jars are fetched once a clone.
KAFKA_CACHE = Path(__file__).parents[2] / ".cache" / "kafka"
FLOOR_BINARY = Path("/usr/bin/redis-server")


def missing_server(what: str) -> NoReturn:
    """Skip with the reason on a laptop; fail where CI is set: there nothing may be skipped."""
    if os.environ.get("CI"):  # noqa: TID251  # a test's own surroundings, no setting of a service
        pytest.fail(f"{what} (CI is set, so this is a failure)", pytrace=False)
    pytest.skip(what)


def _start(start: Callable[[], None]) -> None:
    try:
        start()
    except StackUnavailableError as missing:
        missing_server(str(missing))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One Apache Kafka node for the whole run, with `.bootstrap`. Use topics and groups of your own."""
    cluster = KafkaCluster(tmp_path_factory.mktemp("kafka"), KAFKA_CACHE)
    _start(cluster.start)
    yield cluster
    cluster.stop()


@pytest.fixture
def kafka_trio(tmp_path: Path) -> Iterator[KafkaCluster]:
    """Three nodes for one test that may `.kill(i)` and `.restart(i)` them. About 5 s to start."""
    cluster = KafkaCluster(tmp_path / "kafka", KAFKA_CACHE, brokers=3)
    _start(cluster.start)
    yield cluster
    # Nothing of it is looked at again, and a quorum takes long to say goodbye to itself.
    for node in cluster.nodes:
        node.kill()


@pytest.fixture(scope="session")
def redis_volatile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The volatile Redis of the whole run. Do not kill it: start a RedisServer of your own for that."""
    yield from _redis(RedisServer("volatile", tmp_path_factory.mktemp("redis-volatile")))


@pytest.fixture(scope="session")
def redis_durable_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The durable Redis of the whole run. Do not kill it: start a RedisServer of your own for that."""
    yield from _redis(RedisServer("durable", tmp_path_factory.mktemp("redis-durable")))


@pytest.fixture(scope="session")
def redis_floor_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The oldest Redis we promise to work with (7.0, Debian's), volatile."""
    if not FLOOR_BINARY.exists():
        missing_server(f"{FLOOR_BINARY} is not there: apt-get install redis-server")
    folder = tmp_path_factory.mktemp("redis-floor")
    yield from _redis(RedisServer("volatile", folder, binary=FLOOR_BINARY))


def _redis(server: RedisServer) -> Iterator[RedisServer]:
    _start(server.start)
    yield server
    server.stop()


@pytest.fixture
def redis_volatile(redis_volatile_server: RedisServer) -> str:
    """The URL of the volatile Redis, empty at the start of each test."""
    return _emptied(redis_volatile_server)


@pytest.fixture
def redis_durable(redis_durable_server: RedisServer) -> str:
    """The URL of the durable Redis, empty at the start of each test."""
    return _emptied(redis_durable_server)


@pytest.fixture
def redis_floor(redis_floor_server: RedisServer) -> str:
    """The URL of Debian's Redis 7.0, empty at the start of each test."""
    return _emptied(redis_floor_server)


def _emptied(server: RedisServer) -> str:
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        client.function_flush()
        client.script_flush()
    return server.url

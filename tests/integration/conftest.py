"""Integration tests see the shared servers of `tests/integration/stack.py`, started on first use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.stack.kafka import KafkaCluster
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.integration.stack import (
    kafka,
    kafka_trio,
    redis_durable,
    redis_durable_server,
    redis_floor,
    redis_floor_server,
    redis_volatile,
    redis_volatile_server,
)

__all__ = [
    "kafka",
    "kafka_trio",
    "redis_durable",
    "redis_durable_server",
    "redis_floor",
    "redis_floor_server",
    "redis_volatile",
    "redis_volatile_server",
]


@pytest.fixture
def kafka_world(kafka: KafkaCluster) -> Iterator[KafkaWorld]:
    """Topics, groups and clients of a test's own on the shared broker."""
    world = KafkaWorld(kafka.bootstrap)
    yield world
    world.close()

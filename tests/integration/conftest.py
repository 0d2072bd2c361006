"""Integration tests see the shared servers of `tests/integration/stack.py`, started on first use."""

from __future__ import annotations

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

"""A deployment of its own for each test of ingest."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.stack.kafka import KafkaCluster
from tests.integration.ingest.world import IngestWorld


@pytest.fixture
def world(kafka: KafkaCluster, redis_volatile: str, tmp_path: Path) -> Iterator[IngestWorld]:
    world = IngestWorld(kafka.bootstrap, redis_volatile, tmp_path, f"ingest-{secrets.token_hex(4)}")
    yield world
    world.close()

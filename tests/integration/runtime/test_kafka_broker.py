"""Apache Kafka, through our clients, keeps the broker's contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.stack.kafka import KafkaCluster
from tests.contracts.broker import BrokerContract, World
from tests.integration.runtime.kafka_world import KafkaWorld


class TestKafkaBroker(BrokerContract):
    @pytest.fixture
    def world(self, kafka: KafkaCluster) -> Iterator[World]:
        world = KafkaWorld(kafka.bootstrap)
        yield world
        world.close()

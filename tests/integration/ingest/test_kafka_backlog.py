"""How far the readers of frames are behind, on Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from console.stack.kafka import KafkaCluster
from services.ingest.edges.kafka_backlog import KafkaBacklog
from services.runtime.kafka.group import group_offsets
from services.runtime.kafka.types import Partition
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.support import eventually

WITHIN_S = 10


@pytest.fixture
def topic(kafka_world: KafkaWorld) -> str:
    return kafka_world.topic(partitions=2)


@pytest.fixture
def backlog(kafka_world: KafkaWorld, topic: str) -> Iterator[KafkaBacklog]:
    backlog = KafkaBacklog(kafka_world.connection, topic=topic, group=topic, max_records=2)
    backlog.start()
    yield backlog
    backlog.close()


def publish(kafka: KafkaCluster, topic: str, partition: int, records: int) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for _ in range(records):
        producer.produce(topic, b"a frame", partition=partition)
    assert producer.flush(WITHIN_S) == 0


def test_a_partition_whose_reader_is_behind_has_no_room_and_the_others_have(
    kafka: KafkaCluster, kafka_world: KafkaWorld, topic: str, backlog: KafkaBacklog
) -> None:
    eventually(lambda: backlog.room(0) and backlog.room(1), "the first look", within_s=WITHIN_S)
    publish(kafka, topic, 0, 3)
    eventually(lambda: not backlog.room(0) and backlog.room(1), "the look that sees them", within_s=WITHIN_S)
    with group_offsets(kafka_world.connection, topic) as group:
        group.commit({Partition(topic, 0): 3}, timeout_s=WITHIN_S)
    eventually(lambda: backlog.room(0), "the look that sees them read", within_s=WITHIN_S)


def test_between_two_looks_no_more_is_let_through_than_there_is_room(backlog: KafkaBacklog) -> None:
    eventually(lambda: backlog.room(0), "the first look", within_s=WITHIN_S)
    asked = [backlog.room(0) for _ in range(50)]
    # A look may come in between, and begins anew.
    assert sum(asked) <= 2 * 2


def test_before_the_first_answer_there_is_no_room(kafka_world: KafkaWorld) -> None:
    assert not KafkaBacklog(kafka_world.connection, topic="frames", group="embed", max_records=2).room(0)

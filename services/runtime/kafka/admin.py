"""Kafka's admin client, ended by us and never by the garbage collector.

librdkafka answers on a thread of its own. If the collector happens to run there and finds a dropped client, the
client is destroyed from its own thread and the process crashes (confluentinc/confluent-kafka-python#2131). So a
client is left through `with`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from services.runtime.kafka.config import Connection
from services.runtime.kafka.types import Partition


@contextmanager
def admin(connection: Connection) -> Iterator[AdminClient]:
    """A client for as long as the block; connects at its first question."""
    options: dict[str, str | int | float | bool] = {
        name: str(value) for name, value in connection.options().items()
    }
    with AdminClient(options) as client:
        yield client


def first_offsets(
    client: AdminClient, partitions: Collection[Partition], *, timeout_s: float
) -> dict[Partition, int]:
    """Of the oldest record of each partition. Blocks; raises KafkaException."""
    return _offsets(client, partitions, OffsetSpec.earliest(), timeout_s)  # type: ignore[no-untyped-call]


def end_offsets(
    client: AdminClient, partitions: Collection[Partition], *, timeout_s: float
) -> dict[Partition, int]:
    """Behind the newest record of each partition. Blocks; raises KafkaException."""
    return _offsets(client, partitions, OffsetSpec.latest(), timeout_s)  # type: ignore[no-untyped-call]


def _offsets(
    client: AdminClient, partitions: Collection[Partition], which: OffsetSpec, timeout_s: float
) -> dict[Partition, int]:
    asked = {TopicPartition(*partition): which for partition in partitions}
    answers = client.list_offsets(asked, request_timeout=timeout_s)
    return {Partition(one.topic, one.partition): found.result().offset for one, found in answers.items()}

"""Kafka's admin client, ended by us and never by the garbage collector.

librdkafka answers on a thread of its own. If the collector happens to run there and finds a dropped client, the
client is destroyed from its own thread and the process crashes (confluentinc/confluent-kafka-python#2131). So a
client is left through `with`.

What it raises is a BrokerError, here as everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, ClusterMetadata, OffsetSpec

from services.runtime.kafka.config import Connection
from services.runtime.kafka.errors import reading_error, translated
from services.runtime.kafka.types import Partition

T = TypeVar("T")


class Admin(AdminClient):
    """confluent's own, whose questions raise BrokerError; what is asked through futures is read by `answer`."""

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> ClusterMetadata:
        """What the cluster has; `timeout` in seconds. Blocks."""
        with translated(reading_error):
            return super().list_topics(topic, timeout) if topic else super().list_topics(timeout=timeout)


@contextmanager
def admin(connection: Connection) -> Iterator[Admin]:
    """A client for as long as the block; connects at its first question."""
    options: dict[str, str | int | float | bool] = {
        name: str(value) for name, value in connection.options().items()
    }
    with Admin(options) as client:
        yield client


def answer(future: Future[T], *, timeout_s: float | None = None) -> T:
    """What a question's future comes to. Blocks; raises BrokerError."""
    with translated(reading_error):
        return future.result(timeout=timeout_s)


def first_offsets(client: Admin, partitions: Collection[Partition], *, timeout_s: float) -> dict[Partition, int]:
    """Of the oldest record of each partition. Blocks; raises BrokerError."""
    return _offsets(client, partitions, OffsetSpec.earliest(), timeout_s)  # type: ignore[no-untyped-call]


def end_offsets(client: Admin, partitions: Collection[Partition], *, timeout_s: float) -> dict[Partition, int]:
    """Behind the newest record of each partition. Blocks; raises BrokerError."""
    return _offsets(client, partitions, OffsetSpec.latest(), timeout_s)  # type: ignore[no-untyped-call]


def _offsets(
    client: Admin, partitions: Collection[Partition], which: OffsetSpec, timeout_s: float
) -> dict[Partition, int]:
    asked = {TopicPartition(*partition): which for partition in partitions}
    answers = client.list_offsets(asked, request_timeout=timeout_s)
    return {Partition(one.topic, one.partition): answer(found).offset for one, found in answers.items()}

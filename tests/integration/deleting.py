"""What retention does, at once: records deleted from a topic's beginning."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import TopicPartition

from services.runtime.kafka.admin import admin, end_offsets
from services.runtime.kafka.config import Connection
from services.runtime.kafka.types import Partition

_WITHIN_S = 20.0


def delete(bootstrap: str, topic: str, before: Mapping[int, int]) -> None:
    """Everything before this offset, by partition."""
    with admin(Connection(bootstrap, "test")) as client:
        asked = [TopicPartition(topic, number, offset) for number, offset in before.items()]
        for answer in client.delete_records(asked).values():
            answer.result(_WITHIN_S)


def ends(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    """Behind the newest place of each partition, a transaction's marker mostly."""
    with admin(Connection(bootstrap, "test")) as client:
        asked = [Partition(topic, number) for number in range(partitions)]
        return {one.number: offset for one, offset in end_offsets(client, asked, timeout_s=_WITHIN_S).items()}


def delete_all(bootstrap: str, topic: str, partitions: int) -> None:
    """The last marker too, as when a partition was idle for longer than its topic is kept."""
    delete(bootstrap, topic, ends(bootstrap, topic, partitions))


def drop_group(bootstrap: str, group: str) -> None:
    """Its offsets, and what lay beside them, are gone."""
    with admin(Connection(bootstrap, "test")) as client:
        client.delete_consumer_groups([group])[group].result(_WITHIN_S)

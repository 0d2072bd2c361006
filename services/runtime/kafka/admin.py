"""Kafka's admin client, ended by us and never by the garbage collector.

librdkafka answers on a thread of its own. If the collector happens to run there and finds a dropped client, the
client is destroyed from its own thread and the process crashes (confluentinc/confluent-kafka-python#2131). So a
client is left through `with`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka.admin import AdminClient

from services.runtime.kafka.config import Connection


@contextmanager
def admin(connection: Connection) -> Iterator[AdminClient]:
    """A client for as long as the block; connects at its first question."""
    options: dict[str, str | int | float | bool] = {
        name: str(value) for name, value in connection.options().items()
    }
    with AdminClient(options) as client:
        yield client

"""All of a topic for one reader, from its group's offsets and without membership.

The sequencer is fenced by its transactional id: whoever begins with it ends whoever had it. A group would fence a
second time, and slowly: a killed member keeps its partitions until its session has run out, and until then no face
could be shown anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import TopicPartition

from services.contracts.errors import Misconfigured
from services.runtime.kafka.admin import admin, first_offsets
from services.runtime.kafka.broker import BrokerError, Fatal, RebalanceListener, Reset
from services.runtime.kafka.config import Connection, consumer_options
from services.runtime.kafka.consumer import KafkaConsumer
from services.runtime.kafka.group import group_offsets
from services.runtime.kafka.passing import OnError
from services.runtime.kafka.types import Partition, Record

_TIMEOUT_S = 10.0


class WholeTopic(KafkaConsumer):
    """A ConsumerPort that holds every partition from its first poll to its end. Use it behind a fence only."""

    def __init__(self, connection: Connection, *, group: str, on_error: OnError) -> None:
        options = consumer_options(connection, group=group, reset=Reset.ERROR)
        super().__init__({**options, "group.protocol": "classic"}, on_error)
        self._connection = connection
        self._group = group
        self._starts: dict[Partition, int] = {}

    def subscribe(self, topics: Sequence[str], listener: RebalanceListener) -> None:
        """Find out where to begin: behind what is committed; a partition without that, at its first record.

        Blocks; called once the fence is up, so no commit is under way any more. Raises Misconfigured, Fatal.
        """
        self._listener = listener
        try:
            self._starts = self._committed(topics)
        except BrokerError as failed:
            raise Fatal(failed.code, f"offsets of {self._group}: {failed}") from failed

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """As any consumer's; the first gives out the partitions."""
        if self._starts:
            starts, self._starts = self._starts, {}
            self._listener.assigned(starts.keys())
            self._consumer.assign([TopicPartition(*one, offset) for one, offset in starts.items()])
        return super().poll(max_records, timeout_s)

    def close(self) -> None:
        """Revoke, then end."""
        self._listener.revoked([Partition(one.topic, one.partition) for one in self._consumer.assignment()])
        super().close()

    def _committed(self, topics: Sequence[str]) -> dict[Partition, int]:
        with admin(self._connection) as client, group_offsets(self._connection, self._group) as group:
            there = client.list_topics(timeout=_TIMEOUT_S).topics
            if missing := [topic for topic in topics if topic not in there]:
                raise Misconfigured(f"Kafka has no topic {', '.join(missing)}: run `signpost topics apply`")
            partitions = [Partition(topic, number) for topic in topics for number in there[topic].partitions]
            known = group.committed(partitions, timeout_s=_TIMEOUT_S)
            new = set(partitions) - known.keys()
            return known | (first_offsets(client, new, timeout_s=_TIMEOUT_S) if new else {})

"""Read a topic from where one asks to where it ends now; belongs to no group, commits nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

# A broker under load answers later; a person still waits.
_TIMEOUT_S = 20.0
_POLL_S = 0.2
_END_OF_PARTITION = KafkaError._PARTITION_EOF


class KafkaReader:
    """Whole topics, read_committed. One thread owns it; each call blocks until the end is reached."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def values(self, topic: str) -> Iterator[bytes]:
        """Every record's value in the order of its partition; tombstones are left out."""
        starts = [TopicPartition(topic, number, 0) for number in self._partitions(topic)]
        yield from self._read(starts, from_beginning=True)

    def unread(self, topic: str, group: str) -> int:
        """How many records of `topic` the group has not committed yet; transaction markers do not count.

        Records that retention deleted unread count too, as far as their offsets tell.
        """
        positions = self._committed(topic, group)
        vanished = 0
        consumer = self._consumer()
        try:
            for position in positions:
                low, _ = consumer.get_watermark_offsets(
                    TopicPartition(topic, position.partition), timeout=_TIMEOUT_S
                )
                vanished += max(0, low - max(position.offset, 0))
                position.offset = max(position.offset, low)
        finally:
            consumer.close()
        return vanished + sum(1 for _ in self._read(positions, from_beginning=False))

    def _partitions(self, topic: str) -> Sequence[int]:
        found = self._admin.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        return sorted(found.partitions)

    def _committed(self, topic: str, group: str) -> list[TopicPartition]:
        asked = ConsumerGroupTopicPartitions(
            group, [TopicPartition(topic, number) for number in self._partitions(topic)]
        )
        answer = self._admin.list_consumer_group_offsets([asked], request_timeout=_TIMEOUT_S)[group].result()
        return [TopicPartition(topic, one.partition, max(one.offset, 0)) for one in answer.topic_partitions]

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                # librdkafka wants a name; nothing is ever committed under it.
                "group.id": f"reader-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "log_level": 0,
            }
        )

    def _read(self, positions: Sequence[TopicPartition], *, from_beginning: bool) -> Iterator[bytes]:
        consumer = self._consumer()
        ended: set[int | None] = set()
        try:
            if from_beginning:
                for position in positions:
                    position.offset, _ = consumer.get_watermark_offsets(position, timeout=_TIMEOUT_S)
            consumer.assign(list(positions))
            while len(ended) < len(positions):
                message = consumer.poll(_POLL_S)
                if message is None:
                    continue
                error = message.error()
                if error is not None and error.code() == _END_OF_PARTITION:
                    ended.add(message.partition())
                elif error is not None:
                    raise KafkaException(error)
                elif (value := message.value()) is not None:
                    yield bytes(value)
        finally:
            consumer.close()

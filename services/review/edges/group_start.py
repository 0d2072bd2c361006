"""Where the group of review begins on a topic that it has never read.

Nothing of `alerts` may be skipped, so the consumer refuses to run on without a valid position: an offset that
fell out of the topic stops the process and pages. A group that has no offset yet is told once to begin at the
beginning; should its offsets ever be forgotten, reading all of it again is harmless, the store knows each alert.
"""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from services.contracts.errors import Misconfigured, Transient
from services.runtime.kafka.admin import admin
from services.runtime.kafka.config import Connection

_TIMEOUT_S = 10.0
# Another instance was faster, and is a member already: then it has set the offsets.
_BY_ANOTHER = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.GROUP_SUBSCRIBED_TO_TOPIC)


def begin_group(connection: Connection, group: str, topic: str) -> None:
    """Give the group an offset on each partition where it has none. Blocks; main thread, before the consumer.

    Raises Misconfigured without the topic, Transient if the broker does not answer.
    """
    try:
        with admin(connection) as client:
            missing = _missing(client, group, _partitions(client, topic))
            if missing:
                _commit(client, group, _beginnings(client, missing))
    except KafkaException as failed:
        raise Transient(f"KAFKA_BOOTSTRAP: the group of {topic} cannot be looked at: {failed}") from failed


def _partitions(client: AdminClient, topic: str) -> list[TopicPartition]:
    found = client.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
    if found.error is not None or not found.partitions:
        raise Misconfigured(f"Kafka has no topic {topic}: run `signpost topics apply`")
    return [TopicPartition(topic, number) for number in found.partitions]


def _missing(client: AdminClient, group: str, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
    asked = ConsumerGroupTopicPartitions(group, list(partitions))
    answer = client.list_consumer_group_offsets([asked], request_timeout=_TIMEOUT_S)[group].result()
    return [TopicPartition(one.topic, one.partition) for one in answer.topic_partitions if one.offset < 0]


def _beginnings(client: AdminClient, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
    earliest = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
    asked = dict.fromkeys(partitions, earliest)
    answers = client.list_offsets(asked, request_timeout=_TIMEOUT_S)
    return [TopicPartition(one.topic, one.partition, found.result().offset) for one, found in answers.items()]


def _commit(client: AdminClient, group: str, offsets: Sequence[TopicPartition]) -> None:
    wanted = ConsumerGroupTopicPartitions(group, list(offsets))
    try:
        answer = client.alter_consumer_group_offsets([wanted], request_timeout=_TIMEOUT_S)[group].result()
    except KafkaException as failed:
        if failed.args[0].code() in _BY_ANOTHER:
            return
        raise
    for one in answer.topic_partitions:
        if one.error is not None and one.error.code() not in _BY_ANOTHER:
            raise KafkaException(one.error)

"""Where the group of review begins on a topic that it has never read.

Nothing of `alerts` may be skipped, so the consumer refuses to run on without a valid position: an offset that
fell out of the topic stops the process and pages. A group that has no offset yet is told once to begin at the
beginning; should its offsets ever be forgotten, reading all of it again is harmless, the store knows each alert.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.contracts.errors import Misconfigured, Transient
from services.runtime.kafka.admin import Admin, admin, first_offsets
from services.runtime.kafka.broker import BrokerError
from services.runtime.kafka.config import Connection
from services.runtime.kafka.group import GroupOffsets, group_offsets
from services.runtime.kafka.types import Partition

_TIMEOUT_S = 10.0
# Another instance was faster, and is a member already: then it has set the offsets.
_BY_ANOTHER = ("UNKNOWN_MEMBER_ID", "NON_EMPTY_GROUP", "GROUP_SUBSCRIBED_TO_TOPIC")


def begin_group(connection: Connection, group: str, topic: str) -> None:
    """Give the group an offset on each partition where it has none. Blocks; main thread, before the consumer.

    Raises Misconfigured without the topic, Transient if the broker does not answer.
    """
    try:
        with admin(connection) as client, group_offsets(connection, group) as offsets:
            partitions = _partitions(client, topic)
            missing = set(partitions) - offsets.committed(partitions, timeout_s=_TIMEOUT_S).keys()
            if missing:
                _commit(offsets, first_offsets(client, missing, timeout_s=_TIMEOUT_S))
    except BrokerError as failed:
        raise Transient(f"KAFKA_BOOTSTRAP: the group of {topic} cannot be looked at: {failed}") from failed


def _partitions(client: Admin, topic: str) -> list[Partition]:
    found = client.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
    if found.error is not None or not found.partitions:
        raise Misconfigured(f"Kafka has no topic {topic}: run `signpost topics apply`")
    return [Partition(topic, number) for number in found.partitions]


def _commit(group: GroupOffsets, offsets: Mapping[Partition, int]) -> None:
    try:
        group.commit(offsets, timeout_s=_TIMEOUT_S)
    except BrokerError as failed:
        if failed.code not in _BY_ANOTHER:
            raise

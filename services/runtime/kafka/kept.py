"""What a group keeps beside its committed offsets, asked of Kafka beside the loop's own consumer."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from services.contracts.errors import Transient
from services.runtime.kafka.broker import BrokerError
from services.runtime.kafka.config import Connection
from services.runtime.kafka.group import group_offsets
from services.runtime.kafka.marks import Kept
from services.runtime.kafka.types import Next, Partition

# Asked once an assignment, on the work thread, and again until it is answered.
_ANSWER_S = 5.0


def kept(connection: Connection, group: str) -> Kept:
    """The work thread's. A client lives for one question: assignments are rare."""

    def asked(partitions: Collection[Partition]) -> Mapping[Partition, Next]:
        try:
            with group_offsets(connection, group) as offsets:
                return offsets.kept(partitions, timeout_s=_ANSWER_S)
        except BrokerError as unknown:
            raise Transient(f"the marks of {group} are not known: {unknown.code}") from unknown

    return asked

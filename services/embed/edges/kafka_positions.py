"""Where a consumer group stands, asked of Kafka beside the loop's own consumer."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from services.runtime.kafka.broker import BrokerError
from services.runtime.kafka.config import Connection
from services.runtime.kafka.group import group_offsets
from services.runtime.kafka.types import Partition

log = logging.getLogger(__name__)

# Asked once an assignment, on the work thread: long enough for a busy broker, short enough not to be felt.
_ANSWER_S = 2.0


class KafkaPositions:
    """The work thread's. A client lives for one question: assignments are rare."""

    def __init__(self, connection: Connection, group: str) -> None:
        self._connection = connection
        self._group = group

    def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """The next offset of each partition that has one; empty if Kafka does not answer, which costs
        nothing but the count of frames deleted before this assignment."""
        try:
            with group_offsets(self._connection, self._group) as group:
                return group.committed(partitions, timeout_s=_ANSWER_S)
        except BrokerError as unknown:
            log.warning("group position not known", extra={"code": unknown.code})
            return {}

"""Where a topic ended at one moment, for who reads up to there.

The end that Kafka's client tells is an empty fetch. A topic that is written to more often than a fetch waits has
none, so nobody who shall come to an end may wait for that alone: whatever lies at or behind the end as it was
tells as well that all before it has been handed on.
"""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import Consumer, Message, TopicPartition

from services.runtime.kafka.errors import is_end, reading_error, translated
from services.runtime.kafka.types import Partition


def committed_end(consumer: Consumer, partition: Partition, *, timeout_s: float) -> int:
    """Behind the last record that a read_committed consumer could be given now: before any open transaction.

    Blocks; raises BrokerError.
    """
    with translated(reading_error):
        return consumer.get_watermark_offsets(TopicPartition(*partition), timeout=timeout_s)[1]


class Ends:
    """The ends of some partitions of one topic, by number, and which have been reached. One thread's.

    The very last place before an end may be a transaction's marker, which nobody gets to see: then what comes
    after it, or the end of the partition, tells that it has been passed.
    """

    def __init__(self, ends: Mapping[int, int]) -> None:
        self._ends = dict(ends)
        self._left = set(ends)

    @property
    def reached(self) -> bool:
        return not self._left

    def pass_over(self, message: Message) -> None:
        """This came: a record, or the end of its partition as it is now (an open transaction may hold it back)."""
        number, offset = message.partition() or 0, message.offset() or 0
        if offset + (not is_end(message.error())) >= self._ends[number]:
            self._left.discard(number)

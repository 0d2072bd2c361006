"""Which instance leads: the one to which the group gives partition 0 of `audit_requests`.

The group only says who shall begin; that the one before has ended is seen to by the fences of what is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from services.contracts import topics
from services.runtime.kafka.broker import ConsumerPort, RebalanceListener
from services.runtime.kafka.types import Partition

GROUP = "signpost-oversight"
_LEADERS = Partition(topics.AUDIT_REQUESTS.name, 0)
# A change is heard of within this; the heartbeat is beaten as often.
_POLL_S = 0.2


class Election:
    """A member of the group from the beginning of `run` to its end; reads nothing and commits nothing."""

    def __init__(
        self,
        consumer: ConsumerPort,
        *,
        lead: Callable[[], None],
        rest: Callable[[], None],
        leaders: Partition = _LEADERS,
    ) -> None:
        """`lead` and `rest` are called on the thread of `run`, and must not block."""
        self._consumer = consumer
        self._lead = lead
        self._rest = rest
        self._leaders = leaders
        self._given: list[Partition] = []
        self.joined = False

    def run(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        """Until `stop`. Raises Fatal of the broker. One thread."""
        listener = RebalanceListener(assigned=self._assigned, revoked=self._revoked, lost=self._revoked)
        self._consumer.subscribe([self._leaders.topic], listener)
        try:
            while not stop.is_set():
                self._consumer.poll(1, _POLL_S)
                if self._given:
                    # Only membership counts: what is in them is another's to read.
                    self._consumer.pause(self._given)
                    self._given = []
                beat()
        finally:
            self._consumer.close()
            self._rest()

    def _assigned(self, partitions: Collection[Partition]) -> None:
        self.joined = True
        self._given += partitions
        if self._leaders in partitions:
            self._lead()

    def _revoked(self, partitions: Collection[Partition]) -> None:
        self._given = [one for one in self._given if one not in partitions]
        if self._leaders in partitions:
            self._rest()

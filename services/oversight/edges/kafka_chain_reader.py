"""The chains as the topic `audit` has them: read to its end, folded, and kept to read on from.

Anybody may have written there: what no sequencer signed in its term is passed over, and told in the log.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, Message, TopicPartition

from services.contracts.audit.recorded import taken_up
from services.contracts.audit.registry import KeyRegistry
from services.contracts.audit.sequencer import Sequencer, Stray
from services.contracts.audit.signing import Verify
from services.contracts.errors import Permanent, Transient
from services.runtime.clock import Clock
from services.runtime.kafka.admin import admin, end_offsets
from services.runtime.kafka.broker import BrokerError
from services.runtime.kafka.config import Connection
from services.runtime.kafka.ends import committed_end
from services.runtime.kafka.errors import is_end, reading_error, translated
from services.runtime.kafka.types import Partition

log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0
_BATCH = 500
_POLL_S = 0.1
# Without a record for so long something holds the topic's end back. Above config.TRANSACTION_TIMEOUT_MS.
_PATIENCE_S = 30.0


class ChainReader:
    """What is committed in `audit`, folded. One thread at a time; reads some thousand records a second."""

    def __init__(
        self,
        connection: Connection,
        topic: str,
        *,
        registry: Callable[[], KeyRegistry],
        verify: Verify,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._home = Partition(topic, 0)
        self._registry = registry
        self._verify = verify
        self._clock = clock
        self._restart()

    def warm(self, beat: Callable[[], None]) -> None:
        """Read what is committed now, so that `read_on` has less to do; `beat` hears of every batch. Blocks."""
        with self._reading():
            self._read(None, beat)

    def read_on(self) -> Sequencer:
        """The state at the end of the topic, for the caller to go on from.

        The end is that of everything written, not of what is committed: an open transaction is waited for. Blocks.
        Raises BrokenChain for what a sequencer's key signed and cannot be true, Transient if Kafka is away.
        """
        with self._reading():
            with admin(self._connection) as client:
                end = end_offsets(client, [self._home], timeout_s=_TIMEOUT_S)[self._home]
            self._read(end, lambda: None)
        return self._folded.copy()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        self._folded.registry = self._registry()
        try:
            yield
        except BrokerError as failed:
            raise Transient(f"{self._home.topic} cannot be read: {failed}") from failed
        except Permanent:
            self._restart()
            raise
        self._tell()

    def _tell(self) -> None:
        if self._passed_over:
            told = {reason.value: count for reason, count in sorted(self._passed_over.items())}
            log.warning("records that are no part of the audit chain were passed over", extra=told)
            self._passed_over.clear()

    def _restart(self) -> None:
        self._next = 0
        self._passed_over: Counter[Stray] = Counter()
        self._folded = Sequencer(self._registry(), self._verify)

    def _read(self, end: int | None, beat: Callable[[], None]) -> None:
        """To `end`, or to where the committed records end now."""
        if end is not None and self._next >= end:
            return
        consumer = Consumer(
            {
                **self._connection.options(),
                # librdkafka wants a name; nothing is ever committed under it.
                "group.id": f"audit-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                # The end of a partition is told by an empty fetch: at its default that takes half a second.
                "fetch.wait.max.ms": 10,
            }
        )
        try:
            until = committed_end(consumer, self._home, timeout_s=_TIMEOUT_S) if end is None else end
            consumer.assign([TopicPartition(*self._home, self._next)])
            last_s = self._clock.monotonic()
            while self._next < until:
                with translated(reading_error):
                    messages = consumer.consume(_BATCH, _POLL_S)
                for message in messages:
                    self._take(message)
                beat()
                if messages:
                    last_s = self._clock.monotonic()
                elif self._clock.monotonic() - last_s > _PATIENCE_S:
                    raise Transient(f"{self._home.topic} shows nothing after {self._next}")
        finally:
            consumer.close()

    def _take(self, message: Message) -> None:
        error, offset = message.error(), message.offset()
        if is_end(error):
            # Behind the last record may come what marks a transaction's end, which nobody gets to see.
            self._next = max(self._next, offset or 0)
        elif error is None:
            found = taken_up(self._folded, message.value() or b"")
            if isinstance(found, Stray):
                self._passed_over[found] += 1
            self._next = (offset or 0) + 1
        elif not error.retriable():
            raise reading_error(error)

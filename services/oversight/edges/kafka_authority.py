"""The topic `authority` as its one writer has it: fenced, in transactions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from services.contracts import codec_authority, topics
from services.contracts.audit.requests import SignedRequest
from services.contracts.authorisation.records import Record
from services.contracts.errors import Oversized, Undecodable
from services.oversight.core.clerk import Entry
from services.oversight.ports import LogLost, NotRecorded
from services.runtime.kafka.broker import (
    Abortable,
    BrokerError,
    Fenced,
    Retriable,
    TooLarge,
    TransactionalProducerPort,
)
from services.runtime.kafka.config import Connection, Options, transactional_options
from services.runtime.kafka.follow import Follower
from services.runtime.kafka.passing import OnError
from services.runtime.kafka.producer import KafkaTransactionalProducer
from services.runtime.kafka.types import Output
from services.runtime.retry import retry

log = logging.getLogger(__name__)

# One try of a call to the broker, and all tries of one. A lease lives 10 s: a leader that waits longer for its
# broker has nothing left to keep alive, and begins anew.
_STEP_S = 2.0
_WITHIN_S = 8.0
# The whole topic: as many leases as one segment holds, and the papers of years.
_READ_S = 30.0
_LOOK_S = 0.01

MakeProducer = Callable[[Options, OnError], TransactionalProducerPort]
Read = Callable[[], list[bytes]]


class KafkaAuthorityLog:
    """`AuthorityLog` on Kafka. The transactional id is the organisation's: who takes it fences who had it."""

    def __init__(
        self,
        connection: Connection,
        *,
        organisation: str,
        on_error: OnError,
        on_undecodable: Callable[[], None],
        topic: str = topics.AUTHORITY.name,
        requests: str = topics.AUDIT_REQUESTS.name,
        make_producer: MakeProducer = KafkaTransactionalProducer,
        read: Read | None = None,
    ) -> None:
        self._options = transactional_options(
            connection,
            transactional_id=f"oversight-authority-{organisation}",
            writes=[topics.AUTHORITY, topics.AUDIT_REQUESTS],
        )
        self._organisation = organisation
        self._topic = topic
        self._requests = requests
        self._on_error = on_error
        self._on_undecodable = on_undecodable
        self._make_producer = make_producer
        self._read = read or (lambda: read_to_end(connection, topic, on_error))
        self._producer: TransactionalProducerPort | None = None

    def take(self) -> list[Record]:
        producer = self._make_producer(self._options, self._on_error)
        self._settle("init", lambda: producer.init(_STEP_S))
        # Behind the fence: what the one before had under way is committed or aborted by now.
        values = self._read()
        self._producer = producer
        return [record for value in values if (record := self._decoded(value)) is not None]

    def append(self, entries: Sequence[Entry], requests: Sequence[SignedRequest] = ()) -> None:
        producer = self._producer
        if producer is None:
            raise LogLost("not taken", to_another=False)
        outputs = self._outputs(entries, requests)
        try:
            producer.begin()
            for output in outputs:
                producer.send(output)
            retry(lambda: producer.commit(_STEP_S), on=(Retriable,), deadline_s=_WITHIN_S)
        except (Abortable, TooLarge) as refused:
            producer.take_refused()
            self._settle("abort", lambda: producer.abort(_STEP_S))
            raise NotRecorded(f"Kafka refused the transaction: {refused}") from refused
        except BrokerError as lost:
            raise self._lost("commit", lost) from lost

    def release(self) -> None:
        self._producer = None

    def _outputs(self, entries: Sequence[Entry], requests: Sequence[SignedRequest]) -> list[Output]:
        """Raises NotRecorded for a record that the topic would not take."""
        asked = [Output(self._requests, one.content.producer.encode(), one.raw) for one in requests]
        try:
            return [*(self._output(entry) for entry in entries), *asked]
        except Oversized as refused:
            raise NotRecorded(f"too large to be recorded: {refused}") from refused

    def _output(self, entry: Entry) -> Output:
        key = codec_authority.key_of(entry.said, organisation=self._organisation)
        return Output(self._topic, key, codec_authority.encode(entry.record), partition=0)

    def _decoded(self, value: bytes) -> Record | None:
        try:
            return codec_authority.decode(value)
        except Undecodable:
            self._on_undecodable()
            return None

    def _settle(self, name: str, call: Callable[[], None]) -> None:
        try:
            retry(call, on=(Retriable,), deadline_s=_WITHIN_S)
        except BrokerError as lost:
            raise self._lost(name, lost) from lost

    def _lost(self, name: str, error: BrokerError) -> LogLost:
        self._producer = None
        return LogLost(f"{name}: {error}", to_another=isinstance(error, Fenced))


def read_to_end(connection: Connection, topic: str, on_error: OnError) -> list[bytes]:
    """Every committed value, oldest first; tombstones left out. Blocks; raises LogLost if it takes too long."""
    values: list[bytes] = []
    follower = Follower(connection, topic, values.append, on_error=on_error)
    follower.start()
    give_up_s = time.monotonic() + _READ_S
    try:
        while not follower.caught_up():
            if time.monotonic() > give_up_s:
                raise LogLost(f"{topic} was not read to its end in {_READ_S:.0f} s", to_another=False)
            time.sleep(_LOOK_S)
    finally:
        follower.stop()
    return [value for value in values if value]

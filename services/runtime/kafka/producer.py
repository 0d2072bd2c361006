"""The two producer ports on librdkafka."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from services.runtime.kafka.broker import BrokerError, Fatal, GroupMetadata, Retriable
from services.runtime.kafka.config import Options
from services.runtime.kafka.errors import delivery_error, transaction_error
from services.runtime.kafka.passing import OnError, PassingErrors
from services.runtime.kafka.types import Output, Partition

log = logging.getLogger(__name__)
# What librdkafka says by itself is not ours to count as an error: that comes through its callbacks.
_rdkafka_log = logging.getLogger("librdkafka")

OnDelivered = Callable[[BrokerError | None], None]

# A full local queue is waited for this long: the broker is slow. At 0 a burst would fail the batch; it stays
# below the transaction's timeout, or the broker ends the transaction first.
_ROOM_S = 5.0
_ROOM_STEP_S = 0.05


class KafkaProducer:
    """An idempotent producer; one thread owns it. `on_error` gets the code of errors that pass by themselves."""

    def __init__(self, options: Options, on_error: OnError) -> None:
        self._client = _client(options, on_error)

    def send(self, output: Output, on_delivered: OnDelivered) -> None:
        """Queue one record. Raises Retriable when there is no room for it within 5 s."""

        def answered(error: KafkaError | None, _message: Message) -> None:
            on_delivered(None if error is None else delivery_error(error))

        _produce(self._client, output, answered)

    def poll(self) -> None:
        """Serve answers; never blocks."""
        self._client.poll(0)

    def flush(self, timeout_s: float) -> int:
        """Wait for all answers; returns how many are missing."""
        return self._client.flush(timeout_s)

    def purge(self) -> None:
        """Give up what is queued, and serve the errors that answer it."""
        self._client.purge()
        self._client.flush(_ROOM_S)


class KafkaTransactionalProducer:
    """A transactional producer; one thread owns it. Failed deliveries surface in `commit`, and are counted."""

    def __init__(self, options: Options, on_error: OnError) -> None:
        self._passing = PassingErrors(log, on_error)
        self._client = _client(options, on_error)

    def init(self, timeout_s: float) -> None:
        """Fence and complete the predecessor of this transactional id."""
        _call(lambda: self._client.init_transactions(timeout_s))

    def begin(self) -> None:
        """Begin a transaction."""
        _call(self._client.begin_transaction)

    def send(self, output: Output) -> None:
        """Queue one record; nothing is visible before `commit`."""
        try:
            _call(lambda: _produce(self._client, output, self._answered))
        except Fatal:
            # That says only that all is over; a move of the transaction says why: another has our place, say.
            _call(self._client.begin_transaction)
            raise

    def send_offsets(self, offsets: Mapping[Partition, int], group: GroupMetadata, timeout_s: float) -> None:
        """Make the group's next offsets part of this transaction."""
        wanted = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
        _call(lambda: self._client.send_offsets_to_transaction(wanted, group, timeout_s))

    def commit(self, timeout_s: float) -> None:
        """Flush and commit; on Retriable the end is not known, call again."""
        _call(lambda: self._client.commit_transaction(timeout_s))

    def abort(self, timeout_s: float) -> None:
        """Purge and abort."""
        _call(lambda: self._client.abort_transaction(timeout_s))

    def _answered(self, error: KafkaError | None, _message: Message) -> None:
        # An aborted transaction's own purge is no error.
        if error is not None and error.code() not in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            self._passing(error)


def _client(options: Options, on_error: OnError) -> Producer:
    return Producer({**options, "error_cb": PassingErrors(log, on_error)}, logger=_rdkafka_log)


def _call(call: Callable[[], None]) -> None:
    try:
        call()
    except KafkaException as raised:
        raise transaction_error(raised) from raised


def _produce(client: Producer, output: Output, answered: Callable[[KafkaError | None, Message], None]) -> None:
    """Hand one record to librdkafka, making room by serving answers while its queue is full."""
    give_up = time.monotonic() + _ROOM_S
    while True:
        try:
            client.produce(
                output.topic,
                value=output.value,
                key=output.key,
                partition=-1 if output.partition is None else output.partition,
                headers=list(output.headers),
                on_delivery=answered,
            )
        except BufferError as full:
            if time.monotonic() > give_up:
                raise Retriable("_QUEUE_FULL", "the local queue stays full") from full
            client.poll(_ROOM_STEP_S)
        else:
            client.poll(0)
            return

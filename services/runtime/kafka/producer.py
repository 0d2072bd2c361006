"""The two producer ports on librdkafka."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, Message, Producer, TopicPartition

from services.runtime.kafka.broker import BrokerError, Fatal, GroupMetadata, Retriable, TooLarge
from services.runtime.kafka.config import Options
from services.runtime.kafka.errors import sending_error, transaction_error, translated
from services.runtime.kafka.passing import OnError, PassingErrors
from services.runtime.kafka.sizes import check_fits
from services.runtime.kafka.types import Next, Output, Partition

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
        self._passing = PassingErrors(log, on_error)
        self._client = _client(options, self._passing)

    def send(self, output: Output, on_delivered: OnDelivered) -> None:
        """Queue one record. Raises Retriable when there is no room for it within 5 s, Fatal."""

        def answered(error: KafkaError | None, _message: Message) -> None:
            on_delivered(None if error is None else sending_error(error))

        try:
            with translated(sending_error):
                _produce(self._client, output, answered)
        except (Retriable, Fatal):
            raise
        except BrokerError as refused:
            self._passing.tell(refused.code, str(refused))
            on_delivered(refused)

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
        self._client = _client(options, self._passing)
        self._refused: list[Output] = []

    def init(self, timeout_s: float) -> None:
        """Fence and complete the predecessor of this transactional id."""
        _call(lambda: self._client.init_transactions(timeout_s))

    def begin(self) -> None:
        """Begin a transaction."""
        _call(self._client.begin_transaction)

    def send(self, output: Output) -> None:
        """Queue one record; nothing is visible before `commit`."""

        def answered(error: KafkaError | None, _message: Message) -> None:
            self._answered(output, error)

        try:
            _call(lambda: _produce(self._client, output, answered))
        except TooLarge as refused:
            self._passing.tell(refused.code, str(refused))
            raise
        except Fatal:
            # That says only that all is over; a move of the transaction says why: another has our place, say.
            _call(self._client.begin_transaction)
            raise

    def send_offsets(self, offsets: Mapping[Partition, Next], group: GroupMetadata, timeout_s: float) -> None:
        """Make the group's next offsets part of this transaction."""
        wanted = [TopicPartition(*partition, *one) for partition, one in offsets.items()]
        _call(lambda: self._client.send_offsets_to_transaction(wanted, group, timeout_s))

    def commit(self, timeout_s: float) -> None:
        """Flush and commit; on Retriable the end is not known, call again."""
        _call(lambda: self._client.commit_transaction(timeout_s))

    def abort(self, timeout_s: float) -> None:
        """Purge and abort."""
        _call(lambda: self._client.abort_transaction(timeout_s))

    def take_refused(self) -> list[Output]:
        """What the broker found too large since the last call."""
        refused, self._refused = self._refused, []
        return refused

    def _answered(self, output: Output, error: KafkaError | None) -> None:
        # An aborted transaction's own purge is no error.
        if error is None or error.code() in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            return
        if isinstance(sending_error(error), TooLarge):
            self._refused.append(output)
        self._passing(error)


def _client(options: Options, passing: PassingErrors) -> Producer:
    return Producer({**options, "error_cb": passing}, logger=_rdkafka_log)


def _call(call: Callable[[], None]) -> None:
    with translated(transaction_error):
        call()


def _produce(client: Producer, output: Output, answered: Callable[[KafkaError | None, Message], None]) -> None:
    """Hand one record to librdkafka, making room by serving answers while its queue is full.

    Raises TooLarge for one that its topic would not take, Retriable without room.
    """
    check_fits(output)
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

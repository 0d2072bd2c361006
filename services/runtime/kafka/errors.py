"""From librdkafka's error codes to what the loop must do."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from services.runtime.kafka.broker import Abortable, BrokerError, Fatal, Fenced, Retriable

_FENCED = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
    }
)

# Not this member's partition any more, or not yet again: what it did is read again by the owner.
_NO_LONGER_OWNER = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.FENCED_MEMBER_EPOCH,
    }
)

# Waiting does not help: somebody has to change a permission or set an offset.
_HOPELESS = frozenset(
    {
        KafkaError._AUTO_OFFSET_RESET,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError._AUTHENTICATION,
    }
)

_LATER = frozenset({KafkaError._TIMED_OUT, KafkaError._QUEUE_FULL})


def reading_error(error: KafkaError) -> BrokerError:
    """What a consumer's error means; most pass by themselves."""
    kind = Fatal if error.fatal() or error.code() in _HOPELESS else Retriable
    return kind(error.name(), error.str())


def commit_error(raised: KafkaException) -> BrokerError:
    """What a refused commit without a transaction means."""
    error = _inner(raised)
    if error.fatal() or error.code() in _HOPELESS:
        return Fatal(error.name(), error.str())
    if error.code() in _NO_LONGER_OWNER or not error.retriable():
        return Abortable(error.name(), error.str())
    return Retriable(error.name(), error.str())


def transaction_error(raised: KafkaException) -> BrokerError:
    """What an error inside a transaction means; what is neither retriable nor abortable is fatal."""
    error = _inner(raised)
    kind: type[BrokerError] = Fatal
    if error.code() in _FENCED:
        kind = Fenced
    elif error.fatal():
        kind = Fatal
    elif error.txn_requires_abort() or error.code() in _NO_LONGER_OWNER:
        kind = Abortable
    elif error.retriable() or error.code() in _LATER:
        kind = Retriable
    return kind(error.name(), error.str())


def delivery_error(error: KafkaError) -> BrokerError:
    """What a record's failed delivery means: at the least, its batch is lost."""
    if error.code() in _FENCED:
        return Fenced(error.name(), error.str())
    kind = Fatal if error.fatal() else Abortable
    return kind(error.name(), error.str())


def _inner(raised: KafkaException) -> KafkaError:
    error = raised.args[0]
    if not isinstance(error, KafkaError):
        raise raised
    return error

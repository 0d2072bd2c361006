"""From librdkafka's errors to what their reader must do: the one place that knows the client's own exceptions.

No KafkaException leaves this package: what calls the client does so inside `translated`, and raises a BrokerError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from services.runtime.kafka.broker import Abortable, BrokerError, Fatal, Fenced, Retriable, TooLarge

Meaning = Callable[[KafkaError], BrokerError]

_FENCED = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
    }
)

# One record that the broker, or the client before it, does not take. All others are taken.
_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})

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


@contextmanager
def translated(meaning: Meaning) -> Iterator[None]:
    """What the client raises inside is raised as what `meaning` makes of it."""
    try:
        yield
    except KafkaException as raised:
        raise meaning(cause(raised)) from raised


def cause(raised: KafkaException) -> KafkaError:
    """The error that an exception carries; one without is as bad as any."""
    error = raised.args[0] if raised.args else None
    return error if isinstance(error, KafkaError) else KafkaError(KafkaError._FAIL, str(raised))


def is_end(error: KafkaError | None) -> bool:
    """Whether a message is no record, but says that its partition has come to its end."""
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def reading_error(error: KafkaError) -> BrokerError:
    """What a consumer's error means, or that of a question that changes nothing; most pass by themselves."""
    return _certain(error, _HOPELESS) or _as(Retriable, error)


def commit_error(error: KafkaError) -> BrokerError:
    """What a refused commit without a transaction means."""
    known = _certain(error, _HOPELESS)
    if known is not None:
        return known
    lost = error.code() in _NO_LONGER_OWNER or not error.retriable()
    return _as(Abortable if lost else Retriable, error)


def transaction_error(error: KafkaError) -> BrokerError:
    """What an error inside a transaction means; what is neither retriable nor abortable is fatal."""
    known = _certain(error)
    if known is not None and not error.txn_requires_abort():
        return known
    kind: type[BrokerError] = Fatal
    if error.txn_requires_abort() or error.code() in _NO_LONGER_OWNER:
        kind = Abortable
    elif error.retriable() or error.code() in _LATER:
        kind = Retriable
    return _as(kind, error)


def sending_error(error: KafkaError) -> BrokerError:
    """What it means that a record was not taken, or not delivered: at the least, its batch is lost."""
    return _certain(error) or _as(Abortable, error)


def _certain(error: KafkaError, hopeless: frozenset[int] = frozenset()) -> BrokerError | None:
    """What an error means wherever it is met; None where that depends on the call."""
    code = error.code()
    if code in _FENCED:
        return _as(Fenced, error)
    if code in _TOO_LARGE:
        return _as(TooLarge, error)
    return _as(Fatal, error) if error.fatal() or code in hopeless else None


def _as(kind: type[BrokerError], error: KafkaError) -> BrokerError:
    return kind(error.name(), error.str())

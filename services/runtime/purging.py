"""A process's part in a purge: keys destroyed, what else it keeps removed, its answer."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import redis

from services.contracts import keys as key_specs
from services.contracts import topics
from services.contracts.authorisation.purging import Holder, PurgeAnswer, PurgeAnswered, What, key_of
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import sign
from services.contracts.errors import Transient
from services.contracts.keyspec import Where
from services.runtime.clock import Clock
from services.runtime.kafka.broker import BrokerError, Retriable
from services.runtime.kafka.config import Connection, producer_options
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.kafka.types import Output
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.port import KeyStore
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.process import Context
from services.runtime.redis_client import as_transient, connect
from services.runtime.retry import retry
from services.runtime.settings import ServiceSettings
from services.runtime.signing_key import read_signing_key

log = logging.getLogger(__name__)

# Destroyed, and looked again, until nothing is found: another process may be minting its last.
_PASSES = 5
_FLUSH_S = 5.0
# What a restart of Redis or of a broker takes; then the process ends without an answer, and is started anew.
_WITHIN_S = 20.0
_AT_ONCE = 500


@dataclass(frozen=True)
class Values:
    """Values in the durable Redis whose names begin with `prefix`; `keeps` says of one that it is held."""

    what: What
    prefix: str
    keeps: Callable[[bytes], bool] = lambda value: False


@dataclass(frozen=True)
class Share:
    """Who answers, for which deployment, and what it keeps beside keys. `undelivered` must not be left behind."""

    holder: Holder
    deployment: str
    instance: str
    values: Sequence[Values] = ()
    undelivered: Callable[[redis.Redis], int] = lambda durable: 0
    before: Callable[[], None] = lambda: None
    """Called before anything is destroyed: what is held is brought out of the way. May raise Transient."""


@dataclass(frozen=True)
class Stores:
    """Where keys lie, and the durable Redis."""

    volatile: VolatileKeys
    store: KeyStore
    durable: redis.Redis

    def of(self, where: Where) -> KeyStore:
        return self.volatile if where is Where.VOLATILE else self.store


class Purge:
    """One thread at a time. Raises Transient where a store, or Kafka, does not answer."""

    def __init__(
        self,
        share: Share,
        stores: Stores,
        answer: Callable[[Output], None],
        clock: Clock,
        *,
        key: SigningKey,
    ) -> None:
        self._key = key
        self._share = share
        self._stores = stores
        self._answer = answer
        self._clock = clock

    def shed(self) -> int:
        """Destroy the parts that a stop destroys; how many there were."""
        what, where, prefix = key_specs.epochs(self._share.deployment)
        shed = self._stores.of(where).destroy_prefix(prefix)
        log.info("keys destroyed at the stop", extra={"what": what, "keys": shed})
        return shed

    def obey(self, version: int, order: int) -> PurgeAnswer:
        """Destroy everything, look, and answer. Blocks; done twice it finds nothing."""
        share = self._share
        share.before()
        destroyed, left = Counter[What](), self._one_pass()
        for _ in range(_PASSES):
            destroyed.update(left)
            left = self._one_pass()
            if not left.total():
                break
        self._stores.volatile.scrub()
        left[What.UNDELIVERED] = share.undelivered(self._stores.durable)
        answer = PurgeAnswer(
            deployment=share.deployment,
            version=version,
            order=order,
            holder=share.holder,
            instance=share.instance,
            at=self._clock.now(),
            destroyed=_told(destroyed),
            left=_told(left),
            held=self._held(),
        )
        said = PurgeAnswered(deployment=answer.deployment, signed_at=answer.at, answer=answer)
        self._answer(Output(topics.PURGES.name, key_of(answer), sign(said, self._key).encode()))
        log.info("purged", extra={"destroyed": destroyed.total(), "left": left.total(), "held": answer.held})
        return answer

    def _one_pass(self) -> Counter[What]:
        found: Counter[What] = Counter()
        for what, where, prefix in key_specs.purged(self._share.deployment):
            found[what] += self._stores.of(where).destroy_prefix(prefix)
        with as_transient("purging"):
            for values in self._share.values:
                goes = [name for name, kept in _names(self._stores.durable, values) if not kept]
                found[values.what] += int(self._stores.durable.delete(*goes)) if goes else 0
        return found

    def _held(self) -> int:
        with as_transient("purging"):
            return sum(kept for values in self._share.values for _, kept in _names(self._stores.durable, values))


def look(share: Share, stores: Stores) -> dict[What, int]:
    """What `Purge.obey` would destroy; destroys nothing. Raises Transient."""
    found: Counter[What] = Counter()
    for what, where, prefix in key_specs.purged(share.deployment):
        found[what] += len(stores.of(where).lives_s(prefix))
    with as_transient("looking what there is to purge"):
        for values in share.values:
            found[values.what] += sum(not kept for _, kept in _names(stores.durable, values))
    return _told(found)


def _names(durable: redis.Redis, values: Values) -> Iterator[tuple[bytes | str, bool]]:
    """Every name, and whether its value is held."""
    pattern = "".join(f"\\{one}" if one in "*?[]\\^" else one for one in values.prefix) + "*"
    for name in durable.scan_iter(match=pattern, count=_AT_ONCE):
        # MGET: a value of another type, which none of us wrote, is nothing to it, and goes with the rest.
        (value,) = durable.mget([name])
        yield name, isinstance(value, bytes) and values.keeps(value)


def _told(amounts: Counter[What]) -> dict[What, int]:
    return {what: amounts[what] for what in What if amounts[what]}


def purge(
    settings: ServiceSettings,
    context: Context,
    holder: Holder,
    *,
    values: Sequence[Values] = (),
    undelivered: Callable[[redis.Redis], int] = lambda durable: 0,
    before: Callable[[], None] = lambda: None,
    slot: str = "",
) -> Purge:
    """On the process's own stores; connects to nothing yet. Raises Misconfigured."""
    name = f"{holder}-purge"
    key = read_signing_key(settings.service_key_file, variable="SERVICE_KEY_FILE")
    connection = Connection(settings.kafka_bootstrap, f"{name}-{settings.instance}")
    volatile = VolatileKeys(connect(settings.redis_volatile_url, client_name=name), context.clock)
    store = FolderKeys(settings.keys_dir, context.clock)
    durable = connect(settings.redis_durable_url, client_name=name)
    instance = f"{settings.instance}.{slot}" if slot else settings.instance
    return Purge(
        Share(holder, settings.deployment, instance, values, undelivered, before),
        Stores(volatile, store, durable),
        lambda output: publish(connection, output),
        context.clock,
        key=key,
    )


def publish(connection: Connection, output: Output) -> None:
    """Have one record acknowledged by Kafka. Blocks; raises Transient."""
    failed: list[BrokerError | None] = []
    producer = KafkaProducer(producer_options(connection), lambda code: None)
    try:
        producer.send(output, failed.append)
    except Retriable as full:
        raise Transient(f"{output.topic}: {full}") from full
    producer.flush(_FLUSH_S)
    if failed != [None]:
        raise Transient(f"{output.topic}: not acknowledged")


class Purging(Protocol):
    """A process's part, as who runs it needs it."""

    def shed(self) -> int:
        """See `Purge.shed`."""
        ...

    def obey(self, version: int, order: int) -> PurgeAnswer:
        """See `Purge.obey`."""
        ...


def obey(purge: Purging, version: int, order: int) -> bool:
    """Whether it was obeyed and answered; tried again for a while. What hinders it is said, and ends nobody.

    A process that ended over it would be started anew, and end again: the order would be answered by no one, and
    nobody could ask it why.
    """
    try:
        retry(lambda: purge.obey(version, order), on=(Transient,), deadline_s=_WITHIN_S)
    except Transient as hindered:
        log.warning("not purged", extra={"reason": str(hindered)})
        return False
    except Exception as unable:  # noqa: BLE001 - whatever it is, the order stands and somebody has to hear of it
        # Its kind and place only: the text may hold what the answer was about.
        said = {"kind": type(unable).__name__, "at": _place(unable)}
        log.error("an order to purge cannot be answered", extra=said)  # noqa: TRY400 - no trace, see above
        return False
    return True


def _place(raised: BaseException) -> str:
    """Where in our code it was raised."""
    frame = traceback.extract_tb(raised.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"

"""The one writer of the audit chain on Kafka: reads `audit_requests`, appends to `audit`, in one transaction.

Whoever begins with the transactional id fences its predecessor and settles what that left; only then is the head
recovered, from the topic. So of two that run, by mistake or by a late awakening, the elder ends (Fenced) before
anything of it counts. Then it begins a term: a record in a transaction of its own, behind which nothing counts but
what it signs from now on (contracts/audit/terms.py). What a service has signed and cannot be chained is passed
over and pages; what no service has signed is passed over, counted. Neither stops anybody else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from services.contracts import codec_audit, topics
from services.contracts.audit.chain import SignedTreeHead
from services.contracts.audit.registry import KeyRegistry
from services.contracts.audit.requests import SignedRequest
from services.contracts.audit.sequencer import Conflict, Gap, Sequencer
from services.contracts.audit.signing import Signer
from services.contracts.errors import Permanent, Transient, Undecodable
from services.oversight.core.sequencing import Record as ChainRecord
from services.oversight.core.sequencing import chained, heads
from services.oversight.edges.kafka_chain_reader import ChainReader
from services.oversight.edges.kafka_chain_requests import WholeTopic
from services.runtime.clock import Clock
from services.runtime.kafka.broker import Abortable, Retriable, TransactionalProducerPort
from services.runtime.kafka.commit import SETTLE_S, STEP_S, FaultPoint, Transactional, no_fault
from services.runtime.kafka.config import Connection, transactional_options
from services.runtime.kafka.loop import Loop, Shape
from services.runtime.kafka.metrics import LoopMetrics, Status
from services.runtime.kafka.passing import OnError
from services.runtime.kafka.producer import KafkaTransactionalProducer
from services.runtime.kafka.types import NOTHING, Outcome, Output, Partition, Prepared, Record
from services.runtime.keys.ed25519 import verify
from services.runtime.retry import retry

log = logging.getLogger(__name__)

Anchor = Callable[[Sequence[SignedTreeHead]], None]
AtOnce = Callable[[Sequence[Output]], None]
"""Committed on return, in a transaction of their own; only while nothing else of ours is under way."""


class PassedOver(Protocol):
    """Who counts the requests that are not chained. Any thread."""

    def disbelieved(self) -> None:
        """One that anybody may have written."""

    def unchained(self, why: Gap | Conflict) -> None:
        """A genuine one that cannot follow its producer's last."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """Where requests come from and entries go to; `fence` is the transactional id and the group.

    The fence belongs to the topic `audit`: two with different ones would write two histories into it.
    """

    requests: str = topics.AUDIT_REQUESTS.name
    audit: str = topics.AUDIT.name
    fence: str = "signpost-audit"


@dataclass(frozen=True)
class Appended(Outcome):
    """An outcome that knows the heads among its records."""

    heads: tuple[SignedTreeHead, ...] = ()


class ChainWriter:
    """The handler of `audit_requests`. Recovers its state whenever that may have parted from the topic."""

    def __init__(  # noqa: PLR0913 - the parts, by name
        self,
        *,
        recover: Callable[[], Sequencer],
        at_once: AtOnce,
        registry: Callable[[], KeyRegistry],
        signer: Signer,
        topic: str,
        head_every_s: float,
        anchor: Anchor,
        passed_over: PassedOver,
        clock: Clock,
        faults: FaultPoint = no_fault,
    ) -> None:
        self._recover = recover
        self._at_once = at_once
        self._registry = registry
        self._signer = signer
        self._topic = topic
        self._head_every_s = head_every_s
        self._anchor = anchor
        self._passed_over = passed_over
        self._clock = clock
        self._faults = faults
        self._sequencer: Sequencer | None = None
        # From then on something of ours may be under way.
        self._wrote = False
        self._next_heads_s = clock.monotonic()

    def prepare(self, record: Record) -> SignedRequest | None:
        """Decode, None for what is no request; whose signature it is shows when it is chained. Pool threads."""
        try:
            return codec_audit.read_request(record.value)
        except Undecodable:
            return None

    def handle(self, items: Sequence[Prepared[SignedRequest | None]]) -> Outcome:
        """Append the batch. Raises BrokenChain; Transient, NotEntitled among them."""
        # The loop hands in nothing before all that was under way is settled, so this finds the whole of it.
        sequencer = self._recovered()
        sequencer.registry = self._registry()
        requests = [one.item for one in items if one.item is not None]
        found = chained(sequencer, requests, self._signer, now=self._clock.now())
        for _ in range(len(items) - len(requests)):
            self._passed_over.disbelieved()
            log.warning("record of the audit requests cannot be read")
        for one in found.disbelieved:
            self._passed_over.disbelieved()
            log.warning("audit request not believed", extra={"producer": one.producer, "key": one.key})
        for other in found.unchained:
            self._passed_over.unchained(other)
            log.warning("audit request cannot follow its producer's last", extra=_told(other))
        self._faults("appended")
        return self._outcome(found.records)

    def assigned(self, partitions: Collection[Partition]) -> None:
        """Nothing to prepare."""

    def revoked(self, partitions: Collection[Partition]) -> None:
        """What was appended since may never be recorded."""
        self._sequencer = None

    def delivered(self, outcome: Outcome) -> None:
        """Show the heads to the outside. Delivery thread."""
        if isinstance(outcome, Appended) and outcome.heads:
            self._anchor(outcome.heads)

    def tick(self) -> Outcome:
        """Heads over what has grown, every `head_every_s`, and once at the start."""
        if self._clock.monotonic() < self._next_heads_s or (self._sequencer is None and self._wrote):
            return NOTHING
        self._next_heads_s = self._clock.monotonic() + self._head_every_s
        try:
            sequencer = self._recovered()
        except Permanent:
            # A chain that is broken has no head to sign; the next request says so, and waits with its partition.
            return NOTHING
        return self._outcome(heads(sequencer, self._signer, now=self._clock.now()))

    def _recovered(self) -> Sequencer:
        if self._sequencer is None:
            self._faults("before_recovery")
            self._sequencer = self._begun()
            self._faults("after_recovery")
            # What a predecessor could not have anchored is made good.
            self._anchor(self._sequencer.last_heads)
        return self._sequencer

    def _begun(self) -> Sequencer:
        """The state behind the beginning of a term of ours. Raises NotEntitled, BrokenChain, Transient."""
        term = self._recover().begin(self._signer, now=self._clock.now())
        self._wrote = True
        self._at_once([Output(self._topic, b"", codec_audit.encode_record(term), partition=0)])
        # What somebody copied there meanwhile counts if it stands before our record, and then we go on from it.
        sequencer = self._recover()
        if sequencer.term != term:
            raise Transient("another term began before this one: begin again")
        return sequencer

    def _outcome(self, records: Sequence[ChainRecord]) -> Outcome:
        if not records:
            return NOTHING
        self._wrote = True
        return Appended(
            outputs=tuple(self._output(record) for record in records),
            heads=tuple(record for record in records if isinstance(record, SignedTreeHead)),
        )

    def _output(self, record: ChainRecord) -> Output:
        chain = record.head.chain if isinstance(record, SignedTreeHead) else record.chain
        return Output(self._topic, chain.encode(), codec_audit.encode_record(record), partition=0)


def _told(why: Gap | Conflict) -> dict[str, object]:
    match why:
        case Gap():
            return {"kind": "audit_gap", "producer": why.producer, "expected": why.expected, "got": why.got}
        case Conflict():
            return {"kind": "audit_conflict", "producer": why.producer, "got": why.sequence}


def at_once(producer: TransactionalProducerPort, outputs: Sequence[Output]) -> None:
    """`AtOnce` with the very producer that is the fence. Raises Transient: nothing was written; Fatal, Fenced."""
    try:
        producer.begin()
        for output in outputs:
            producer.send(output)
        retry(lambda: producer.commit(STEP_S), on=(Retriable,), deadline_s=SETTLE_S)
    except Abortable as refused:
        retry(lambda: producer.abort(STEP_S), on=(Retriable,), deadline_s=SETTLE_S)
        raise Transient(f"Kafka refused the transaction: {refused}") from refused


class ChainLoop:
    """The sequencer as a part of a process. `run` it in one process at a time: a second one ends the first."""

    def __init__(  # noqa: PLR0913 - the parts, by name
        self,
        connection: Connection,
        *,
        registry: Callable[[], KeyRegistry],
        signer: Signer,
        anchor: Anchor,
        passed_over: PassedOver,
        metrics: LoopMetrics,
        on_error: OnError,
        heartbeat: Callable[[], None],
        clock: Clock,
        drain_s: float = 10.0,
        head_every_s: float = 300.0,
        names: Names | None = None,
        faults: FaultPoint = no_fault,
    ) -> None:
        """`registry` answers with the newest one that the root has signed; `anchor` must not block."""
        names = names or Names()
        self._heartbeat = heartbeat
        self._reader = ChainReader(connection, names.audit, registry=registry, verify=verify, clock=clock)
        options = transactional_options(connection, transactional_id=names.fence, writes=[topics.AUDIT])
        producer = KafkaTransactionalProducer(options, on_error)
        writer = ChainWriter(
            recover=self._reader.read_on,
            at_once=lambda outputs: at_once(producer, outputs),
            registry=registry,
            signer=signer,
            topic=names.audit,
            head_every_s=head_every_s,
            anchor=anchor,
            passed_over=passed_over,
            clock=clock,
            faults=faults,
        )
        self._loop = Loop(
            writer,
            topics=[names.requests],
            consumer=WholeTopic(connection, group=names.fence, on_error=on_error),
            commits=Transactional(producer, faults=faults),
            shape=Shape(max_batch=64, prefetch_records=256, drain_s=drain_s),
            counts_record=None,
            dead_letters=None,
            metrics=metrics,
            heartbeat=heartbeat,
            clock=clock,
        )

    def status(self) -> Status:
        """How the loop stood at its last report; stuck partitions have something that cannot be chained."""
        return self._loop.status()

    def run(self, stop: threading.Event) -> None:
        """Sequence until `stop`; ends with what is in hand recorded.

        Raises Fenced when another sequencer has begun, and what the loop raises. Years are read before the fence
        and the last moments behind it: until then an elder may work.
        """
        # What is wrong is met again behind the fence, where the loop deals with it.
        with suppress(Permanent, Transient):
            self._reader.warm(self._heartbeat)
        self._loop.run(stop)

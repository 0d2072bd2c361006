"""From the outbox to Kafka: events as they were acknowledged, what the audit chain is to have of them, and counts.

One instance relays at a time, by a lease. The lease is for thrift, not for truth: every relay reads from the
head, in order, and removes only what Kafka has; so whatever two of them do at once, a reader that takes the
first record of each event id sees every event, once, and those of a case in order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Protocol

from services.contracts import topics
from services.contracts.audit.requests import AuditRequested, SignedRequest
from services.contracts.counts import Count, Stage
from services.contracts.errors import Oversized, Transient
from services.contracts.ids import DeploymentId
from services.review.edges.outbox_redis import Entry, RedisOutbox
from services.review.metrics import ReviewMetrics
from services.runtime import counts_topic
from services.runtime.clock import Clock
from services.runtime.kafka.broker import BrokerError, Fatal, ProducerPort
from services.runtime.kafka.commit import FaultPoint, no_fault
from services.runtime.kafka.types import Output
from services.runtime.proofs import Prove

log = logging.getLogger(__name__)

_BATCH = 100
# Between two looks at an empty outbox: the least an event waits on its way to oversight.
_IDLE_S = 0.1
# A broker that does not answer within this has the batch tried again.
_FLUSH_S = 12.0
# Between two looks at counts and figures.
_FIGURES_S = 1.0
# Under which name the outbox itself is counted, whoever relays.
_OUTBOX = "outbox"


class Minutes(Protocol):
    """What an entry of the outbox asks to be recorded; and this service's key."""

    def of(self, entry: Entry, *, producer: str) -> Sequence[AuditRequested]:
        """Not yet numbered. Raises Transient."""
        ...

    def sign(self, request: AuditRequested) -> SignedRequest:
        """Raises Transient while the registry does not have our key: it would hold up its partition."""
        ...


class Relay:
    """Owns its producer and its side of the outbox; one thread's."""

    def __init__(  # noqa: PLR0913 - the parts, by name
        self,
        *,
        deployment: DeploymentId,
        instance: str,
        outbox: RedisOutbox,
        minutes: Minutes,
        producer: ProducerPort,
        prove: Prove,
        metrics: ReviewMetrics,
        clock: Clock,
        lease_s: float,
        faults: FaultPoint = no_fault,
    ) -> None:
        self._deployment = deployment
        self._instance = instance
        self._outbox = outbox
        self._minutes = minutes
        self._producer = producer
        self._prove = prove
        self._metrics = metrics
        self._clock = clock
        self._lease_s = lease_s
        self._faults = faults
        self._told: dict[str, Mapping[str, int]] = {}
        self._waiting: int | None = None
        self._figures_at_s = 0.0

    def run(self, stop: threading.Event) -> None:
        """Relay until told to stop, then once more until nothing waits. Raises Fatal of the broker."""
        while not stop.is_set():
            if not self.turn():
                stop.wait(_IDLE_S)
        self._empty()

    def turn(self) -> bool:
        """Deliver what waits, if the lease is ours; whether there was anything. Failures are tried again."""
        try:
            if not self._outbox.lease(self._instance, lasts_s=self._lease_s):
                self._figures(ours=False)
                return False
            entries = self._outbox.oldest(_BATCH)
            if entries:
                self._deliver(entries)
            self._figures(ours=True)
        except Fatal:
            raise
        except (Transient, BrokerError) as later:
            self._metrics.relay_failed()
            log.warning("relay put off", extra={"kind": type(later).__name__})
            return False
        return len(entries) > 0

    def _empty(self) -> None:
        """At the end: what is acknowledged is delivered, as far as the stores answer, and the lease let go."""
        while self.turn():
            continue
        try:
            self._tell_counts()
            self._outbox.release(self._instance)
        except (Transient, BrokerError) as later:
            log.warning("relay left its lease to run out", extra={"kind": type(later).__name__})

    def _deliver(self, entries: list[Entry]) -> None:
        # First, for it waits while our key is not registered: nothing is told twice meanwhile.
        for entry in entries:
            self._audit(entry)
        # Before the events: whoever reads one finds it counted, whatever happens to us in between.
        self._tell_counts()
        self._faults("before_outbox_produce")
        self._send([Output(topics.DECISIONS.name, entry.case.encode(), entry.event) for entry in entries])
        self._faults("before_outbox_remove")
        self._outbox.remove(entries)
        self._metrics.relayed(len(entries))

    def _audit(self, entry: Entry) -> None:
        """One request at a time: a later one before an earlier would be a gap that never closes."""
        numbered = self._outbox.minuted(entry, self._minutes.of(entry, producer=self._outbox.producer))
        self._faults("before_outbox_audit")
        for request in numbered:
            signed = self._minutes.sign(request)
            self._send([Output(topics.AUDIT_REQUESTS.name, request.producer.encode(), signed.raw)])

    def _send(self, outputs: list[Output]) -> None:
        """All of them, or an error; what was delivered before it goes out again, and is known by its id."""
        answers: list[BrokerError | None] = []
        for output in outputs:
            self._producer.send(self._prove(output), answers.append)
        if self._producer.flush(_FLUSH_S):
            self._producer.purge()
            raise Transient("Kafka did not answer for the outbox")
        for failed in answers:
            if failed is not None:
                raise failed

    def _figures(self, *, ours: bool) -> None:
        now_s = self._clock.monotonic()
        if now_s < self._figures_at_s:
            return
        self._figures_at_s = now_s + _FIGURES_S
        entries, oldest_ms = self._outbox.waiting()
        age_s = 0.0 if oldest_ms is None else self._clock.now().timestamp() - oldest_ms / 1000
        self._metrics.outbox(entries=entries, age_s=max(0.0, age_s))
        if ours:
            self._tell_counts()

    def _tell_counts(self) -> None:
        """Those of every process that has counted here, whichever instance publishes them.

        How many events wait is told first: what is counted and not yet told is never more than that.
        """
        counted, waiting = self._outbox.counts()
        self._metrics.alerts_lost(sum(found.get(Count.ALERTS_SKIPPED, 0) for found in counted.values()))
        if waiting != self._waiting:
            record = counts_topic.writer(self._deployment, Stage.REVIEW, _OUTBOX, self._clock)
            self._send([record({(self._deployment, Count.EVENTS_WAITING): waiting})])
            self._waiting = waiting
        for writer, found in counted.items():
            told = self._told.get(writer, {})
            if found == told:
                continue
            if any(found.get(name, 0) < amount for name, amount in told.items()):
                # Nothing is ever uncounted: what was told stands.
                self._outbox.refuse_counts()
                continue
            record = counts_topic.writer(self._deployment, Stage.REVIEW, writer, self._clock)
            try:
                output = record({(self._deployment, name): value for name, value in found.items()})
            except (ValueError, TypeError, Oversized):
                # What lies there can be told by nobody: events go on.
                self._outbox.refuse_counts()
                continue
            self._send([output])
            self._told[writer] = found

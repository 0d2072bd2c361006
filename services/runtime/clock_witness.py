"""A service's word, in the audit chain, that its machine's clock was wrong: it refuses work then, and says why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from services.contracts import topics
from services.contracts.audit.numbering import Deed, Under, incarnation, numbered
from services.contracts.audit.registry import usable
from services.contracts.audit.requests import Action, SignedRequest
from services.contracts.audit.signing import Signer, fingerprint
from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.clock import Clock, TimeWatch, faults
from services.contracts.authorisation.registry import Registry
from services.contracts.codec_audit import sign_request
from services.contracts.errors import Transient
from services.runtime.authority_watch import AuthorityWatch
from services.runtime.clock_sync import SynchronisedClock
from services.runtime.kafka.config import Connection
from services.runtime.kafka.types import Output
from services.runtime.looking import Looking
from services.runtime.process import Context
from services.runtime.purging import publish
from services.runtime.settings import ServiceSettings
from services.runtime.signing_key import read_signer

log = logging.getLogger(__name__)

# A jump is seen for ten seconds (clock.SETTLE_S); what is told later is told all the same.
_EVERY_S = 1.0


class ClockWitness(Looking):
    """Looks on a thread of its own: telling waits for Kafka.

    Each fault is told once until it has passed. Each is a producer's only word: were one not believed, for the
    machine's clock is wrong, nothing would wait behind it.
    """

    def __init__(
        self,
        service: str,
        signer: Signer,
        *,
        verified: Callable[[], Verified | None],
        registry: Callable[[], Registry | None],
        send: Callable[[Output], None],
        clock: Clock,
    ) -> None:
        super().__init__(name="clock-witness", every_s=_EVERY_S)
        self._service = service
        self._signer = signer
        self._verified = verified
        self._registry = registry
        self._send = send
        self._clock = clock
        self._time = TimeWatch()
        self._told: frozenset[str] = frozenset()
        self._asked: dict[str, SignedRequest] = {}

    def look(self) -> None:
        """Once. What Kafka does not take is told at the next look."""
        try:
            self.tell()
        except Transient as away:
            log.warning("a clock's fault is not told yet", extra={"reason": str(away)})

    def tell(self) -> None:
        """Look, and tell what is new. Raises Transient if Kafka does not take it: the same is sent at the next."""
        reading = self._clock.reading()
        self._time = self._time.observe(reading)
        now = faults(self._time, reading)
        self._told &= now
        for fault in sorted(now - self._told - self._asked.keys()):
            request = self._request(fault, reading.wall)
            if request is not None:
                self._asked[fault] = request
        for fault, request in list(self._asked.items()):
            self._send(Output(topics.AUDIT_REQUESTS.name, request.content.producer.encode(), request.raw))
            self._told |= {fault}
            del self._asked[fault]

    def _request(self, fault: str, at: datetime) -> SignedRequest | None:
        """None while nobody would believe it, or it is not known under which authority."""
        found, key = self._verified(), fingerprint(self._signer.public_key)
        if found is None or not usable(self._registry(), key, service=self._service, now=at):
            return None
        under = Under.deployment(found.document.id, found.document.version)
        deed = Deed(at=at, what=Action.CLOCK_FAULT, about=fault)
        made = numbered(deed, producer=incarnation(self._service), under=under, sequence=1)
        return sign_request(made, self._signer)


def witness(settings: ServiceSettings, context: Context, watch: AuthorityWatch, *, service: str) -> ClockWitness:
    """The service's own. Raises Misconfigured; connects to nothing yet."""
    connection = Connection(settings.kafka_bootstrap, f"{service}-clock-{settings.instance}")
    return ClockWitness(
        service,
        read_signer(settings.service_key_file, variable="SERVICE_KEY_FILE"),
        verified=watch.verified,
        registry=watch.registry,
        send=lambda output: publish(connection, output),
        clock=SynchronisedClock(context.clock),
    )

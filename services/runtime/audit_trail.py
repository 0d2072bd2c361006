"""A service's own entries in the audit chain: numbered, signed, sent in order, and waited for until chained."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from services.contracts import codec_audit, topics
from services.contracts.audit.chain import Audited
from services.contracts.audit.numbering import Deed, Numbering
from services.contracts.audit.requests import SignedRequest
from services.contracts.audit.signing import Signer, fingerprint
from services.contracts.errors import Transient, Undecodable
from services.runtime.kafka.broker import BrokerError, Fatal, ProducerPort
from services.runtime.kafka.config import Connection, Options, producer_options
from services.runtime.kafka.follow import Tail
from services.runtime.kafka.passing import OnError
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.kafka.types import Output

log = logging.getLogger(__name__)

# Who asks for more than this at once waits for a sequencer that does not answer: refused, so that memory ends.
_MOST_WAITING = 1_000
# Above librdkafka's own deadline (config.DELIVERY_TIMEOUT_MS), so that every send is answered.
_FLUSH_S = 12.0
_AGAIN_S = 0.5
_LOOK_S = 0.1


class NotChained(Transient):
    """Not acknowledged as chained: whatever depended on it must not be done."""


class Following(Protocol):
    """A `Tail`, as the trail needs it."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def caught_up(self) -> bool: ...


@dataclass(frozen=True)
class _Waiting:
    request: SignedRequest = field(repr=False)
    chained: Future[None] = field(default_factory=Future)


class AuditTrail:
    """One producer on one chain, from `start` to `stop`. `record` is any thread's, and never blocks.

    One request is on its way at a time, and is sent again until Kafka has it: a later one before it would be a gap
    that no sequencer closes. What comes twice is one entry.
    """

    def __init__(
        self,
        numbering: Numbering,
        signer: Signer,
        *,
        producer: ProducerPort,
        follow: Callable[[Callable[[bytes], None]], Following],
        registered: Callable[[str], bool],
        entered: Callable[[Audited], bool],
        topic: str = topics.AUDIT_REQUESTS.name,
    ) -> None:
        """`registered` says whether the registry has our key: a request of any other is passed over. `entered`: a
        sequencer of the registry signed this entry; anybody may write one."""
        self._numbering = numbering
        self._signer = signer
        self._key = fingerprint(signer.public_key)
        self._producer = producer
        self._follower = follow(self._seen)
        self._registered = registered
        self._entered = entered
        self._topic = topic
        self._lock = threading.Lock()
        self._unsent: deque[_Waiting] = deque()
        self._waiting: dict[str, _Waiting] = {}
        self._more = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send, name="signpost-audit-trail", daemon=True)

    def start(self) -> None:
        self._follower.start()
        self._thread.start()

    def stop(self) -> None:
        """Both threads have ended on return; who still waits is told NotChained."""
        self._stopping.set()
        self._more.set()
        if self._thread.is_alive():
            self._thread.join()
        self._follower.stop()
        with self._lock:
            for one in self._waiting.values():
                one.chained.set_exception(NotChained("this process ends"))
            self._waiting.clear()

    def ready(self) -> bool:
        """Whether entries can be asked for, and would be seen."""
        return self._follower.caught_up() and self._registered(self._key)

    def record(self, deed: Deed) -> Future[None]:
        """Done once the entry is chained and committed. Raises NotChained where it cannot be asked for now.

        Who stops waiting must not go on, though the entry may follow: recorded and not done is harmless.
        """
        if not self._registered(self._key):
            raise NotChained("the registry does not have this service's key, or not any more")
        with self._lock:
            if self._stopping.is_set() or len(self._waiting) >= _MOST_WAITING:
                raise NotChained("too many entries wait for the sequencer, or this process ends")
            request = codec_audit.sign_request(self._numbering.request(deed), self._signer)
            one = self._waiting[request.content.id] = _Waiting(request)
            # Who gives up cancels nothing: the entry is on its way.
            one.chained.set_running_or_notify_cancel()
            self._unsent.append(one)
        self._more.set()
        return one.chained

    def _send(self) -> None:
        while not self._stopping.is_set():
            if not self.ready():
                # An answer that came before we look would never be seen, and what is not believed leaves a gap.
                self._stopping.wait(_LOOK_S)
            elif not self._unsent:
                self._more.wait(_LOOK_S)
                self._more.clear()
            elif self._sent(self._unsent[0].request):
                self._unsent.popleft()
            else:
                self._stopping.wait(_AGAIN_S)

    def _sent(self, request: SignedRequest) -> bool:
        """Whether Kafka has it. Raises Fatal: this producer is of no use any more, nor is the process."""
        # Its key keeps a producer's requests on one partition, and so in order.
        output = Output(self._topic, request.content.producer.encode(), request.raw)
        answers: list[BrokerError | None] = []
        try:
            self._producer.send(output, answers.append)
            if self._producer.flush(_FLUSH_S):
                self._producer.purge()
        except Fatal:
            raise
        except BrokerError as later:
            answers.append(later)
        failed = next((error for error in answers if error is not None), None)
        if failed is not None or not answers:
            log.warning("audit request put off", extra={"code": failed.code if failed else "none"})
        return bool(answers) and failed is None

    def _seen(self, value: bytes) -> None:
        try:
            record = codec_audit.read_record(value)
        except Undecodable:
            log.warning("record of the audit chain cannot be read")
            return
        if not isinstance(record, Audited):
            return
        with self._lock:
            one = self._waiting.get(record.request.content.id)
            # Ours to the byte, or somebody else's who uses our name; and chained, or only said to be.
            if one is None or one.request.raw != record.request.raw or not self._entered(record):
                return
            del self._waiting[record.request.content.id]
        one.chained.set_result(None)


def kafka_trail(
    connection: Connection,
    numbering: Numbering,
    signer: Signer,
    *,
    registered: Callable[[str], bool],
    entered: Callable[[Audited], bool],
    on_error: OnError,
    requests: str = topics.AUDIT_REQUESTS.name,
    audit: str = topics.AUDIT.name,
) -> AuditTrail:
    """A trail on Kafka; connects to nothing before its start."""
    options: Options = {
        **producer_options(connection, writes=[topics.AUDIT_REQUESTS]),
        # Somebody waits for each.
        "linger.ms": 0,
    }
    return AuditTrail(
        numbering,
        signer,
        producer=KafkaProducer(options, on_error),
        follow=lambda seen: Tail(connection, audit, seen, on_error=on_error),
        registered=registered,
        entered=entered,
        topic=requests,
    )

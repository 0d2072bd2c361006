"""Stands in for oversight's sequencer, where a test has a root of its own on a broker that is shared."""

from __future__ import annotations

from services.contracts import codec_audit, topics
from services.contracts.audit.chain import FIRST_PREVIOUS, enter
from services.contracts.audit.requests import SignedRequest
from services.contracts.audit.terms import TERM_BYTES
from services.runtime.kafka.config import Connection, producer_options
from services.runtime.kafka.follow import Tail
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.kafka.types import Output
from services.runtime.keys.ed25519 import Ed25519Signer
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import secret

_WITHIN_S = 20.0
_SEQUENCER = Ed25519Signer(secret("oversight"))


class Acknowledger:
    """Says of everything that it is chained: who waits looks at no more. `asked` is what was asked for."""

    def __init__(self, bootstrap: str) -> None:
        connection = Connection(bootstrap, "acknowledger")
        self.asked: list[SignedRequest] = []
        self._producer = KafkaProducer(producer_options(connection), lambda code: None)
        self._tail = Tail(connection, topics.AUDIT_REQUESTS.name, self._chain, on_error=lambda code: None)
        self._tail.start()
        eventually(self._tail.caught_up, "the end of the requests", within_s=_WITHIN_S)

    def close(self) -> None:
        self._tail.stop()

    def _chain(self, value: bytes) -> None:
        request = codec_audit.read_request(value)
        self.asked.append(request)
        chained = enter(request, number=1, previous=FIRST_PREVIOUS, term=bytes(TERM_BYTES), signer=_SEQUENCER)
        entry = codec_audit.encode_record(chained)
        output = Output(topics.AUDIT.name, request.content.chain.encode(), entry, partition=0)
        self._producer.send(output, lambda error: None)
        self._producer.flush(_WITHIN_S)

"""The audit topics with their producers, their sequencers, and a look at what was recorded."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from uuid import uuid4

from console.audit.export import export
from console.edges.kafka_read import KafkaReader
from services.contracts import codec_audit
from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.recorded import recorded
from services.contracts.audit.requests import SYSTEM, Action, SignedRequest
from services.oversight.edges.kafka_chain import Names
from services.runtime.kafka.broker import BrokerError
from services.runtime.kafka.types import Output
from services.runtime.keys.ed25519 import verify
from tests.integration.oversight.chain_worker import Life, begin, keys_of_today, signed_keys
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.unit.contracts.audit.builders import CHAIN, PRODUCERS, a_request, root_fingerprint, signed

CHAINS = (CHAIN, SYSTEM)
_HEAD_EVERY = 10
_FLUSH_S = 30.0
_JOIN_S = 30.0


@dataclass(frozen=True)
class Missing:
    """How what is recorded differs from what was sent."""

    gaps: int
    doubles: int


@dataclass
class ChainGround:
    """Topics and a fence of its own on a shared broker."""

    world: KafkaWorld
    head_every_s: float = 0.5
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The last sequence of each chain and producer; each producer's thread has its own."""

    def __post_init__(self) -> None:
        self.names = Names(
            requests=self.world.topic(partitions=len(PRODUCERS)),
            audit=self.world.topic(),
            fence=f"fence-{uuid4().hex[:12]}",
        )

    @contextmanager
    def sequencer(self, die_at: str = "", die_after: int = 1) -> Iterator[BaseProcess]:
        """A sequencer; killed at the end if it still lives."""
        process = begin(
            Life(
                bootstrap=self.world.connection.bootstrap,
                names=self.names,
                head_every_s=self.head_every_s,
                die_at=die_at,
                die_after=die_after,
            )
        )
        try:
            yield process
        finally:
            process.kill()
            process.join(_JOIN_S)

    @contextmanager
    def producers(self, *, each_s: float) -> Iterator[None]:
        """All producers, each with a request every so often; at the end everything is on the topic."""
        stop = threading.Event()
        threads = [threading.Thread(target=self._produce, args=(name, each_s, stop)) for name in PRODUCERS]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(_JOIN_S)

    def send(self, *requests: SignedRequest) -> None:
        """These, in order, each to its producer's partition."""
        producer = self.world.producer()
        for request in requests:
            producer.send(self._output(request), _must_arrive)
        assert producer.flush(_FLUSH_S) == 0

    def send_as(self, neighbour: str, request: SignedRequest) -> None:
        """On the partition of another producer."""
        partition = PRODUCERS.index(neighbour)
        producer = self.world.producer()
        producer.send(Output(self.names.requests, b"", request.raw, partition=partition), _must_arrive)
        assert producer.flush(_FLUSH_S) == 0

    def next_request(self, producer: str, chain: str = CHAIN) -> SignedRequest:
        """The producer's next on that chain."""
        self.sent[chain, producer] += 1
        sequence = self.sent[chain, producer]
        # Now and then something that is headed at once.
        what = Action.REPORT_SIGNED if sequence % _HEAD_EVERY == 0 else Action.FACE_VIEWED
        at = datetime.now(UTC)
        return signed(a_request(chain=chain, producer=producer, sequence=sequence, at=at, what=what))

    def recorded(self) -> Iterator[Audited | SignedTreeHead]:
        """The chains as they are now, whatever else lies in `audit`."""
        return recorded(self.values(), keys_of_today(), verify)

    def values(self) -> list[bytes]:
        """What is committed in `audit` now."""
        reader = KafkaReader(self.world.connection.bootstrap)
        try:
            return list(reader.values(self.names.audit))
        finally:
            reader.close()

    def entries(self) -> int:
        """Asked again and again: whether each is genuine is for `missing` and `file` to see."""
        return sum(isinstance(codec_audit.read_record(value), Audited) for value in self.values())

    def missing(self) -> Missing:
        """Requests that were sent and have no entry, and entries too many."""
        found: Counter[tuple[str, str, int]] = Counter()
        for record in self.recorded():
            if isinstance(record, Audited):
                content = record.request.content
                found[content.chain, content.producer, content.sequence] += 1
        wanted = Counter((*who, sequence) for who, last in self.sent.items() for sequence in range(1, last + 1))
        return Missing(gaps=(wanted - found).total(), doubles=(found - wanted).total())

    def file(self, chain: str) -> list[bytes]:
        """The chain's export."""
        return list(export(self.values(), chain, signed_keys(), root_fingerprint=root_fingerprint()))

    def _produce(self, name: str, each_s: float, stop: threading.Event) -> None:
        producer = self.world.producer()
        turn = 0
        while not stop.wait(each_s):
            turn += 1
            # Its own deployment's chain mostly, as services do.
            producer.send(self._output(self.next_request(name, CHAINS[turn % 5 == 0])), _must_arrive)
        if missing := producer.flush(_FLUSH_S):
            raise AssertionError(f"{missing} requests of {name} did not arrive")

    def _output(self, request: SignedRequest) -> Output:
        partition = PRODUCERS.index(request.content.producer)
        return Output(self.names.requests, request.content.producer.encode(), request.raw, partition=partition)


def _must_arrive(error: BrokerError | None) -> None:
    if error is not None:
        raise error

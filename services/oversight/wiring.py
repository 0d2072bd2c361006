"""oversight put together: the only place that picks what is real."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from services.contracts import topics
from services.contracts.audit.chain import SignedTreeHead
from services.contracts.audit.recorded import ForeignWatch
from services.contracts.audit.registry import keys_of
from services.contracts.authorisation.clock import ClockReading
from services.oversight.anchoring import Anchoring
from services.oversight.core.clerk import Clerk, Now
from services.oversight.core.minutes import Minutes
from services.oversight.edges.grpc_oversight import OversightServer
from services.oversight.edges.heads_folder import HeadsFolder
from services.oversight.edges.heads_url import HeadsUrl
from services.oversight.edges.kafka_answers import KafkaAnswers
from services.oversight.edges.kafka_authority import KafkaAuthorityLog
from services.oversight.edges.kafka_chain import ChainLoop
from services.oversight.edges.kafka_chain_terms import ChainTerms
from services.oversight.edges.kafka_election import GROUP, Election
from services.oversight.edges.lists_redis import RedisSealedLists
from services.oversight.lists import ListWatch
from services.oversight.metrics import CHAIN, DOORS, OversightMetrics
from services.oversight.office import Office
from services.oversight.ports import Sink
from services.oversight.settings import OversightSettings
from services.runtime.clock_sync import SynchronisedClock
from services.runtime.doors.figures import DoorFigures
from services.runtime.grpc_listen import Tls
from services.runtime.kafka.broker import Reset
from services.runtime.kafka.config import Connection, consumer_options
from services.runtime.kafka.consumer import KafkaConsumer
from services.runtime.kafka.figures import LoopFigures
from services.runtime.kafka.follow import Tail
from services.runtime.keys.ed25519 import verify
from services.runtime.process import Context
from services.runtime.redis_client import connect
from services.runtime.signing_key import read_signer, read_signing_key

log = logging.getLogger(__name__)

# What the sequencer's own drain leaves of the process's.
_DRAIN_SHARE = 0.5
# The office has not come round for so long: it hangs, and the heartbeat stops. Above the longest that it waits
# for Kafka (a takeover: the fence, and the whole log).
_HUNG_S = 60.0


class OversightService:
    """The process's service. The group's member is on the main thread, the leader's work on one of its own."""

    def __init__(self, settings: OversightSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._metrics = OversightMetrics(context.registry)
        self._connection = Connection(settings.kafka_bootstrap, f"oversight-{settings.instance}")
        clerk = Clerk(read_signing_key(settings.oversight_key_file, variable="OVERSIGHT_KEY_FILE"))
        self._signer = read_signer(settings.oversight_key_file, variable="OVERSIGHT_KEY_FILE")
        self._figures = LoopFigures(context.registry, CHAIN)
        self._anchorings = [
            Anchoring(sink, on_failed=self._metrics.unanchored, clock=context.clock) for sink in _sinks(settings)
        ]
        self._metrics.unanchored_s.follow(lambda: max((one.waiting_s() for one in self._anchorings), default=0.0))
        self._answers = KafkaAnswers(
            self._connection, on_error=self._metrics.kafka_error, on_undecodable=self._metrics.undecodable
        )
        self._office = Office(
            authority=KafkaAuthorityLog(
                self._connection,
                organisation=settings.organisation,
                on_error=self._metrics.kafka_error,
                on_undecodable=self._metrics.undecodable,
            ),
            clerk=clerk,
            minutes=lambda: Minutes(self._signer),
            moment=self._moment,
            organisation=settings.organisation,
            root_fingerprint=settings.authority_root,
            clock=SynchronisedClock(context.clock),
            metrics=self._metrics,
        )
        self._chain = ChainTerms(self._sequencer, context.clock)
        self._watch = ForeignWatch()
        self._tail = Tail(self._connection, topics.AUDIT.name, self._look_at, on_error=self._metrics.kafka_error)
        self._durable = connect(settings.redis_durable_url, client_name="oversight")
        self._lists = ListWatch(RedisSealedLists(self._durable), self._office.lists_wanted)
        self._metrics.leads.follow(lambda: float(self._office.leads()))
        self._server = OversightServer(
            self._office,
            clerk,
            anchored=lambda chain: [one.standing(chain) for one in self._anchorings],
            host=settings.grpc_host,
            port=settings.grpc_port,
            tls=_tls(settings),
            figures=DoorFigures(context.registry, DOORS),
        )
        self._stopping = threading.Event()
        self._helpers: list[threading.Thread] = []
        self._election: Election | None = None
        self.grpc_port = self._server.port

    def start(self) -> None:
        """Open the door; until this instance leads it says that it stands by."""
        self._help("signpost-oversight-office", self._office.run)
        self._help("signpost-oversight-lists", self._lists.run)
        self._help("signpost-oversight-chain", self._chain.run)
        for anchoring in self._anchorings:
            self._help("signpost-oversight-anchor", anchoring.run)
        self._answers.start()
        self._tail.start()
        self._server.start()
        log.info("oversight is open", extra={"grpc_port": self.grpc_port})

    def run(self, stop: threading.Event) -> None:
        """Lead when the group says so, until told to stop."""
        options = consumer_options(self._connection, group=GROUP, reset=Reset.LATEST)
        self._election = Election(
            KafkaConsumer(options, self._metrics.kafka_error), lead=self._lead, rest=self._rest
        )
        self._election.run(stop, self._beat)

    def drain(self, within_s: float) -> bool:
        """What is in hand is recorded; who leads next goes on from there."""
        ends_s = time.monotonic() + within_s
        answered = self._server.stop(within_s / 2)
        self._chain.rest()
        self._stopping.set()
        for helper in self._helpers:
            helper.join(max(0.0, ends_s - time.monotonic()))
        return answered and not any(helper.is_alive() for helper in self._helpers)

    def close(self) -> None:
        self.drain(within_s=1.0)
        self._answers.stop()
        self._tail.stop()
        self._durable.close()

    def ready(self) -> Mapping[str, bool]:
        """A standby is ready, too: to take over."""
        election = self._election
        return {"group": election is not None and election.joined, "register": self._office.settled()}

    def _lead(self) -> None:
        self._office.lead()
        self._chain.lead()

    def _rest(self) -> None:
        self._office.rest()
        self._chain.rest()

    def _sequencer(self, beat: Callable[[], None]) -> ChainLoop:
        """That of one term. Raises Transient until the office knows who may sign."""
        return ChainLoop(
            self._connection,
            registry=lambda: keys_of(self._office.registry()),
            signer=self._signer,
            anchor=self._anchor,
            passed_over=self._metrics,
            metrics=self._figures,
            on_error=self._figures.kafka_error,
            heartbeat=beat,
            clock=self._context.clock,
            drain_s=_DRAIN_SHARE * self._settings.drain_timeout_s,
        )

    def _moment(self, reading: ClockReading) -> Now:
        answers = self._answers.answers(self._office.known_registry(), reading.wall)
        return Now(reading, self._lists.loaded(), answers, self._lists.seals())

    def _look_at(self, value: bytes) -> None:
        """A record of the audit chain, as it comes. The tail's thread; a standby knows nobody's keys."""
        known = self._office.known_registry()
        why = self._watch.look(value, keys_of(known), verify) if known is not None else None
        if why is not None:
            self._metrics.foreign(why)
            log.warning("a record of the audit topic is none of the chain's", extra={"reason": why})

    def _anchor(self, heads: Sequence[SignedTreeHead]) -> None:
        for anchoring in self._anchorings:
            anchoring.hand(heads)

    def _beat(self) -> None:
        if max(self._office.idle_s(), self._chain.idle_s()) < _HUNG_S:
            self._context.heartbeat.beat()

    def _help(self, name: str, run: Callable[[threading.Event], None]) -> None:
        helper = threading.Thread(target=run, args=(self._stopping,), name=name, daemon=True)
        helper.start()
        self._helpers.append(helper)


def build(settings: OversightSettings, context: Context) -> OversightService:
    """oversight on Kafka and the durable Redis. Raises Misconfigured; connects to nothing yet."""
    return OversightService(settings, context)


def _sinks(settings: OversightSettings) -> list[Sink]:
    sinks: list[Sink] = []
    if settings.audit_heads_dir is not None:
        sinks.append(HeadsFolder(settings.audit_heads_dir))
    if settings.audit_heads_url is not None:
        sinks.append(HeadsUrl(settings.audit_heads_url))
    return sinks


def _tls(settings: OversightSettings) -> Tls | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Tls(cert=settings.tls_cert, key=settings.tls_key, client_ca=settings.tls_client_ca)

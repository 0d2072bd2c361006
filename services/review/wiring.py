"""review put together: the only place that picks what is real."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta

from services.contracts import keys, topics
from services.contracts.audit.chain import Audited
from services.contracts.audit.numbering import Numbering, Under, incarnation
from services.contracts.audit.registry import keys_of, may_sequence, usable
from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.bridge import as_authority
from services.contracts.authorisation.purging import Holder, What
from services.contracts.authorisation.registry import Registry
from services.contracts.authority import Authority
from services.contracts.counts import Stage
from services.contracts.errors import Misconfigured, Transient
from services.contracts.ids import DeploymentId
from services.contracts.standing import Standing
from services.review.casework import CaseDesk, Desk
from services.review.checks import FairChecks
from services.review.core.audited import CaseMinutes
from services.review.core.keeping import policy_of
from services.review.core.people import PersonTokens
from services.review.core.signing_in import Devices
from services.review.core.streams import Streams
from services.review.edges.cases_redis import Held, LoopCases, ThreadCases
from services.review.edges.grpc_review import ReviewServer
from services.review.edges.held_evidence import bring_away
from services.review.edges.outbox_minutes import OutboxMinutes
from services.review.edges.outbox_redis import RedisOutbox, tidy, undelivered
from services.review.edges.past import Past
from services.review.edges.people_file import PeopleFile
from services.review.edges.pictures_sealed import SealedPictures, is_held
from services.review.edges.plan import Names
from services.review.edges.references_redis import RedisReferences
from services.review.edges.relay import Relay
from services.review.edges.salts import SaltedCommitments
from services.review.edges.sessions_redis import RedisSessions
from services.review.edges.tickets_redis import RedisTickets
from services.review.edges.trail import ChainedTrail
from services.review.edges.tries_redis import RedisTries
from services.review.edges.vault import Vault
from services.review.edges.web_server import WebServer
from services.review.feed import Feed
from services.review.metrics import AUTHORITY, DOORS, LOOP, ReviewMetrics
from services.review.pipeline import Folder, Item
from services.review.ports import Trail
from services.review.refusals_told import RefusalsTold
from services.review.registered_people import RegisteredPeople
from services.review.sessions import SignInGuard, TokenSessions
from services.review.settings import ReviewSettings
from services.review.showing import Showing
from services.review.sweeper import Sweeper
from services.review.web.app import create_app
from services.review.web.facts import PageFacts
from services.runtime.addresses import is_loopback
from services.runtime.audit_trail import AuditTrail, kafka_trail
from services.runtime.authority_watch import AuthorityWatch, watch
from services.runtime.clock_witness import witness
from services.runtime.doors.figures import DoorFigures
from services.runtime.doors.peers import Proxies
from services.runtime.grpc_listen import Tls
from services.runtime.kafka.broker import Reset
from services.runtime.kafka.commit import AtLeastOnce, FaultPoint, no_fault
from services.runtime.kafka.config import Connection, consumer_options, producer_options
from services.runtime.kafka.consumer import KafkaConsumer
from services.runtime.kafka.figures import LoopFigures
from services.runtime.kafka.loop import Loop, Shape
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.ed25519 import verify
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.keeper import KeyKeeper
from services.runtime.keys.ring import Keyring
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.loop_thread import LoopThread
from services.runtime.own_key import own_key
from services.runtime.process import Context
from services.runtime.proofs import Proven, Proving, only_by
from services.runtime.purging import Values, purge
from services.runtime.redis_client import check_durable, check_volatile, connect, connect_async
from services.runtime.retry import retry
from services.runtime.signing_key import read_signer
from services.runtime.under_authority import UnderAuthority

log = logging.getLogger(__name__)

# What the loop's own drain leaves of the process's: for the servers, the outbox and the sockets.
_DRAIN_SHARE = 0.5
# Kafka and Redis may start beside us (a broker loads its groups for seconds); after this the platform's restart
# is the better wait.
_STORES_WITHIN_S = 20.0


class ReviewService:
    """review under one authority. Kafka's loop runs on the main thread, people on an event loop of their own."""

    def __init__(
        self,
        settings: ReviewSettings,
        context: Context,
        bounds: Authority,
        standing: Standing,
        *,
        registry: Callable[[], Registry | None],
        faults: FaultPoint = no_fault,
    ) -> None:
        self._settings = settings
        self._context = context
        self._faults = faults
        self._bounds = bounds
        self._standing = standing
        self._policy = policy_of(self._bounds, closed_pictures=timedelta(seconds=settings.closed_pictures_s))
        self._file = PeopleFile(settings.people_file)
        self._people = RegisteredPeople(self._file, registry, context.clock)
        self._proxies = Proxies.named(settings.trusted_proxies, variable="TRUSTED_PROXIES")
        self._deployment = DeploymentId(self._bounds.deployment)
        self._names = Names(self._deployment)
        self._volatile = connect(settings.redis_volatile_url, client_name="review")
        self._durable = connect(settings.redis_durable_url, client_name="review")
        folder = FolderKeys(settings.keys_dir, context.clock)
        self._ring = Keyring(VolatileKeys(self._volatile, context.clock), folder, context.clock)
        self._keeper = KeyKeeper(folder, self._ring)
        self._cipher = AesGcm()
        self._metrics = ReviewMetrics(context.registry)
        # Asked at each scrape, so that a bad file is known of also while nobody signs in.
        self._metrics.people_file_refused.follow(lambda: float(self._file.is_refused()))
        self._metrics.people_refused.follow(lambda: float(self._people.not_borne_out()))
        self._figures = LoopFigures(context.registry, LOOP)
        self._doors = DoorFigures(context.registry, DOORS)
        self._vault = Vault(bounds, self._ring, self._cipher, context.clock, refused=self._metrics.not_believed)
        self._past = Past(bounds, self._ring)
        self._held = Held(self._names, self._vault, self._past)
        self._cases = ThreadCases(self._durable, self._held)
        self._commitments = SaltedCommitments(self._bounds, self._ring)
        self._registry = registry
        self._signer = read_signer(settings.service_key_file, variable="SERVICE_KEY_FILE")
        self._trail = self._kafka_trail()
        self._pictures = SealedPictures(self._bounds, self._names, self._ring, self._cipher)
        self._sweeper = Sweeper(self._bounds, self._policy, self._cases, self._metrics, context.clock)
        self._front = LoopThread(self._serve, name="signpost-review-people")
        self._stopping = threading.Event()
        self._helpers: list[threading.Thread] = []
        self._loop: Loop[Item] | None = None
        self.grpc_port = 0
        self.web_port = 0

    def start(self) -> None:
        """Refuse stores that are not what they are taken for; open the doors to people."""
        try:
            retry(self._look_at_stores, on=(Transient,), deadline_s=_STORES_WITHIN_S)
        except Transient as away:
            raise Misconfigured(f"REDIS_VOLATILE_URL, REDIS_DURABLE_URL, KAFKA_BOOTSTRAP: {away}") from away
        self._keeper.start()
        self._trail.start()
        self._front.start()
        self._help("signpost-review-sweeper", self._sweep)
        self._help("signpost-review-relay", self._relay().run)
        left_out = self._people.not_borne_out()
        if left_out:
            log.warning("the registry does not bear out people of the people file", extra={"people": left_out})
        log.info("review is open", extra={"grpc_port": self.grpc_port, "web_port": self.web_port})

    def run(self, stop: threading.Event) -> None:
        """Fold alerts until told to stop; what is in hand is finished before return."""
        self._loop = self._kafka_loop()
        self._loop.run(stop)

    def drain(self, within_s: float) -> bool:
        """People first: what they decide until the doors close is relayed after."""
        ends_s = time.monotonic() + within_s
        closed = self._front.stop(within_s)
        self._stopping.set()
        for helper in self._helpers:
            helper.join(max(0.0, ends_s - time.monotonic()))
        return closed and not any(helper.is_alive() for helper in self._helpers)

    def close(self) -> None:
        self.drain(within_s=1.0)
        self._trail.stop()
        self._keeper.stop()
        self._volatile.close()
        self._durable.close()

    def ready(self) -> Mapping[str, bool]:
        loop = self._loop
        return {
            "assignment": loop is not None and loop.status().ready,
            "store": self._sweeper.answers(),
            "people": self._front.is_alive(),
            "audit": self._trail.ready(),
        }

    @property
    def _group(self) -> str:
        return f"signpost-review-{self._bounds.deployment}"

    def _look_at_stores(self) -> None:
        check_volatile(self._volatile)
        check_durable(self._durable)

    def _help(self, name: str, run: Callable[[threading.Event], None]) -> None:
        helper = threading.Thread(target=run, args=(self._stopping,), name=name, daemon=True)
        helper.start()
        self._helpers.append(helper)

    def _sweep(self, stop: threading.Event) -> None:
        self._sweeper.run(stop, every_s=self._settings.sweep_s)

    def _relay(self) -> Relay:
        writes = [topics.DECISIONS, topics.AUDIT_REQUESTS, topics.COUNTS]
        options = producer_options(_connection(self._settings), writes=writes)
        return Relay(
            deployment=self._deployment,
            instance=self._settings.instance,
            outbox=RedisOutbox(self._durable, self._names, self._vault),
            minutes=OutboxMinutes(
                CaseMinutes(self._bounds, self._commitments), self._cases, self._signer, self._registered
            ),
            producer=KafkaProducer(options, self._figures.kafka_error),
            prove=Proving(self._signer, self._context.clock),
            metrics=self._metrics,
            clock=self._context.clock,
            lease_s=self._settings.relay_lease_s,
            faults=self._faults,
        )

    def _kafka_trail(self) -> AuditTrail:
        under = Under.deployment(self._deployment, self._bounds.version)
        return kafka_trail(
            _connection(self._settings),
            Numbering(incarnation("review"), under),
            self._signer,
            registered=self._registered,
            entered=self._entered,
            on_error=self._figures.kafka_error,
        )

    def _entered(self, entry: Audited) -> bool:
        """Whether a sequencer of the newest registry signed that it is chained, with a key that holds."""
        found = self._registry()
        return (
            found is not None
            and may_sequence(found, entry.key, now=self._context.clock.now())
            and entry.is_entered(keys_of(found), verify)
        )

    def _registered(self, key: str) -> bool:
        """Whether the registry has it for us, now; and by the sequencer's clock, which may be another."""
        return usable(self._registry(), key, service="review", now=self._context.clock.now())

    def _kafka_loop(self) -> Loop[Item]:
        settings, connection = self._settings, _connection(self._settings)
        consumer = KafkaConsumer(
            consumer_options(connection, group=self._group, reset=Reset.EARLIEST), self._figures.kafka_error
        )
        handler = Folder(
            authority=self._bounds,
            standing=self._standing,
            policy=self._policy,
            store=self._cases,
            pictures=self._pictures,
            ring=self._ring,
            cipher=self._cipher,
            metrics=self._metrics,
            on_copy=lambda: self._figures.passed_over("copied"),
            clock=self._context.clock,
        )
        producer = KafkaProducer(producer_options(connection, writes=[topics.COUNTS]), self._figures.kafka_error)
        return Loop(
            handler,
            topics=[topics.ALERTS.name],
            consumer=consumer,
            commits=AtLeastOnce(producer, faults=self._faults),
            shape=Shape(
                prefetch_threads=settings.prepare_threads, drain_s=_DRAIN_SHARE * settings.drain_timeout_s
            ),
            # Counted in the store, in the step that changes the case: see Folder.
            counts_record=None,
            dead_letters=None,
            check=only_by(Stage.MATCH, Proven(self._registry), self._context.clock),
            metrics=self._figures,
            heartbeat=self._context.heartbeat.beat,
            clock=self._context.clock,
        )

    async def _serve(self, stopping: asyncio.Event, started: Callable[[], None]) -> None:
        """People's side, from open doors to closed ones."""
        settings, clock = self._settings, self._context.clock
        client = connect_async(settings.redis_durable_url, client_name="review-people")
        store = LoopCases(client, self._held)
        trail = ChainedTrail(self._trail, self._commitments, self._metrics, clock)
        deployment_key = self._ring.mint(keys.deployment(self._bounds))
        tokens = PersonTokens(deployment_key)
        guard = SignInGuard(
            tries=RedisTries(client, self._names),
            checks=FairChecks(),
            told=RefusalsTold(trail, on_refused=self._metrics.sign_in_refused),
            devices=Devices(deployment_key),
        )
        sessions = TokenSessions(
            self._people,
            RedisSessions(client, self._names, self._vault, self._past),
            trail,
            tokens,
            clock,
            session_s=settings.session_s,
            guard=guard,
        )
        feed = Feed(store)
        streams = Streams()
        desk = self._desk(store, feed, trail, tokens)
        tls = _tls(settings)
        grpc_server = ReviewServer(
            desk,
            sessions,
            self._metrics,
            host=settings.grpc_host,
            port=settings.grpc_port,
            tls=tls,
            proxies=self._proxies,
            streams=streams,
            figures=self._doors,
        )
        facts = PageFacts(
            deployment=self._bounds.deployment,
            use_case=self._bounds.use_case,
            note=settings.page_note,
            loopback=tls is None and is_loopback(settings.web_host),
        )
        app = create_app(
            casework=desk,
            identities=sessions,
            facts=facts,
            clock=clock,
            # Shared by the instances: a picture's address may be redeemed at any of them.
            tickets=RedisTickets(client, self._names, self._vault, clock),
            proxies=self._proxies,
            streams=streams,
            closing=stopping,
        )
        web = WebServer(
            app,
            host=settings.web_host,
            port=settings.web_port,
            tls=tls,
            proxies=self._proxies,
            figures=self._doors,
        )
        try:
            async with feed.running(), guard.told.running():
                await grpc_server.start()
                await web.start()
                self.grpc_port, self.web_port = grpc_server.port, web.port
                started()
                await stopping.wait()
        finally:
            await asyncio.gather(grpc_server.stop(), web.stop())
            sessions.close()
            await client.aclose()

    def _desk(self, store: LoopCases, feed: Feed, trail: Trail, tokens: PersonTokens) -> CaseDesk:
        references = RedisReferences(
            self._durable,
            self._bounds,
            self._ring,
            self._cipher,
            registry=self._registry,
            clock=self._context.clock,
        )
        return CaseDesk(
            self._bounds,
            self._policy,
            Desk(
                store=store,
                showing=Showing(
                    store, self._pictures, references, self._standing, refused=self._metrics.not_believed
                ),
                trail=trail,
                tokens=tokens,
                feed=feed,
                metrics=self._metrics,
                clock=self._context.clock,
            ),
        )


def build(settings: ReviewSettings, context: Context, *, faults: FaultPoint = no_fault) -> UnderAuthority:
    """review on Kafka and both Redis servers, once its authority is known. Connects to nothing yet."""

    authority = watch(settings, context, AUTHORITY, name="review")

    def built(verified: Verified, standing: Standing) -> ReviewService:
        bounds = as_authority(verified)
        return ReviewService(settings, context, bounds, standing, registry=authority.registry, faults=faults)

    names = Names(DeploymentId(settings.deployment))
    parting = purge(
        settings,
        context,
        Holder.REVIEW,
        values=[Values(What.PICTURES, names.content(""), is_held)],
        undelivered=lambda durable: undelivered(durable, names),
        before=lambda: _before_purge(settings, context, authority),
    )
    return UnderAuthority(
        authority,
        built,
        context.heartbeat,
        parting,
        own_key=own_key(settings, context, authority, AUTHORITY, service="review"),
        witness=witness(settings, context, authority, service="review"),
    )


def _before_purge(settings: ReviewSettings, context: Context, authority: AuthorityWatch) -> None:
    """When the service is closed: bring away what is held, and put aside what is not ours. Raises Transient."""
    verified = authority.verified()
    if verified is None:
        raise Transient("the authority is not verified: what is held is not known")
    volatile = connect(settings.redis_volatile_url, client_name="review-held")
    durable = connect(settings.redis_durable_url, client_name="review-held")
    folder = FolderKeys(settings.keys_dir, context.clock)
    ring = Keyring(VolatileKeys(volatile, context.clock), folder, context.clock)
    bounds, names = as_authority(verified), Names(DeploymentId(settings.deployment))
    # The process ends with its purge: nobody would read a count any more. The vault logs what it does not believe.
    vault = Vault(bounds, ring, AesGcm(), context.clock, refused=lambda kind: None)
    with closing(volatile), closing(durable):
        tidy(durable, names, vault)
        held = authority.holds()
        bring_away(held, bounds, durable=durable, names=names, ring=ring, clock=context.clock, vault=vault)


def _connection(settings: ReviewSettings) -> Connection:
    return Connection(settings.kafka_bootstrap, f"review-{settings.instance}")


def _tls(settings: ReviewSettings) -> Tls | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Tls(cert=settings.tls_cert, key=settings.tls_key, client_ca=settings.tls_client_ca)

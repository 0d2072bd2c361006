"""match put together: the only place that picks what is real."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping

from services.contracts import lists, topics
from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.bridge import as_authority
from services.contracts.authorisation.purging import Holder, What
from services.contracts.authorisation.registry import Registry
from services.contracts.counts import Count, Stage
from services.contracts.errors import Misconfigured, Transient
from services.contracts.ids import DeploymentId
from services.contracts.standing import Standing
from services.match.edges.keys_ring import RingKeys
from services.match.edges.list_follower import ListFollower
from services.match.edges.list_redis import RedisLists
from services.match.metrics import AUTHORITY, LOOP, MatchMetrics
from services.match.pipeline import Matcher, SealedFace
from services.match.settings import MatchSettings
from services.runtime import counts_topic, dead_letter_topic
from services.runtime.authority_watch import watch
from services.runtime.clock_witness import witness
from services.runtime.guards import REAL, Guards
from services.runtime.kafka.broker import Reset
from services.runtime.kafka.commit import FaultPoint, Transactional, no_fault
from services.runtime.kafka.config import Connection, consumer_options, transactional_options
from services.runtime.kafka.consumer import KafkaConsumer
from services.runtime.kafka.figures import LoopFigures
from services.runtime.kafka.kept import kept
from services.runtime.kafka.loop import Loop, Shape
from services.runtime.kafka.marks import Numbering
from services.runtime.kafka.producer import KafkaTransactionalProducer
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.keeper import KeyKeeper
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.numbering import by_number, giving, recall
from services.runtime.own_key import own_key
from services.runtime.process import Context
from services.runtime.proofs import Prove, Proven, Proving, only_by
from services.runtime.purging import Values, purge
from services.runtime.redis_client import check_durable, check_volatile, connect
from services.runtime.retry import retry
from services.runtime.signing_key import read_signer
from services.runtime.under_authority import UnderAuthority

# Between two looks whether the first list has come; the heartbeat is beaten as often.
_WAIT_FOR_LIST_S = 0.2
# What the loop's own drain leaves of the process's: for the list's thread, the sockets and the log.
_DRAIN_SHARE = 0.8
# Both may start beside us; after this the platform's restart is the better wait.
_STORES_WITHIN_S = 20.0


class MatchService:
    """match under one authority. `run` waits for a list before it joins the group: without it takes no face."""

    def __init__(
        self,
        settings: MatchSettings,
        context: Context,
        verified: Verified,
        standing: Standing,
        *,
        registry: Callable[[], Registry | None],
        guards: Guards = REAL,
        faults: FaultPoint = no_fault,
    ) -> None:
        bounds = as_authority(verified)
        self._context = context
        self._faults = faults
        self._settings = settings
        self._volatile = connect(settings.redis_volatile_url, client_name="match")
        self._durable = connect(settings.redis_durable_url, client_name="match")
        folder = FolderKeys(settings.keys_dir, context.clock)
        ring = guards.keyring(VolatileKeys(self._volatile, context.clock), folder, context.clock)
        self._keeper = KeyKeeper(folder, ring)
        keys = RingKeys(ring)
        metrics = MatchMetrics(context.registry)
        store = RedisLists(
            self._durable,
            bounds,
            verified.document,
            keys,
            guards.cipher,
            registry=registry,
            clock=context.clock,
        )
        self._lists = ListFollower(store, bounds.purge_at, metrics, context.clock, poll_s=settings.list_poll_s)
        self._handler = Matcher(
            authority=bounds,
            standing=guards.standing(standing),
            lists=self._lists,
            face_keys=keys,
            cipher=guards.cipher,
            metrics=metrics,
            clock=context.clock,
        )
        self._figures = LoopFigures(context.registry, LOOP, dead_lettered=metrics.dead_lettered)
        self._deployment = DeploymentId(bounds.deployment)
        self._prove = Proving(read_signer(settings.service_key_file, variable="SERVICE_KEY_FILE"), context.clock)
        self._proven = Proven(registry)
        self._loop: Loop[SealedFace] | None = None

    def start(self) -> None:
        """Refuse stores that are not what they are taken for; begin to follow the list."""
        try:
            retry(self._look_at_stores, on=(Transient,), deadline_s=_STORES_WITHIN_S)
        except Transient as away:
            raise Misconfigured(f"REDIS_VOLATILE_URL, REDIS_DURABLE_URL: {away}") from away
        self._keeper.start()
        self._lists.start()

    def _look_at_stores(self) -> None:
        check_volatile(self._volatile)
        check_durable(self._durable)

    def run(self, stop: threading.Event) -> None:
        """Wait for the first list, then search until told to stop; what is in hand is finished before return."""
        while self._lists.current() is None:
            self._context.heartbeat.beat()
            if stop.wait(_WAIT_FOR_LIST_S):
                return
        self._loop = _loop(
            self._handler,
            self._settings,
            deployment=self._deployment,
            prove=self._prove,
            proven=self._proven,
            figures=self._figures,
            context=self._context,
            faults=self._faults,
        )
        self._loop.run(stop)

    def drain(self, within_s: float) -> bool:
        """Nothing is left: the loop drains before `run` returns."""
        return True

    def close(self) -> None:
        self._lists.stop()
        self._keeper.stop()
        self._volatile.close()
        self._durable.close()

    def ready(self) -> Mapping[str, bool]:
        loop = self._loop
        return {
            "list": self._lists.current() is not None,
            "assignment": loop is not None and loop.status().ready,
            "store": self._lists.answers(),
        }


def build(
    settings: MatchSettings, context: Context, *, guards: Guards = REAL, faults: FaultPoint = no_fault
) -> UnderAuthority:
    """match on Kafka and both Redis servers, once its authority is known. Connects to nothing yet."""
    authority = watch(settings, context, AUTHORITY, name="match")

    def built(verified: Verified, standing: Standing) -> MatchService:
        return MatchService(
            settings, context, verified, standing, registry=authority.registry, guards=guards, faults=faults
        )

    values = [Values(What.LIST_PARTS, lists.everything(settings.deployment))]
    return UnderAuthority(
        authority,
        built,
        context.heartbeat,
        purge(settings, context, Holder.MATCH, values=values),
        own_key=own_key(settings, context, authority, AUTHORITY, service="match"),
        witness=witness(settings, context, authority, service="match"),
    )


def _loop(
    handler: Matcher,
    settings: MatchSettings,
    *,
    deployment: DeploymentId,
    prove: Prove,
    proven: Proven,
    figures: LoopFigures,
    context: Context,
    faults: FaultPoint,
) -> Loop[SealedFace]:
    connection = Connection(settings.kafka_bootstrap, f"match-{settings.instance}")
    group = f"signpost-match-{deployment}"
    consumer = KafkaConsumer(
        consumer_options(connection, group=group, reset=Reset.EARLIEST),
        figures.kafka_error,
    )
    options = transactional_options(
        connection,
        # Stable, so that a restart ends at once the transaction its predecessor died in: readers of `alerts`
        # wait for it otherwise.
        transactional_id=f"match-{deployment}-{settings.standing_name}",
        writes=[topics.ALERTS, topics.COUNTS, topics.FACES_DEAD],
    )
    # An instance's name may come again, its counts must not: each life begins at zero under its own name.
    incarnation = f"{settings.instance}.{secrets.token_hex(4)}"
    return Loop(
        handler,
        topics=[topics.FACES.name],
        consumer=consumer,
        commits=Transactional(KafkaTransactionalProducer(options, figures.kafka_error), faults=faults),
        shape=_shape(settings),
        counts_record=counts_topic.writer(deployment, Stage.MATCH, incarnation, context.clock),
        dead_letters=dead_letter_topic.writer(
            deployment,
            topics.FACES_DEAD,
            context.clock,
            received=Count.FACES_RECEIVED,
            dead=Count.FACES_DEAD,
            foreign=Count.FACES_FOREIGN,
        ),
        numbering=Numbering(
            deployment,
            kept(connection, group),
            recall(
                connection,
                deployment,
                passed=Count.FACES_PASSED,
                given=Count.ALERTS_GIVEN,
                proven=proven,
                on_error=figures.kafka_error,
            ),
            reads=by_number(
                deployment, skipped=Count.FACES_SKIPPED, passed=Count.FACES_PASSED, told=handler.skipped
            ),
            writes=giving(deployment, topics.ALERTS, Count.ALERTS_GIVEN),
        ),
        prove=prove,
        check=only_by(Stage.EMBED, proven, context.clock),
        metrics=figures,
        heartbeat=context.heartbeat.beat,
        clock=context.clock,
    )


def _shape(settings: MatchSettings) -> Shape:
    return Shape(
        max_batch=settings.max_batch_faces,
        max_wait_ms=settings.batch_wait_ms,
        prefetch_records=4 * settings.max_batch_faces,
        prefetch_threads=settings.prepare_threads,
        drain_s=_DRAIN_SHARE * settings.drain_timeout_s,
    )

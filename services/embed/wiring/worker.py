"""One worker on real parts."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from services.contracts import topics
from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.bridge import as_authority
from services.contracts.authorisation.purging import Holder
from services.contracts.authorisation.registry import Registry
from services.contracts.authority import Authority
from services.contracts.counts import Count, Stage
from services.contracts.errors import Misconfigured, Transient
from services.contracts.ids import DeploymentId
from services.contracts.standing import Standing
from services.embed.core.frames import Frame
from services.embed.core.shots import BestShots, Policy
from services.embed.core.tracks import Bounds
from services.embed.edges import pictures, run_counts
from services.embed.edges.face_writer import SealingFaceWriter
from services.embed.edges.frame_reader import SealedFrameReader
from services.embed.formats import Formats
from services.embed.metrics import AUTHORITY, LOOP, EmbedMetrics
from services.embed.pipeline import EmbedPipeline
from services.embed.settings import EmbedSettings
from services.embed.watch import Rules
from services.embed.wiring.models import load_models, refuse_other_model
from services.embed.worker import Worker
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
from services.runtime.keys.port import Cipher
from services.runtime.keys.ring import Keyring
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.numbering import by_offset, giving, recall
from services.runtime.own_key import own_key
from services.runtime.process import Context
from services.runtime.proofs import Prove, Proven, Proving, only_by
from services.runtime.purging import purge
from services.runtime.redis_client import check_volatile, connect
from services.runtime.retry import retry
from services.runtime.signing_key import read_signer
from services.runtime.under_authority import UnderAuthority

# What the loop's own drain leaves of the process's: for the models' memory, the sockets and the log.
_DRAIN_SHARE = 0.8
# Redis may start beside us; after this the platform's restart is the better wait.
_REDIS_WITHIN_S = 20.0
# Polled and not yet handled, in batches: enough that the pool is always at work, bounded because each
# frame of them holds a decoded picture.
_PREFETCH_BATCHES = 4


@dataclass(frozen=True)
class _Parts:
    """What a worker has before its models are loaded."""

    settings: EmbedSettings
    context: Context
    bounds: Authority
    standing: Standing
    keyring: Keyring
    slot: str
    policy: Policy
    cipher: Cipher
    prove: Prove
    proven: Proven
    faults: FaultPoint

    @property
    def deployment(self) -> DeploymentId:
        return DeploymentId(self.bounds.deployment)

    @property
    def group(self) -> str:
        return f"signpost-embed-{self.bounds.deployment}"

    @property
    def connection(self) -> Connection:
        return Connection(self.settings.kafka_bootstrap, f"embed-{self.slot}")


class WorkerUnderAuthority(UnderAuthority):
    """A worker in `slot`: the name under which it fences and ends a dead predecessor's transaction.

    Two live workers must not share a slot. Connects to nothing yet.
    """

    def __init__(
        self,
        settings: EmbedSettings,
        context: Context,
        *,
        slot: str,
        policy: Policy | None = None,
        guards: Guards = REAL,
        faults: FaultPoint = no_fault,
    ) -> None:
        self._worker: Worker | None = None

        def built(verified: Verified, standing: Standing) -> Worker:
            bounds = as_authority(verified)
            self._worker = _worker(
                settings,
                context,
                bounds,
                standing,
                registry=following.registry,
                slot=slot,
                policy=policy,
                guards=guards,
                faults=faults,
            )
            return self._worker

        following = watch(settings, context, AUTHORITY, name="embed")
        super().__init__(
            following,
            built,
            context.heartbeat,
            purge(settings, context, Holder.EMBED, slot=slot),
            own_key=own_key(settings, context, following, AUTHORITY, service="embed"),
            witness=witness(settings, context, following, service="embed"),
        )

    def lag(self) -> int:
        """Frames not yet handled on our partitions."""
        return 0 if self._worker is None else self._worker.lag()


def _worker(  # noqa: PLR0913 - wiring
    settings: EmbedSettings,
    context: Context,
    bounds: Authority,
    standing: Standing,
    *,
    registry: Callable[[], Registry | None],
    slot: str,
    policy: Policy | None,
    guards: Guards,
    faults: FaultPoint,
) -> Worker:
    volatile = connect(settings.redis_volatile_url, client_name="embed")
    store = FolderKeys(settings.keys_dir, context.clock)
    parts = _Parts(
        settings=settings,
        context=context,
        bounds=bounds,
        standing=guards.standing(standing),
        keyring=guards.keyring(VolatileKeys(volatile, context.clock), store, context.clock),
        slot=slot,
        policy=policy or BestShots(max_shots=settings.max_shots),
        cipher=guards.cipher,
        prove=Proving(read_signer(settings.service_key_file, variable="SERVICE_KEY_FILE"), context.clock),
        proven=Proven(registry),
        faults=faults,
    )

    def load() -> RunningLoop:
        try:
            retry(lambda: check_volatile(volatile), on=(Transient,), deadline_s=_REDIS_WITHIN_S)
        except Transient as away:
            raise Misconfigured(f"REDIS_VOLATILE_URL: {away}") from away
        metrics = EmbedMetrics(context.registry)
        return RunningLoop(_loop(parts, _pipeline(parts, metrics), metrics, context.registry))

    return Worker(load, volatile.close)


class RunningLoop:
    """`worker.Running` over the Kafka loop."""

    def __init__(self, loop: Loop[Frame]) -> None:
        self._loop = loop

    def run(self, stop: threading.Event) -> None:
        self._loop.run(stop)

    def ready(self) -> bool:
        return self._loop.status().ready

    def lag(self) -> int:
        return sum(self._loop.status().lag.values())


def _pipeline(parts: _Parts, metrics: EmbedMetrics) -> EmbedPipeline:
    settings, bounds, cipher = parts.settings, parts.bounds, parts.cipher
    detector, recogniser = load_models(settings, parts.context, min_inter_eye_px=settings.min_inter_eye_px)
    formats = Formats(detector.plan, metrics.smallest_face)
    formats.say(max_mpx=settings.max_picture_mpx)
    refuse_other_model(bounds, recogniser.model_id)
    max_pixels = int(settings.max_picture_mpx * 1e6)
    reader = SealedFrameReader(
        bounds,
        parts.standing,
        parts.keyring,
        cipher,
        reduced=formats.reduced,
        max_pixels=max_pixels,
        on_exit=metrics.frame_left,
    )
    return EmbedPipeline(
        parts.deployment,
        reader=reader,
        detector=detector,
        recogniser=recogniser,
        pictures=pictures,
        writer=SealingFaceWriter(bounds, parts.keyring, cipher),
        rules=Rules(
            limits=settings.live_limits,
            bounds=Bounds(max_gap_s=settings.track_gap_s),
            policy=parts.policy,
            max_pixels=max_pixels,
        ),
        metrics=metrics,
        clock=parts.context.clock,
        on_tick=parts.keyring.drop_expired,
    )


def _loop(
    parts: _Parts, handler: EmbedPipeline, metrics: EmbedMetrics, registry: CollectorRegistry
) -> Loop[Frame]:
    settings, context, deployment = parts.settings, parts.context, parts.deployment
    figures = LoopFigures(registry, LOOP, dead_lettered=metrics.dead_lettered)
    consumer = KafkaConsumer(
        consumer_options(parts.connection, group=parts.group, reset=Reset.EARLIEST), figures.kafka_error
    )
    producer = KafkaTransactionalProducer(
        transactional_options(
            parts.connection,
            transactional_id=f"embed-{parts.slot}",
            writes=[topics.FACES, topics.COUNTS, topics.FRAMES_DEAD],
        ),
        figures.kafka_error,
    )
    # A slot outlives the processes in it, its counts must not: each life begins at zero under its own name.
    incarnation = f"{settings.instance}.{secrets.token_hex(4)}"
    return Loop(
        handler,
        topics=[topics.FRAMES.name],
        consumer=consumer,
        commits=Transactional(producer, faults=parts.faults),
        shape=Shape(
            max_batch=settings.max_batch_frames,
            max_wait_ms=settings.batch_wait_ms,
            prefetch_records=_PREFETCH_BATCHES * settings.max_batch_frames,
            prefetch_threads=settings.prepare_threads,
            drain_s=_DRAIN_SHARE * settings.drain_timeout_s,
        ),
        counts_record=counts_topic.writer(deployment, Stage.EMBED, incarnation, context.clock),
        dead_letters=dead_letter_topic.writer(
            deployment,
            topics.FRAMES_DEAD,
            context.clock,
            received=Count.FRAMES_RECEIVED,
            dead=Count.FRAMES_DEAD,
            foreign=Count.FRAMES_FOREIGN,
        ),
        numbering=Numbering(
            deployment,
            kept(parts.connection, parts.group),
            recall(
                parts.connection,
                deployment,
                given=Count.FACES_GIVEN,
                proven=parts.proven,
                on_error=figures.kafka_error,
            ),
            reads=by_offset(
                deployment,
                skipped=Count.FRAMES_SKIPPED,
                in_run=run_counts.place_in_run(deployment),
                told=metrics.skipped,
                tells=run_counts.of_dead(deployment),
            ),
            writes=giving(deployment, topics.FACES, Count.FACES_GIVEN),
        ),
        prove=parts.prove,
        check=only_by(Stage.INGEST, parts.proven, context.clock),
        metrics=figures,
        heartbeat=context.heartbeat.beat,
        clock=context.clock,
    )

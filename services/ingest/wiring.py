"""The only place where ingest's parts are chosen."""

from __future__ import annotations

import logging

from services.contracts import topics
from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.bridge import as_authority_of_reader
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.purging import Holder
from services.contracts.authority import Authority, Pace
from services.contracts.cameras_file import parse_cameras
from services.contracts.counts import Stage
from services.contracts.errors import Transient
from services.contracts.keyspec import Where
from services.contracts.standing import Standing
from services.ingest.admission import AdmittedSources
from services.ingest.cameras import Tools
from services.ingest.core.backoff import Backoff
from services.ingest.edges import confinement
from services.ingest.edges.kafka_backlog import KafkaBacklog
from services.ingest.edges.kafka_outlet import KafkaOutlet
from services.ingest.edges.kafka_reach import KafkaReach
from services.ingest.edges.lease_redis import RedisLeases
from services.ingest.edges.reader_child import ReaderProcesses
from services.ingest.metrics import AUTHORITY, Confined, IngestMetrics
from services.ingest.outbox import Outbox
from services.ingest.pipeline import Pipeline
from services.ingest.service import IngestService
from services.ingest.settings import IngestSettings
from services.ingest.sharing import Sharing
from services.runtime import counts_topic, redis_client
from services.runtime.authority_watch import watch
from services.runtime.clock_witness import witness
from services.runtime.documents import read_text
from services.runtime.guards import REAL, Guards
from services.runtime.kafka.config import Connection, producer_options
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.keys.census import KeyCensus
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.keeper import KeyKeeper
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.own_key import own_key
from services.runtime.process import Context
from services.runtime.proofs import Proving
from services.runtime.purging import purge
from services.runtime.redis_watch import VolatileWatch
from services.runtime.retry import retry
from services.runtime.signing_key import read_signer
from services.runtime.under_authority import UnderAuthority

log = logging.getLogger(__name__)

# A reader says by itself that a source does not answer before it is killed for it: its word is more exact.
_READER_TIMEOUT = 0.8
# Redis may start beside us; after this the platform's restart is the better wait.
_REDIS_WITHIN_S = 20.0


def build(settings: IngestSettings, context: Context, *, guards: Guards = REAL) -> UnderAuthority:
    """An ingest that waits for its authority. Raises Misconfigured for bad CAMERAS_FILE; connects to nothing."""
    text = read_text(settings.cameras_file, variable="CAMERAS_FILE")
    cameras = parse_cameras(text, origin=str(settings.cameras_file))

    def built(verified: Verified, standing: Standing) -> IngestService:
        authority = as_authority_of_reader(verified, cameras)
        return _assembled(settings, context, verified.document, authority, guards.standing(standing), guards)

    following = watch(settings, context, AUTHORITY, name="ingest")
    return UnderAuthority(
        following,
        built,
        context.heartbeat,
        purge(settings, context, Holder.INGEST),
        own_key=own_key(settings, context, following, AUTHORITY, service="ingest"),
        witness=witness(settings, context, following, service="ingest"),
    )


def _assembled(
    settings: IngestSettings,
    context: Context,
    document: Document,
    authority: Authority,
    standing: Standing,
    guards: Guards,
) -> IngestService:
    """An ingest under this document; `authority` says besides how its cameras are read."""
    metrics = IngestMetrics(context.registry, [camera.id for camera in authority.cameras])
    signer = read_signer(settings.service_key_file, variable="SERVICE_KEY_FILE")
    client = redis_client.connect(settings.redis_volatile_url, client_name=f"ingest-{settings.instance}")
    connection = Connection(settings.kafka_bootstrap, f"ingest-{settings.instance}")
    reach = KafkaReach(connection)
    folder = FolderKeys(settings.keys_dir, context.clock)
    volatile = VolatileKeys(client, context.clock)
    keys = guards.keyring(volatile, folder, context.clock)
    keeper = KeyKeeper(folder, keys)
    census = KeyCensus(authority.deployment, {Where.VOLATILE: volatile, Where.STORE: folder}, metrics.count_keys)
    backlog = KafkaBacklog(
        connection,
        topic=topics.FRAMES.name,
        group=f"signpost-{Stage.EMBED}-{authority.deployment}",
        max_records=settings.max_backlog_frames,
    )
    partitions = {
        camera.id: topics.partition_of_camera(index, topics.FRAMES)
        for index, camera in enumerate(authority.cameras)
    }
    outbox = Outbox(
        frames_a_camera=settings.queue_frames,
        metrics=metrics,
        admitted=lambda camera: backlog.room(partitions[camera]),
    )
    pipeline = Pipeline(
        authority,
        standing,
        outbox,
        KafkaOutlet(_producer(connection, authority, metrics), Proving(signer, context.clock)),
        keys=keys,
        cipher=guards.cipher,
        account=counts_topic.output,
        clock=context.clock,
        metrics=metrics,
        max_unacked=settings.unacked_frames,
    )
    tools = _tools(settings, context, document, outbox, metrics)
    leases = RedisLeases(
        client, deployment=authority.deployment, holder=settings.instance, ttl_s=settings.lease_ttl_s
    )
    sharing = Sharing(
        authority, standing, leases, tools, ttl_s=settings.lease_ttl_s, max_cameras=settings.max_cameras
    )

    volatile_watch = VolatileWatch(client, metrics.volatile_faults.set)

    def connect() -> None:
        _say_how_readers_are_confined(metrics)
        keeper.start()
        reach.start()
        if any(camera.pace is Pace.AS_FAST_AS_TAKEN for camera in authority.cameras):
            backlog.start()
        retry(lambda: redis_client.check_volatile(client), on=(Transient,), deadline_s=_REDIS_WITHIN_S)
        volatile_watch.start()
        census.start()

    def close() -> None:
        census.stop()
        volatile_watch.stop()
        keeper.stop()
        backlog.close()
        reach.close()
        client.close()

    return IngestService(
        sharing,
        pipeline,
        outbox,
        clock=context.clock,
        beat=context.heartbeat.beat,
        connect=connect,
        kafka_answers=lambda: reach.answers,
        close=close,
    )


def _say_how_readers_are_confined(metrics: IngestMetrics) -> None:
    found = confinement.available()
    metrics.confined.set(found.files, what=Confined.FILES)
    metrics.confined.set(found.calls, what=Confined.CALLS)
    extra = {"files": found.files, "calls": found.calls}
    if found.files and found.calls:
        log.info("reader processes are confined", extra=extra)
    else:
        log.warning("this kernel does not confine reader processes: docs/operations.md", extra=extra)


def _producer(connection: Connection, authority: Authority, metrics: IngestMetrics) -> KafkaProducer:
    return KafkaProducer(
        {
            **producer_options(connection, writes=[topics.FRAMES, topics.COUNTS]),
            # A delivery that is given up may have arrived all the same, and then the counts would not add up:
            # so it is not given up while the frame could be read.
            "delivery.timeout.ms": authority.retention.frame_s * 1000,
        },
        lambda code: metrics.kafka_errors.inc(),
    )


def _tools(
    settings: IngestSettings, context: Context, document: Document, outbox: Outbox, metrics: IngestMetrics
) -> Tools:
    readers = ReaderProcesses(
        timeout_s=settings.stall_timeout_s * _READER_TIMEOUT,
        max_source_px=int(settings.max_source_mpx * 1_000_000),
    )
    return Tools(
        deployment=document.id,
        sources=AdmittedSources(document, readers),
        outbox=outbox,
        metrics=metrics,
        clock=context.clock,
        stall_timeout_s=settings.stall_timeout_s,
        backoff=Backoff(settings.restart_first_s, settings.restart_max_s),
    )

"""What somebody without a service's key writes to `frames`, on Apache Kafka, real models and one worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from uuid import uuid4

from console.edges.kafka_read import KafkaReader
from console.ledger.read import read_statement
from console.ledger.statement import Statement
from console.sample.sitters import FORTY_FOUR
from services.contracts import codec, topics
from services.contracts.authorisation.enums import Role
from services.contracts.codec import Sealing
from services.contracts.counts import Count, Stage
from services.contracts.ids import CameraId, DeploymentId
from services.runtime.kafka.config import Connection, transactional_options
from services.runtime.kafka.producer import KafkaTransactionalProducer
from services.runtime.kafka.types import Output
from services.runtime.keys.cipher import AesGcm
from tests.builders import a_frame
from tests.integration.deleting import drop_group
from tests.integration.embed.street import Street
from tests.integration.embed.test_worker import worker
from tests.integration.strangers import forgeries, lying, signed_again, unsigned, write
from tests.proofs import proving
from tests.support import eventually

WITHIN_S = 60.0


@contextmanager
def running(street: Street, name: str) -> Iterator[None]:
    process = worker(street, name)
    process.start()
    try:
        process.await_ready()
        yield
    finally:
        process.stop()


def statement(street: Street) -> Statement:
    with closing(KafkaReader(street.bootstrap)) as reader:
        return read_statement(reader, street.deployment, root=street.signed.root_fingerprint)


def copied(street: Street) -> int:
    return statement(street).reasons.get((Count.FRAMES_FOREIGN, "copied"), 0)


def decoded(street: Street, number: int) -> None:
    eventually(
        lambda: street.totals()[Count.FRAMES_DECODED] == number, f"{number} frames counted", within_s=WITHIN_S
    )


def made_up(street: Street) -> Output:
    """A frame of a run that ingest has, far ahead of it, under a key that nobody has."""
    frame = a_frame(
        deployment=DeploymentId(street.deployment),
        camera=CameraId("gate-0"),
        lease=1,
        epoch=1,
        sequence=900,
        read=900,
        dropped_before=0,
        captured_at=datetime.now(UTC),
    )
    sealing = Sealing(f"{street.deployment}/frame/1", bytes(32), AesGcm())
    raw = codec.encode_sealed(frame, topic=topics.FRAMES.name, sealing=sealing)
    return Output(topics.FRAMES.name, b"gate-0", raw, 0)


def write_in_a_transaction(street: Street, output: Output) -> None:
    """Its end takes an offset too, which nobody gets to see."""
    name = f"stranger-{uuid4().hex}"
    options = transactional_options(Connection(street.bootstrap, name), transactional_id=name)
    producer = KafkaTransactionalProducer(options, lambda code: None)
    producer.init(WITHIN_S)
    producer.begin()
    producer.send(output)
    producer.commit(WITHIN_S)


def test_no_copy_and_no_forgery_of_a_frame_is_received_and_every_figure_adds_up(
    make_street: Callable[..., Street],
) -> None:
    """Each was received once more, a made-up number was so many frames published, and the statement said NO."""
    street = make_street(cameras=2)
    with running(street, "first"):
        street.walk([0, 1], [FORTY_FOUR], 3)
        decoded(street, 6)
        genuine = lying(street.bootstrap, topics.FRAMES.name, street.deployment)
        street.signed.enrol(
            street.signed.registered(
                "ingest", secret="a revoked key", role=Role.SERVICE, revoked_at=datetime.now(UTC)
            )
        )
        forged = [one for frame in genuine for one in forgeries(frame, other_service=Stage.EMBED)]
        ahead = made_up(street)
        revoked = [signed_again(one, proving("a revoked key")) for one in (genuine[0], ahead)]
        write(street.bootstrap, *genuine, *forged, *revoked, ahead, proving("a stranger")(ahead))
        write_in_a_transaction(street, unsigned(genuine[0]))
        street.walk([0, 1], [FORTY_FOUR], 2, lease=2)
        decoded(street, 10)
        eventually(lambda: copied(street) == len(genuine) == 6, "the copies", within_s=WITHIN_S)
    adds_up(street, 10)
    assert street.totals()[Count.FRAMES_SKIPPED] > 0, "nothing but an offset tells embed what Kafka has deleted"
    # Who has the partitions next has read none of them; nor has who has lost its offsets.
    write(street.bootstrap, *genuine)
    with running(street, "second"):
        street.walk([0], [FORTY_FOUR], 1, lease=3)
        decoded(street, 11)
        eventually(lambda: copied(street) == 12, "the copies", within_s=WITHIN_S)
    drop_group(street.bootstrap, f"signpost-embed-{street.deployment}")
    with running(street, "third"):
        street.walk([0], [FORTY_FOUR], 1, lease=4)
        decoded(street, 12)
        eventually(lambda: copied(street) > 12, "what lies there, once more", within_s=WITHIN_S)
    adds_up(street, 12)


def adds_up(street: Street, frames: int) -> None:
    """So many were published, and each was received; no loss is told that was none."""
    found = statement(street)
    assert found.totals[Count.FRAMES_PUBLISHED] == found.totals[Count.FRAMES_RECEIVED] == frames
    assert found.totals[Count.FRAMES_SKIPPED] == 0
    lines = {line.arrow.whole: line.gap for line in found.lines}
    assert not any(lines[whole] for whole in (Count.FRAMES_PUBLISHED, Count.FRAMES_RECEIVED, Count.FRAMES_DECODED))

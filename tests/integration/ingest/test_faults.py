"""What ingest needs and does not get: a broker that dies, surroundings that are wrong."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.stack.kafka import KafkaCluster
from tests.integration.ingest.pictures import write_jpegs
from tests.integration.ingest.world import WITHIN_S, IngestWorld, adds_up, totals
from tests.integration.stack import KAFKA_CACHE
from tests.support import eventually


@pytest.fixture
def mortal_kafka(kafka: KafkaCluster, tmp_path: Path) -> Iterator[KafkaCluster]:
    """A broker of this test alone; the shared one has fetched the jars, or skipped."""
    with KafkaCluster(tmp_path / "kafka", KAFKA_CACHE) as cluster:
        yield cluster


def a_looping_camera(tmp_path: Path) -> dict[str, object]:
    pictures = write_jpegs(tmp_path / "pictures", 20)
    return {"id": "gate-1", "source": "folder", "address": str(pictures), "loop": True, "rate_fps": 10.0}


def test_a_broker_that_dies_costs_dropped_frames_at_most_and_the_counts_are_those_of_the_topic(
    mortal_kafka: KafkaCluster, redis_volatile: str, tmp_path: Path
) -> None:
    world = IngestWorld(mortal_kafka.bootstrap, redis_volatile, tmp_path, f"ingest-{secrets.token_hex(4)}")
    world.deploy(a_looping_camera(tmp_path))
    with world.ingest(queue_frames=4, unacked_frames=4) as ingest:
        eventually(world.frames, "frames", within_s=WITHIN_S)
        mortal_kafka.kill(0)
        full = 'signpost_ingest_dropped_frames_total{reason="queue_full"}'
        eventually(lambda: ingest.metric(full) > 0, "the queue to overflow", within_s=WITHIN_S)
        eventually(lambda: not ingest.ready(), "it to be not ready", within_s=WITHIN_S)
        mortal_kafka.restart(0)
        published = ingest.metric("signpost_ingest_published_frames_total")
        eventually(
            lambda: ingest.metric("signpost_ingest_published_frames_total") > published + 10,
            "frames to be acknowledged again",
            within_s=60,
        )
        eventually(ingest.ready, "readiness", within_s=WITHIN_S)
        assert ingest.stop() == 0
    eventually(lambda: all(one.final for one in world.counts().values()), "the last accounts", within_s=WITHIN_S)
    frames = world.frames()
    assert len({frame.event_id for frame in frames}) == len(frames)
    assert all(adds_up(one) for one in world.counts().values())
    assert sum(totals(one)["frames_published"] for one in world.counts().values()) == len(frames)
    world.close()


def test_a_file_of_cameras_that_is_not_there_is_refused_by_name(world: IngestWorld, tmp_path: Path) -> None:
    world.deploy(a_looping_camera(tmp_path))
    with world.ingest(cameras_file=tmp_path / "none.yaml") as ingest:
        assert ingest.process.wait(WITHIN_S) == 2
        reason = next(str(line["reason"]) for line in ingest.logs() if line["message"] == "refused to run")
        assert reason.startswith(f"CAMERAS_FILE: {tmp_path / 'none.yaml'} cannot be read")


def test_a_redis_that_keeps_what_must_be_forgotten_is_refused(
    world: IngestWorld, redis_durable: str, tmp_path: Path
) -> None:
    world.deploy(a_looping_camera(tmp_path))
    with world.ingest(redis_volatile_url=redis_durable) as ingest:
        assert ingest.process.wait(WITHIN_S) == 2
        reason = next(str(line["reason"]) for line in ingest.logs() if line["message"] == "refused to run")
        assert "REDIS_VOLATILE_URL: appendonly is 'yes', set it to 'no'" in reason.replace("; ", ": ")


def test_a_setting_out_of_bounds_is_named_with_what_is_allowed(world: IngestWorld, tmp_path: Path) -> None:
    world.deploy(a_looping_camera(tmp_path))
    with world.ingest(queue_frames=0) as ingest:
        assert ingest.process.wait(WITHIN_S) == 2
        assert "QUEUE_FRAMES: '0' is not allowed; allowed: a whole number from 1 to 1024" in ingest.log.read_text()

"""The loop on Apache Kafka, with the processes and the broker that it must outlive."""

from __future__ import annotations

import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from console.stack.kafka import KafkaCluster
from tests.integration.runtime.kafka_ground import WITHIN_S, Ground
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.integration.stack import KAFKA_CACHE
from tests.support import eventually

POINTS = ["before_produce", "after_produce", "before_commit", "after_commit"]
KILLED = -signal.SIGKILL


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_of_a_delivery_neither_loses_nor_doubles(kafka_world: KafkaWorld, point: str) -> None:
    ground = Ground(kafka_world)
    values = [b"%d" % number for number in range(200)]
    ground.feed(*values)
    with ground.worker("w", f"--die-at={point}") as victim:
        assert victim.wait(WITHIN_S) == KILLED
    with ground.worker("w"):
        out = ground.until_out(200)
    assert out == Counter(values)
    assert ground.counts() == {"handled": 200}


@pytest.mark.parametrize("point", POINTS)
def test_at_least_once_loses_nothing_in_a_kill(kafka_world: KafkaWorld, point: str) -> None:
    ground = Ground(kafka_world)
    values = [b"%d" % number for number in range(100)]
    ground.feed(*values)
    with ground.worker("w", "--at-least-once", f"--die-at={point}") as victim:
        assert victim.wait(WITHIN_S) == KILLED
    with ground.worker("w", "--at-least-once"):
        eventually(lambda: set(ground.out()) == set(values), "all outputs", within_s=WITHIN_S)


def test_two_members_come_and_go_under_load_and_nothing_is_lost_or_doubled(kafka_world: KafkaWorld) -> None:
    ground = Ground(kafka_world, partitions=4)
    values = [[b"%d-%d" % (partition, number) for number in range(400)] for partition in range(4)]
    for partition, those in enumerate(values):
        ground.feed(*those, partition=partition)
    with ground.worker("one", "--work-s=0.02"):
        eventually(lambda: ground.out().total() > 100, "the first at work", within_s=WITHIN_S)
        with ground.worker("two", "--work-s=0.02") as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "joined\n"
            before = ground.out().total()
            eventually(lambda: ground.out().total() > before + 100, "both at work", within_s=WITHIN_S)
            second.send_signal(signal.SIGTERM)
            assert second.wait(WITHIN_S) == 0
        out = ground.until_out(1600)
    assert out == Counter(value for those in values for value in those)
    assert ground.counts() == {"handled": 1600}


def test_a_killed_members_partitions_move_and_nothing_is_lost_or_doubled(kafka_world: KafkaWorld) -> None:
    ground = Ground(kafka_world, partitions=2)
    values = [[b"%d-%d" % (partition, number) for number in range(300)] for partition in range(2)]
    for partition, those in enumerate(values):
        ground.feed(*those, partition=partition)
    with ground.worker("one", "--work-s=0.02") as first, ground.worker("two", "--work-s=0.02"):
        eventually(lambda: ground.out().total() > 100, "work", within_s=WITHIN_S)
        first.kill()
        out = ground.until_out(600)
    assert out == Counter(value for those in values for value in those)


def test_a_poison_record_is_dead_lettered_and_its_neighbours_go_on(kafka_world: KafkaWorld) -> None:
    ground = Ground(kafka_world)
    ground.feed(b"a", b"poison", b"b")
    with ground.worker():
        out = ground.until_out(2)
    assert out == Counter([b"a", b"b"])
    assert ground.dead() == [b"undecodable@1"]
    assert ground.counts() == {"handled": 2, "dead:undecodable": 1}


def test_no_flood_of_a_strangers_records_stops_the_process(kafka_world: KafkaWorld) -> None:
    """Twenty-one in a row were taken for a bad deploy of our own."""
    ground = Ground(kafka_world)
    ground.feed(*[b"poison"] * 100, b"a")
    with ground.worker():
        out = ground.until_out(1)
    assert out == Counter([b"a"])
    assert len(ground.dead()) == 100


def test_a_flood_of_poison_stops_the_process_below_the_limit(kafka_world: KafkaWorld) -> None:
    ground = Ground(kafka_world)
    ground.feed(*[b"broken"] * 100)
    with ground.worker() as worker:
        assert worker.wait(WITHIN_S) == 1
    assert len(ground.dead()) <= 20


def test_the_only_broker_restarts_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """It is away for longer than a delivery may take: the process may have to be started again."""
    with KafkaCluster(tmp_path / "kafka", KAFKA_CACHE) as cluster:
        world = KafkaWorld(cluster.bootstrap)
        ground = Ground(world)
        values = [b"%d" % number for number in range(500)]
        ground.feed(*values)
        with ground.supervised_worker("w", "--work-s=0.02") as look_after:
            eventually(lambda: ground.out().total() > 50, "work", within_s=WITHIN_S)
            cluster.kill()
            cluster.restart()
            eventually(
                lambda: (look_after(), ground.out().total() >= 500)[1], "all outputs", within_s=WITHIN_S * 2
            )
            out, counts = ground.until_out(500), ground.counts()
        world.close()
    assert out == Counter(values)
    assert counts == {"handled": 500}


def test_the_groups_coordinator_of_three_brokers_dies_and_the_loop_goes_on(kafka_trio: KafkaCluster) -> None:
    """In the same process: see connections.max.idle.ms of the transactional producer."""
    world = KafkaWorld(kafka_trio.bootstrap, replication=3)
    ground = Ground(world, partitions=3)
    values = [[b"%d-%d" % (partition, number) for number in range(300)] for partition in range(3)]
    for partition, those in enumerate(values):
        ground.feed(*those, partition=partition)
    with ground.supervised_worker("w", "--work-s=0.02") as look_after:
        eventually(lambda: ground.out().total() > 50, "work", within_s=WITHIN_S)
        coordinator = world.coordinator(ground.group)
        kafka_trio.kill([node.bootstrap for node in kafka_trio.nodes].index(coordinator))
        eventually(lambda: ground.out().total() >= 900, "all outputs", within_s=WITHIN_S * 2)
        out, counts = ground.until_out(900), ground.counts()
        assert look_after() == 1
    world.close()
    assert out == Counter(value for those in values for value in those)
    assert counts == {"handled": 900}


def test_a_handler_ten_times_too_slow_costs_no_rebalance(kafka_world: KafkaWorld) -> None:
    """Work on one batch outlasts max.poll.interval; polling goes on beside it."""
    ground = Ground(kafka_world)
    ground.feed(*[b"%d" % number for number in range(3)])
    with ground.worker("w", "--work-s=7", "--max-poll-interval-ms=6000", "--max-batch=1") as worker:
        eventually(lambda: ground.out().total() == 2, "two batches", within_s=WITHIN_S)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WITHIN_S) == 0
        assert worker.stdout is not None
        assert worker.stdout.read() == "joined\n"


def test_delivery_beside_the_work_costs_next_to_nothing(kafka_world: KafkaWorld) -> None:
    """Fetching, preparing and committing overlap with the work: batches follow each other at its own pace."""
    ground = Ground(kafka_world)
    batches, work_s = 60, 0.05
    ground.feed(*[b"v"] * batches * 8)
    with ground.worker("w", f"--work-s={work_s}"):
        eventually(lambda: ground.out().total() >= 80, "a start", within_s=WITHIN_S)
        began, before = time.monotonic(), ground.out().total()
        eventually(lambda: ground.out().total() >= batches * 8, "the rest", within_s=WITHIN_S)
        took_s = time.monotonic() - began
    alone_s = (batches * 8 - before) / 8 * work_s
    assert took_s < alone_s * 1.5, f"{took_s:.2f} s for {alone_s:.2f} s of work"

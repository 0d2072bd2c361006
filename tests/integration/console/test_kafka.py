"""The local Kafka: usable when it says so, gone when it must be, the same after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewTopic

from console.stack import jars
from console.stack.errors import ChildDiedError, WrongContentError
from console.stack.kafka import KafkaCluster
from tests.integration.stack import KAFKA_CACHE
from tests.support import eventually


def a_topic(cluster: KafkaCluster, *, copies: int = 1) -> str:
    topic = f"t-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    for future in admin.create_topics([NewTopic(topic, 1, copies)]).values():
        future.result(30)
    return topic


def produce(cluster: KafkaCluster, topic: str, value: bytes) -> None:
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", "log_level": 0})
    producer.produce(topic, value, on_delivery=lambda error, _: failures.append(error))
    assert producer.flush(60) == 0
    assert failures == [None]


def consume(cluster: KafkaCluster, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": f"g-{uuid.uuid4()}",
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    consumer.subscribe([topic])
    seen: list[bytes | None] = []
    try:
        while len(seen) < count:
            message = consumer.poll(30)
            assert message is not None, f"nothing came within 30 s after {seen}"
            assert message.error() is None
            seen.append(message.value())
    finally:
        consumer.close()
    return seen


def test_a_record_goes_through_a_group_of_the_new_protocol(kafka: KafkaCluster) -> None:
    topic = a_topic(kafka)
    produce(kafka, topic, b"one")
    assert consume(kafka, topic, 1) == [b"one"]


def test_groups_notice_a_dead_member_after_six_seconds_not_forty_five(kafka: KafkaCluster) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    settings = next(iter(admin.describe_configs([broker]).values())).result(30)
    assert settings["group.consumer.session.timeout.ms"].value == "6000"
    assert settings["group.consumer.heartbeat.interval.ms"].value == "1000"
    assert settings["auto.create.topics.enable"].value == "false"


def test_old_records_go_without_waiting_half_a_minute_for_the_first_check(kafka: KafkaCluster) -> None:
    topic = f"t-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    short_lived = NewTopic(topic, 1, 1, config={"retention.ms": "1000", "segment.ms": "500"})
    admin.create_topics([short_lived])[topic].result(30)
    produce(kafka, topic, b"old")
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "watermarks"})

    def low() -> int:
        produce(kafka, topic, b"new")  # only a write rolls the segment that is old enough
        return int(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[0])

    eventually(low, "the first record to be deleted", within_s=25)
    consumer.close()


def test_the_broker_writes_its_log_under_its_own_folder(kafka: KafkaCluster) -> None:
    log = kafka.nodes[0].folder / "logs" / "server.log"
    assert "Kafka Server started" in log.read_text()


def test_a_killed_broker_comes_back_on_its_port_with_its_records(tmp_path: Path) -> None:
    with KafkaCluster(tmp_path, KAFKA_CACHE) as cluster:
        topic = a_topic(cluster)
        produce(cluster, topic, b"kept")
        before = cluster.bootstrap
        cluster.kill()
        assert not cluster.nodes[0].alive()
        cluster.restart()
        assert cluster.bootstrap == before
        assert consume(cluster, topic, 1) == [b"kept"]


def test_a_stopped_cluster_starts_again_on_its_data(tmp_path: Path) -> None:
    with KafkaCluster(tmp_path, KAFKA_CACHE) as first:
        topic = a_topic(first)
        produce(first, topic, b"kept")
    with KafkaCluster(tmp_path, KAFKA_CACHE) as second:
        assert consume(second, topic, 1) == [b"kept"]


def test_three_nodes_take_acknowledged_records_while_one_is_dead(kafka_trio: KafkaCluster) -> None:
    topic = a_topic(kafka_trio, copies=3)
    produce(kafka_trio, topic, b"all alive")
    kafka_trio.kill(0)
    produce(kafka_trio, topic, b"one dead")
    kafka_trio.restart(0)
    assert consume(kafka_trio, topic, 2) == [b"all alive", b"one dead"]


def test_a_broker_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    """A demo that is killed must not leave a broker behind, holding ports, memory and data."""
    script = (
        "from pathlib import Path; from console.stack.kafka import KafkaCluster\n"
        f"cluster = KafkaCluster(Path({str(tmp_path)!r}), Path({str(KAFKA_CACHE)!r})); cluster.start()\n"
        "print(cluster.nodes[0].child.pid, flush=True); input()"
    )
    parent = subprocess.Popen(  # our own interpreter, our own script
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        broker = psutil.Process(int(parent.stdout.readline()))
        assert broker.is_running()
        os.kill(parent.pid, signal.SIGKILL)
        eventually(lambda: not _runs(broker), "the broker to die with its parent", within_s=10)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_broker_that_dies_while_starting_is_reported_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.stack.kafka._JVM", ("-Xmx512m", "-XX:+NoSuchOption"))
    with pytest.raises(ChildDiedError, match="log"):
        KafkaCluster(tmp_path, KAFKA_CACHE).start()


def test_a_jar_with_wrong_bytes_is_refused_and_removed(tmp_path: Path) -> None:
    locked = next(jar for jar in jars.read_lock() if jar.artifact == "slf4j-api")
    jars.ensure_jars(tmp_path, [locked])
    forged = tmp_path / f"{locked.artifact}-{locked.version}.jar"
    forged.write_bytes(b"not what was pinned")
    with pytest.raises(WrongContentError, match=r"slf4j-api.*pins"):
        jars.ensure_jars(tmp_path, [locked])
    assert not forged.exists()

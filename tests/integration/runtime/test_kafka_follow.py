"""A follower sees everything that is committed, from the beginning on, whatever happens to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from console.stack.kafka import KafkaCluster
from services.runtime.kafka.follow import Follower
from services.runtime.kafka.types import Output
from tests.contracts.broker import send
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.integration.stack import KAFKA_CACHE
from tests.support import eventually

WITHIN_S = 30.0


class Followed:
    """A follower, and what it handed on."""

    def __init__(self, world: KafkaWorld, topic: str) -> None:
        self.values: list[bytes] = []
        self.errors: list[str] = []
        self.follower = Follower(world.connection, topic, self.values.append, on_error=self.errors.append)

    def until(self, *values: bytes) -> None:
        eventually(lambda: self.values == list(values), f"{values} and nothing else", within_s=WITHIN_S)

    def until_caught_up(self) -> None:
        eventually(self.follower.caught_up, "the end of the topic", within_s=WITHIN_S)


@pytest.fixture
def world(kafka: KafkaCluster) -> Iterator[KafkaWorld]:
    world = KafkaWorld(kafka.bootstrap)
    yield world
    world.close()


@contextmanager
def following(world: KafkaWorld, topic: str) -> Iterator[Followed]:
    followed = Followed(world, topic)
    followed.follower.start()
    try:
        yield followed
    finally:
        followed.follower.stop()


def test_what_was_there_comes_first_and_what_comes_later_follows_in_order(world: KafkaWorld) -> None:
    topic = world.topic()
    send(world.producer(), *(Output(topic, b"k", value) for value in (b"1", b"2")))
    with following(world, topic) as followed:
        followed.until_caught_up()
        assert followed.values == [b"1", b"2"]
        send(world.producer(), Output(topic, b"k", b"3"))
        followed.until(b"1", b"2", b"3")


def test_each_of_two_followers_sees_everything(world: KafkaWorld) -> None:
    topic = world.topic(partitions=2)
    send(world.producer(), *(Output(topic, b"k", b"%d" % number, partition=number) for number in (0, 1)))
    with following(world, topic) as one, following(world, topic) as other:
        for followed in (one, other):
            followed.until_caught_up()
            assert sorted(followed.values) == [b"0", b"1"]


def test_an_empty_topic_has_been_read_to_its_end(world: KafkaWorld) -> None:
    with following(world, world.topic()) as followed:
        followed.until_caught_up()
        assert followed.values == []


def test_a_topic_that_is_written_to_without_a_pause_is_caught_up_with(world: KafkaWorld) -> None:
    """The end was told by an empty fetch alone: on busy `counts` a match that came back waited for it for ever."""
    topic = world.topic(partitions=2)
    send(world.producer(), *(Output(topic, b"k", b"%d" % number, partition=number) for number in (0, 1)))
    with world.writing(topic), following(world, topic) as followed:
        followed.until_caught_up()
        assert {b"0", b"1"} <= set(followed.values)


def test_what_is_not_committed_is_not_seen(world: KafkaWorld) -> None:
    topic = world.topic()
    writer = world.transactional(f"writer-{topic}")
    writer.init(WITHIN_S)
    writer.begin()
    writer.send(Output(topic, b"k", b"given up"))
    writer.abort(WITHIN_S)
    writer.begin()
    writer.send(Output(topic, b"k", b"kept"))
    writer.commit(WITHIN_S)
    writer.begin()
    writer.send(Output(topic, b"k", b"under way"))
    with following(world, topic) as followed:
        followed.until_caught_up()
        assert followed.values == [b"kept"]
        writer.commit(WITHIN_S)
        followed.until(b"kept", b"under way")


def test_a_topic_that_is_still_to_be_made_is_waited_for_and_the_waiting_is_counted(world: KafkaWorld) -> None:
    topic = world.topic()
    admin = AdminClient({"bootstrap.servers": world.connection.bootstrap})
    admin.delete_topics([topic])[topic].result(WITHIN_S)
    eventually(lambda: topic not in admin.list_topics(timeout=WITHIN_S).topics, "its end", within_s=WITHIN_S)
    with following(world, topic) as followed:
        eventually(lambda: "UNKNOWN_TOPIC_OR_PART" in followed.errors, "a counted failure", within_s=WITHIN_S)
        assert not followed.follower.caught_up()
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(WITHIN_S)
        send(world.producer(), Output(topic, b"k", b"1"))
        followed.until(b"1")
        followed.until_caught_up()


def test_a_broker_that_dies_and_comes_back_costs_nothing_but_errors_that_are_counted(tmp_path: Path) -> None:
    with KafkaCluster(tmp_path / "kafka", KAFKA_CACHE) as cluster:
        world = KafkaWorld(cluster.bootstrap)
        topic = world.topic()
        send(world.producer(), Output(topic, b"k", b"1"))
        with following(world, topic) as followed:
            followed.until(b"1")
            cluster.kill()
            eventually(lambda: followed.errors, "a counted failure", within_s=WITHIN_S)
            cluster.restart()
            send(world.producer(), Output(topic, b"k", b"2"))
            followed.until(b"1", b"2")
        world.close()

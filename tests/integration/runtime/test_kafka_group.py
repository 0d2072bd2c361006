"""A group's offsets from outside of it, on Apache Kafka."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.runtime.kafka.broker import BrokerError, RebalanceListener
from services.runtime.kafka.config import Connection
from services.runtime.kafka.group import group_offsets
from services.runtime.kafka.types import Next, Partition
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.support import eventually


def test_what_was_committed_is_read_and_what_never_was_is_left_out(kafka_world: KafkaWorld) -> None:
    topic, group = kafka_world.topic(partitions=2), f"group-{uuid4()}"
    first, second = Partition(topic, 0), Partition(topic, 1)
    with group_offsets(kafka_world.connection, group) as offsets:
        assert offsets.committed([first, second], timeout_s=10) == {}
        offsets.commit({first: 7}, timeout_s=10)
    with group_offsets(kafka_world.connection, group) as offsets:
        assert offsets.committed([first, second], timeout_s=10) == {first: 7}


def test_who_only_watches_does_not_wait_for_a_transaction_that_was_left_open(kafka_world: KafkaWorld) -> None:
    topic, group = kafka_world.topic(), f"group-{uuid4()}"
    partition = Partition(topic, 0)
    with group_offsets(kafka_world.connection, group) as offsets:
        offsets.commit({partition: 7}, timeout_s=10)
    member = kafka_world.consumer(group)
    assigned: list[Partition] = []
    member.subscribe([topic], RebalanceListener(assigned.extend, lambda _: None, lambda _: None))
    worker = kafka_world.transactional(f"worker-{uuid4()}")
    worker.init(20)
    worker.begin()
    eventually(lambda: member.poll(1, 0.1) == [] and bool(assigned), "a member", within_s=20)
    worker.send_offsets({partition: Next(9)}, member.group_metadata(), 20)
    with group_offsets(kafka_world.connection, group, "read_uncommitted") as offsets:
        assert offsets.committed([partition], timeout_s=10) == {partition: 7}
    with group_offsets(kafka_world.connection, group) as offsets, pytest.raises(BrokerError):
        offsets.committed([partition], timeout_s=1)
    worker.commit(20)
    with group_offsets(kafka_world.connection, group) as offsets:
        assert offsets.committed([partition], timeout_s=10) == {partition: 9}


def test_the_offsets_of_a_group_with_members_are_its_own(kafka_world: KafkaWorld) -> None:
    topic, group = kafka_world.topic(), f"group-{uuid4()}"
    assigned: list[Partition] = []
    member = kafka_world.consumer(group)
    member.subscribe([topic], RebalanceListener(assigned.extend, lambda _: None, lambda _: None))

    def joined() -> bool:
        member.poll(1, 0.1)
        return bool(assigned)

    eventually(joined, "the member to be given its partition", within_s=20)
    with group_offsets(kafka_world.connection, group) as offsets, pytest.raises(BrokerError):
        offsets.commit({Partition(topic, 0): 7}, timeout_s=10)


def test_without_a_broker_it_says_so(kafka_world: KafkaWorld) -> None:
    nowhere = Connection("127.0.0.1:1", "test")
    with group_offsets(nowhere, "group") as offsets, pytest.raises(BrokerError):
        offsets.committed([Partition("topic", 0)], timeout_s=0.5)

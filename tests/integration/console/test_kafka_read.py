"""The console's reader of topics on Apache Kafka: what is still open at the end is waited for."""

from __future__ import annotations

import threading
from contextlib import closing
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from console.edges.kafka_read import KafkaReader
from services.runtime.kafka.config import Connection, transactional_options
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.support import eventually

WITHIN_S = 20.0


def open_transaction(kafka_world: KafkaWorld, topic: str, value: bytes) -> Producer:
    """A transaction that has written and is not committed."""
    connection = Connection(kafka_world.connection.bootstrap, "test")
    producer = Producer(transactional_options(connection, transactional_id=f"open-{uuid4().hex}"))
    producer.init_transactions(WITHIN_S)
    producer.begin_transaction()
    producer.produce(topic, value)
    assert producer.flush(WITHIN_S) == 0
    return producer


class Reading:
    """One read of a whole topic, on a thread of its own."""

    def __init__(self, kafka_world: KafkaWorld, topic: str) -> None:
        self.found: list[bytes] = []
        self.began = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(kafka_world.connection.bootstrap, topic))
        self._thread.start()

    def _read(self, bootstrap: str, topic: str) -> None:
        with closing(KafkaReader(bootstrap)) as reader:
            for value in reader.values(topic):
                self.found.append(value)
                self.began.set()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> None:
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive(), "the read has not ended"


@pytest.mark.parametrize("committed", [True, False])
def test_a_read_waits_for_the_transaction_that_is_open_at_the_end(
    kafka_world: KafkaWorld, committed: bool
) -> None:
    topic = kafka_world.topic()
    before = open_transaction(kafka_world, topic, b"before")
    before.commit_transaction(WITHIN_S)
    producer = open_transaction(kafka_world, topic, b"open")
    reading = Reading(kafka_world, topic)
    assert reading.began.wait(WITHIN_S)
    assert reading.alive()
    if committed:
        producer.commit_transaction(WITHIN_S)
    else:
        producer.abort_transaction(WITHIN_S)
    reading.join()
    assert reading.found == ([b"before", b"open"] if committed else [b"before"])


def test_what_comes_after_the_call_is_not_waited_for(kafka_world: KafkaWorld) -> None:
    topic = kafka_world.topic()
    open_transaction(kafka_world, topic, b"whole").commit_transaction(WITHIN_S)
    with closing(KafkaReader(kafka_world.connection.bootstrap)) as reader:
        values = reader.values(topic)
        assert next(values) == b"whole"
        later = open_transaction(kafka_world, topic, b"later")
        assert list(values) == []
        later.abort_transaction(WITHIN_S)


def test_a_read_of_an_empty_topic_ends(kafka_world: KafkaWorld) -> None:
    topic = kafka_world.topic()
    reading = Reading(kafka_world, topic)
    eventually(lambda: not reading.alive(), "the end of an empty topic", within_s=WITHIN_S)
    assert reading.found == []

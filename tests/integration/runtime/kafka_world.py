"""Apache Kafka as the loop's tests use it: topics and groups of their own, clients closed at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from uuid import uuid4

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from services.runtime.kafka.broker import Reset
from services.runtime.kafka.config import Connection, consumer_options, producer_options, transactional_options
from services.runtime.kafka.consumer import KafkaConsumer
from services.runtime.kafka.producer import KafkaProducer, KafkaTransactionalProducer
from services.runtime.kafka.types import Output

_ADMIN_S = 30.0
# Shorter than any reader of ours lets a fetch wait: none of its fetches comes back empty.
_WITHOUT_PAUSE_S = 0.002


class KafkaWorld:
    """Clients of one cluster; `close` closes what it gave out. `errors` are the codes that passed by."""

    poll_s = 0.1

    def __init__(self, bootstrap: str, *, replication: int = 1) -> None:
        self._replication = replication
        self.connection = Connection(bootstrap, "test")
        self.errors: list[str] = []
        self._ended = ExitStack()
        # Kept: a temporary would be gone before its answer comes.
        self._admin = self._ended.enter_context(AdminClient({"bootstrap.servers": bootstrap}))
        self._consumers: list[KafkaConsumer] = []
        self._readers: list[Consumer] = []

    def topic(self, *, partitions: int = 1, max_message_bytes: int = 1_000_000, name: str = "") -> str:
        name = name or f"test-{uuid4().hex[:12]}"
        config = {"max.message.bytes": str(max_message_bytes)}
        new = NewTopic(name, partitions, self._replication, config=config)
        for made in self._admin.create_topics([new]).values():
            made.result(_ADMIN_S)
        return name

    def coordinator(self, group: str) -> str:
        """`host:port` of the broker that coordinates `group`."""
        node = self._admin.describe_consumer_groups([group])[group].result(_ADMIN_S).coordinator
        return f"{node.host}:{node.port}"

    def consumer(
        self, group: str, reset: Reset = Reset.EARLIEST, *, max_poll_interval_ms: int = 30_000
    ) -> KafkaConsumer:
        options = consumer_options(
            self.connection, group=group, reset=reset, max_poll_interval_ms=max_poll_interval_ms
        )
        consumer = KafkaConsumer(options, self.errors.append)
        self._consumers.append(consumer)
        return consumer

    def reader(self, topics: Iterable[str]) -> Consumer:
        """A plain client on partition 0 of each topic, from its beginning: what is committed, and its end."""
        options: dict[str, str | bool] = {
            "bootstrap.servers": self.connection.bootstrap,
            "group.id": f"reader-{uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
        reader = Consumer(options)
        reader.assign([TopicPartition(topic, 0, 0) for topic in topics])
        self._readers.append(reader)
        return reader

    def producer(self) -> KafkaProducer:
        return KafkaProducer(producer_options(self.connection), self.errors.append)

    @contextmanager
    def writing(self, *topics: str) -> Iterator[None]:
        """While inside, partition 0 of each topic gets one record after another, without a pause."""
        stop = threading.Event()
        options = {**producer_options(self.connection), "linger.ms": 0}
        producer = KafkaProducer(options, self.errors.append)

        def write() -> None:
            while not stop.wait(_WITHOUT_PAUSE_S):
                for topic in topics:
                    producer.send(Output(topic, b"busy", b"busy", partition=0), lambda error: None)
                producer.poll()

        writer = threading.Thread(target=write, name="test-writing")
        writer.start()
        try:
            yield
        finally:
            stop.set()
            writer.join()
            producer.flush(_ADMIN_S)

    def transactional(self, transactional_id: str) -> KafkaTransactionalProducer:
        options = transactional_options(self.connection, transactional_id=transactional_id)
        return KafkaTransactionalProducer(options, self.errors.append)

    def close(self) -> None:
        for consumer in self._consumers:
            consumer.close()
        for reader in self._readers:
            reader.close()
        self._ended.close()

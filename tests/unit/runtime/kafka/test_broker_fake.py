"""The fake broker keeps the broker's contract."""

from __future__ import annotations

from itertools import count

import pytest

from services.runtime.kafka.broker import Reset
from tests.contracts.broker import BrokerContract, World
from tests.fakes.broker import FakeBroker, FakeConsumer, FakeProducer, FakeTransactionalProducer


class FakeWorld:
    """One fake broker."""

    poll_s = 0.002

    def __init__(self) -> None:
        self._broker = FakeBroker()
        self._names = count(1)

    def topic(self, *, partitions: int = 1, max_message_bytes: int = 1_000_000) -> str:
        name = f"topic-{next(self._names)}"
        self._broker.create_topic(name, partitions=partitions, max_message_bytes=max_message_bytes)
        return name

    def consumer(self, group: str, reset: Reset = Reset.EARLIEST) -> FakeConsumer:
        return self._broker.consumer(group, reset)

    def producer(self) -> FakeProducer:
        return self._broker.producer()

    def transactional(self, transactional_id: str) -> FakeTransactionalProducer:
        return self._broker.transactional(transactional_id)


class TestFakeBroker(BrokerContract):
    @pytest.fixture
    def world(self) -> World:
        return FakeWorld()

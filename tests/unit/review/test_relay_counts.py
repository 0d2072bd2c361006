"""The relay tells what lies in the store; what cannot be told stops nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from services.contracts import codec, topics
from services.contracts.events import StageCounts
from services.review.edges.outbox_redis import Entry, RedisOutbox
from services.review.edges.relay import Minutes, Relay
from services.review.metrics import ReviewMetrics
from services.runtime.proofs import written
from tests.builders import DEPLOYMENT, NOON
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import ManualClock
from tests.proofs import proven, proving

POISON: Mapping[str, Mapping[str, object]] = {
    "cases-1": {"alerts_received": 10**30, "alerts_passed:99-1": 4, "alerts_passed:1-1": 10**18},
    "cases-2": {"alerts_received": "many"},
    "cases-3": {"alerts_received": 5},
}


class AnOutbox:
    """Nothing waits; `refused` is how often counts were not believed."""

    refused = 0

    def lease(self, instance: str, *, lasts_s: float) -> bool:
        return True

    def oldest(self, most: int) -> list[Entry]:
        return []

    def waiting(self) -> tuple[int, int | None]:
        return 0, None

    def counts(self) -> tuple[Mapping[str, Mapping[str, object]], int]:
        return POISON, 0

    def refuse_counts(self) -> None:
        self.refused += 1


class Silent:
    def outbox(self, *, entries: int, age_s: float) -> None:
        """Nobody looks."""

    def alerts_lost(self, number: int) -> None:
        """Nobody looks."""


def test_counts_that_no_record_can_carry_stop_no_relay_and_no_other_count() -> None:
    """A ValueError ended the relay's thread: no decision reached Kafka any more, after any restart."""
    broker, outbox = FakeBroker(), AnOutbox()
    broker.create_topic(topics.COUNTS.name)
    relay = Relay(
        deployment=DEPLOYMENT,
        instance="review-0",
        outbox=cast(RedisOutbox, outbox),
        minutes=cast(Minutes, None),
        producer=broker.producer(),
        prove=proving("review", ManualClock(NOON)),
        metrics=cast(ReviewMetrics, Silent()),
        clock=ManualClock(NOON),
        lease_s=5.0,
    )
    assert relay.turn() is False
    told = {}
    for record in broker.records(topics.COUNTS.name):
        assert proven()(written(record), "review") is not None
        event = codec.open_clear(codec.peek(record.value, topic=topics.COUNTS.name))
        assert isinstance(event, StageCounts)
        told[event.incarnation] = dict(event.totals)
    assert told["cases-1"] == {("alerts_received", ""): 2**63 - 1}
    assert told["cases-3"] == {("alerts_received", ""): 5}
    assert "cases-2" not in told
    assert outbox.refused == 1

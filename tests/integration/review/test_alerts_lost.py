"""What Kafka deletes of `alerts`, read or not: nothing of it may be lost, so what is lost is counted and pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.ledger.statement import Line
from console.stack.kafka import KafkaCluster
from services.contracts import topics
from services.contracts.counts import Count
from tests.integration.deleting import delete_all
from tests.integration.review.world import World
from tests.integration.running import WITHIN_S
from tests.support import eventually

METRIC = "signpost_review_lost_alerts"


@pytest.fixture
def world(kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path) -> Iterator[World]:
    made = World(kafka.bootstrap, redis_volatile, redis_durable, tmp_path)
    yield made
    made.close()


def alerts(world: World) -> Line:
    lines = world.statement().lines
    return next(line for line in lines if line.arrow.whole is Count.ALERTS_PUBLISHED)


def told(world: World) -> tuple[int, int, int]:
    """In flight, deleted unread, missing."""
    line = alerts(world)
    return line.in_flight, line.deleted, line.gap


def test_alerts_deleted_unread_are_counted_and_page_and_the_rest_become_cases(world: World) -> None:
    """Review stopped for good at an offset that is not there any more, and the alerts were counted nowhere."""
    with world.review() as review:
        world.feed_numbers(0, 1, 2, 3)
        world.until_received(4)
        assert review.stop() == 0
    world.feed_numbers(*range(4, 12))
    assert told(world) == (8, 0, 0)
    delete_all(world.bootstrap, "alerts", topics.ALERTS.partitions)
    assert told(world) == (0, 8, 0)
    assert world.statement().alerts_lost == 8
    world.feed_numbers(*range(12, 16))
    with world.review() as review:
        world.until_received(8)
        eventually(lambda: review.metric(METRIC) == 8, "the loss to be shown", within_s=WITHIN_S)
    assert world.tally().totals[Count.ALERTS_SKIPPED] == 8
    assert told(world) == (0, 0, 0)
    assert world.statement().alerts_lost == 8


def test_a_quiet_day_stops_nobody(world: World) -> None:
    """All that review has read is deleted, the last marker too: its offset is out of the topic, nothing lost."""
    with world.review() as review:
        world.feed_numbers(0, 1, 2, 3)
        world.until_received(4)
        delete_all(world.bootstrap, "alerts", topics.ALERTS.partitions)
        assert told(world) == (0, 0, 0)
        world.feed_numbers(4, 5, 6, 7)
        world.until_received(8)
        assert review.stop() == 0
    delete_all(world.bootstrap, "alerts", topics.ALERTS.partitions)
    with world.review() as review:
        world.feed_numbers(8, 9)
        world.until_received(10)
        assert review.metric(METRIC) == 0
    assert told(world) == (0, 0, 0)
    assert world.statement().alerts_lost == 0


def test_a_review_that_is_killed_after_it_told_a_case_leaves_no_case_too_many(world: World) -> None:
    """The counts were told once a second, the cases at once: while review was away, there was a case that nobody
    had opened."""
    with world.review("dies", "before_outbox_remove", "1", ready=False) as dying:
        world.feed_numbers(0)
        eventually(lambda: dying.process.poll() is not None, "its end", within_s=WITHIN_S)
    assert [line for line in world.statement().lines if line.gap] == []

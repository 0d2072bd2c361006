"""What somebody without a service's key writes to `alerts`, on Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.stack.kafka import KafkaCluster
from services.contracts.authorisation.enums import Role
from services.contracts.counts import Count
from tests.integration.review.world import World
from tests.integration.running import WITHIN_S
from tests.integration.strangers import forgeries, lying, signed_again, write
from tests.proofs import proving
from tests.support import eventually

METRIC = 'signpost_review_foreign_records_total{reason="%s"}'


@pytest.fixture
def world(kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path) -> Iterator[World]:
    made = World(kafka.bootstrap, redis_volatile, redis_durable, tmp_path)
    yield made
    made.close()


def test_no_copy_and_no_forgery_of_an_alert_is_received_and_none_is_told_as_lost(world: World) -> None:
    """A made-up number paged for alerts that nobody had raised; a copy was received once more."""
    with world.review() as review:
        world.feed_numbers(0, 1, 2, 3)
        world.until_received(4)
        genuine = lying(world.bootstrap, "alerts", world.deployment)
        world.signed.enrol(
            world.signed.registered(
                "match", secret="a revoked key", role=Role.SERVICE, revoked_at=datetime.now(UTC)
            )
        )
        forged = [one for alert in genuine for one in forgeries(alert, other_service="embed")]
        revoked = signed_again(genuine[0], proving("a revoked key"))
        write(world.bootstrap, *genuine, *forged, revoked)
        copied, unproven = METRIC % "copied", METRIC % "unproven"
        # The topic is shared: what strangers wrote in other tests is passed over here too.
        eventually(lambda: review.metric(unproven) >= len(forged) + 1, "the forgeries", within_s=WITHIN_S)
        eventually(lambda: review.metric(copied) == len(genuine), "the copies", within_s=WITHIN_S)
        assert review.stop() == 0
    # Who has the partitions next knows what was passed, by the store.
    write(world.bootstrap, *genuine)
    world.feed_numbers(4)
    with world.review() as review:
        world.until_received(5)
        eventually(lambda: review.metric(copied) == len(genuine), "the copies", within_s=WITHIN_S)
        assert review.metric("signpost_review_lost_alerts") == 0
    statement = world.statement()
    assert statement.reconciles
    assert statement.alerts_lost == 0
    assert statement.totals[Count.ALERTS_RECEIVED] == 5

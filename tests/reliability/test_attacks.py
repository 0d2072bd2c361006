"""Some of the attacks on the real services; `make attacks` plays them all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.stack.kafka import KafkaCluster
from tests.integration.stack import (
    kafka,
    redis_durable,
    redis_durable_server,
    redis_volatile,
    redis_volatile_server,
)
from tests.reliability.attacks.campaign import ALONE, ON_RECORDS, STOP_WITHIN_MS, campaign
from tests.reliability.attacks.judge import Bounds, Sighting, Span, Verdict, Walk, hidden, judge
from tests.reliability.attacks.town import Town, looked_on

__all__ = ["kafka", "redis_durable", "redis_durable_server", "redis_volatile", "redis_volatile_server"]

SHORT_ON_RECORDS = {"forged", "valid signature by the wrong role", "old state replayed", "plaintext face injected"}
SHORT_ALONE = {"revoked key", "stop withheld", "clock unsynchronised"}


def test_a_selection_of_attacks_is_withstood_and_a_stop_holds_a_paused_matcher(
    kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path
) -> None:
    told: list[str] = []
    with looked_on(kafka.bootstrap, redis_volatile, redis_durable, tmp_path) as servers:
        report = campaign(
            servers,
            on_records=[attack for attack in ON_RECORDS if attack.name in SHORT_ON_RECORDS],
            alone=[attack for attack in ALONE if attack.name in SHORT_ALONE],
            stops=1,
            say=told.append,
        )
    assert report.passed, told
    assert report.verdict.inside > 0
    assert report.stop_p95_ms < STOP_WITHIN_MS


def test_a_matcher_that_ignores_its_authority_is_found_out(
    kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path
) -> None:
    """Else nothing that the others found would mean anything."""
    with looked_on(kafka.bootstrap, redis_volatile, redis_durable, tmp_path) as servers, Town(servers) as town:
        town.matcher(module=("tests.reliability.attacks.unguarded",))
        town.searches()
        town.suspend()
        town.dwell()
        verdict = town.verdict()
    assert verdict.inside > 0
    assert verdict.searches_outside > 0
    assert "at no authorised moment, by when it was written and seen" in verdict.outside


NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
WALK = Walk("gate-1.1.1.1.0", "gate-1", NOON)
BOUNDS = Bounds(
    spans=(Span(NOON - timedelta(hours=1), NOON + timedelta(seconds=2)),),
    cameras=frozenset({"gate-1"}),
    subjects=frozenset({"anna"}),
    list_digest="digest",
    score_kind="raw",
)


def a_sighting(**changes: object) -> Sighting:
    values: dict[str, object] = {
        "track": WALK.track,
        "camera": "gate-1",
        "subject": "anna",
        "list_digest": "digest",
        "score_kind": "raw",
        "version": 1,
        "searched_at": NOON + timedelta(seconds=1),
        "seen_at": NOON + timedelta(seconds=3),
    }
    return Sighting(**(values | changes))  # type: ignore[arg-type]  # a test names the fields it is about


@pytest.mark.parametrize(
    ("changes", "outside"),
    [
        ({}, 0),
        ({"track": "gate-1.1.1.2.0"}, 1),
        ({"camera": "gate-2"}, 1),
        ({"subject": "dora"}, 1),
        ({"list_digest": "another"}, 1),
        ({"score_kind": "gallery_normalised"}, 1),
        ({"version": 2}, 1),
        ({"searched_at": NOON + timedelta(seconds=2)}, 1),
        ({"searched_at": NOON - timedelta(seconds=1)}, 1),
        ({"searched_at": NOON + timedelta(seconds=1), "seen_at": NOON + timedelta(milliseconds=500)}, 1),
    ],
    ids=["inside", "nobody's", "camera", "person", "list", "kind", "version", "late", "too early", "seen before"],
)
def test_the_judge_finds_each_kind_of_search_outside(changes: dict[str, object], outside: int) -> None:
    verdict = judge({WALK.track: WALK}, [a_sighting(**changes)], BOUNDS)
    assert (verdict.inside, verdict.searches_outside) == (1 - outside, outside)


def test_a_face_that_was_shown_when_nothing_was_allowed_convicts_whatever_its_alert_says() -> None:
    late = Walk(WALK.track, WALK.camera, NOON + timedelta(seconds=2))
    verdict = judge({late.track: late}, [a_sighting()], BOUNDS)
    assert verdict == Verdict(0, ("at no authorised moment, by when it was written and seen",))


def test_an_alert_on_somebody_below_the_threshold_is_outside() -> None:
    alike = Walk(WALK.track, WALK.camera, NOON, listed=False)
    assert judge({alike.track: alike}, [a_sighting()], BOUNDS).searches_outside == 1


def test_searches_that_were_counted_and_left_no_alert_are_found() -> None:
    alike = Walk("gate-1.1.1.9.0", "gate-1", NOON, listed=False)
    assert hidden(searched=2, sightings=[a_sighting()], walks=[WALK, alike]) == 0
    assert hidden(searched=3, sightings=[a_sighting()], walks=[WALK, alike]) == 1

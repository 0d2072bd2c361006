"""What the loop reports arrives in the metrics that each service has declared for it."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from services.embed import metrics as embed
from services.match import metrics as match
from services.review import metrics as review
from services.runtime.kafka.figures import LoopFigures, LoopSpecs
from services.runtime.kafka.metrics import Status
from services.runtime.kafka.signals import ResetReason
from services.runtime.kafka.types import Partition

HELD = Status(joined=True, lag={Partition("t", 0): 3, Partition("t", 1): 4}, stuck={Partition("t", 1): "bad"})
EVERY_LOOP = pytest.mark.parametrize(
    "specs", [embed.LOOP, match.LOOP, review.LOOP], ids=["embed", "match", "review"]
)


@EVERY_LOOP
@pytest.mark.parametrize("reason", ResetReason)
def test_every_reset_of_the_loop_has_its_label(specs: LoopSpecs, reason: ResetReason) -> None:
    registry = CollectorRegistry()
    LoopFigures(registry, specs).reset(reason)
    (label,) = specs.resets.labels
    assert registry.get_sample_value(specs.resets.name, {label: reason.value}) == 1


@EVERY_LOOP
def test_what_happens_is_counted_and_what_takes_time_is_measured(specs: LoopSpecs) -> None:
    registry = CollectorRegistry()
    figures = LoopFigures(registry, specs)
    figures.handled(5, 0.5)
    figures.committed(0.25)
    figures.aborted()
    figures.retried()
    figures.kafka_error("_TRANSPORT")
    for counter in (specs.aborts, specs.retries, specs.kafka_errors):
        assert registry.get_sample_value(counter.name) == 1
    assert registry.get_sample_value(f"{specs.commit_seconds.name}_sum") == 0.25
    if specs.batch_seconds is not None:
        assert registry.get_sample_value(f"{specs.batch_seconds.name}_sum") == 0.5


@pytest.mark.parametrize("specs", [match.LOOP, review.LOOP], ids=["match", "review"])
def test_partitions_that_are_stuck_are_shown_beside_all_that_are_held(specs: LoopSpecs) -> None:
    registry = CollectorRegistry()
    LoopFigures(registry, specs).stands(HELD)
    assert specs.stuck is not None
    assert registry.get_sample_value(specs.lag.name) == 7
    assert registry.get_sample_value(specs.assigned.name) == 2
    assert registry.get_sample_value(specs.stuck.name) == 1


def test_embed_shows_its_partitions_by_whether_they_move() -> None:
    registry = CollectorRegistry()
    LoopFigures(registry, embed.LOOP).stands(HELD)
    assert registry.get_sample_value(embed.LOOP.lag.name) == 7
    assert registry.get_sample_value(embed.LOOP.assigned.name, {"state": "moving"}) == 1
    assert registry.get_sample_value(embed.LOOP.assigned.name, {"state": "stuck"}) == 1


@pytest.mark.parametrize(("reason", "shown"), [("undecodable", "undecodable"), ("not yet named", "other")])
def test_a_dead_letter_of_match_is_shown_under_its_reason_or_as_other(reason: str, shown: str) -> None:
    registry = CollectorRegistry()
    LoopFigures(registry, match.LOOP, dead_lettered=match.MatchMetrics(registry).dead_lettered).dead_lettered(
        reason
    )
    assert registry.get_sample_value(match.FACES_DEAD.name, {"reason": shown}) == 1


def test_a_loop_that_may_skip_nothing_takes_no_dead_letter() -> None:
    with pytest.raises(RuntimeError, match="no dead letters"):
        LoopFigures(CollectorRegistry(), review.LOOP).dead_lettered("undecodable")

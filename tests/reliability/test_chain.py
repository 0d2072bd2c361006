"""The sequencer is killed at every point and at random; `make chain` is the longer run of the same."""

from __future__ import annotations

import pytest

from console.stack.kafka import KafkaCluster
from tests.integration.oversight.chain_ground import CHAINS, Missing
from tests.integration.oversight.chain_worker import POINTS
from tests.integration.stack import kafka
from tests.reliability.chain import AT_RANDOM, AWAKENING_EVERY, Report, figures, passed, play_on
from tests.reliability.tampering import TAMPERINGS

__all__ = ["kafka"]

KILLS = AWAKENING_EVERY


@pytest.fixture(scope="module")
def report(kafka: KafkaCluster) -> Report:
    return play_on(kafka, KILLS, seed=1, say=lambda line: None)


def test_it_was_killed_at_every_point_and_at_random(report: Report) -> None:
    assert set(report.kills) == {*POINTS, AT_RANDOM}
    assert report.kills.total() == KILLS


def test_every_request_is_recorded_once_and_each_chain_verifies(report: Report) -> None:
    assert report.missing == Missing(gaps=0, doubles=0), figures(report)
    assert report.verified == len(CHAINS), figures(report)


def test_a_sequencer_that_wakes_up_too_late_is_fenced(report: Report) -> None:
    assert report.fenced == 1, figures(report)


def test_every_tampering_with_what_was_recorded_is_named(report: Report) -> None:
    assert set(report.named) == {tamper.__name__ for tamper in TAMPERINGS}, figures(report)
    assert passed(report)

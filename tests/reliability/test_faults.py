"""Everything is killed at least once while known people walk past; `make faults` is the longer run of the same."""

from __future__ import annotations

import pytest

from console.stack.errors import StackUnavailableError
from tests.integration.stack import missing_server
from tests.reliability.chaos import Chaos, Plan, Report
from tests.reliability.faults import FEWER_AT_RANDOM, FEWER_DOOMS, figures

# Every passage that was shown; fewer would mean that the run has shown next to nothing.
LEAST_PASSAGES = 12


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    plan = Plan(dooms=FEWER_DOOMS, at_random=FEWER_AT_RANDOM)
    try:
        with Chaos(tmp_path_factory.mktemp("faults"), plan) as chaos:
            return chaos.run()
    except StackUnavailableError as missing:
        missing_server(str(missing))


def test_every_part_was_killed(report: Report) -> None:
    killed = {name.partition(" ")[0] for name in report.kills}
    services = {"ingest", "embed", "worker", "match", "review", "oversight"}
    assert killed == services | {"broker", "redis_volatile", "redis_durable"}
    assert sum(report.kills.values()) == len(FEWER_AT_RANDOM) + sum(map(len, FEWER_DOOMS.values()))


def test_no_passage_outside_the_counted_gaps_is_lost(report: Report) -> None:
    assert not report.verdict.lost, figures(report)
    assert report.verdict.found >= LEAST_PASSAGES, figures(report)


def test_no_passage_has_two_cases_and_no_alert_comes_twice(report: Report) -> None:
    assert not report.verdict.doubled, figures(report)
    assert report.verdict.repeated == 0, figures(report)


def test_nobody_is_alerted_who_was_not_there(report: Report) -> None:
    assert not report.verdict.wrong, figures(report)


def test_the_counts_add_up_and_say_what_is_on_the_topic(report: Report) -> None:
    assert report.reconciles, figures(report)

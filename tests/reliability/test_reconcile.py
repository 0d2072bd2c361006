"""A statement may be asked for at any moment; `make reconcile` is the longer run of the same."""

from __future__ import annotations

from typing import Any

import pytest

from console.stack.errors import StackUnavailableError
from services.contracts.counts import Count
from tests.integration.stack import missing_server
from tests.reliability.asking import Asked, Expected, Verdict, judged
from tests.reliability.reconcile import Reconciling

# One pause, one absence and one loss: what nobody counts, and what Kafka deletes.
EPISODES = ("quiet", "match away", "strangers' counts", "count of nobody")


def silent(line: str) -> None:
    """Progress is for who waits at a terminal."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    try:
        return Reconciling(tmp_path_factory.mktemp("reconcile"), silent).run(seconds=30, episodes=EPISODES)
    except StackUnavailableError as missing:
        missing_server(str(missing))


def test_no_statement_names_what_is_not_missing(found: dict[str, Any]) -> None:
    """Finding A1, K2, K3: in a pause, beside a restart, and while it runs."""
    assert found["asked"] > 0
    assert found["false_alarms"] == 0, found


def test_no_statement_leaves_out_what_is(found: dict[str, Any]) -> None:
    """Or the figures would add up by saying nothing."""
    assert found["missed"] == 0, found
    assert found["planted"], found


SO = Expected({Count.FACES_PUBLISHED: 3}, 2, 1)
BEFORE = Expected({}, 0, 0)
TIMES = [(0.0, 0.0, BEFORE), (10.0, 12.0, SO)]


def an_answer(began_s: float, gaps: dict[Count, int], alerts_lost: int) -> Asked:
    return Asked(began_s, began_s + 1, gaps, alerts_lost)


def test_an_answer_before_and_after_a_loss_is_right_by_what_was_so_then() -> None:
    answers = [an_answer(5, {}, 0), an_answer(20, {Count.FACES_PUBLISHED: 3}, 2)]
    assert judged(answers, TIMES) == Verdict(2)


def test_an_answer_while_a_loss_is_made_may_say_either() -> None:
    answers = [an_answer(11, {}, 0), an_answer(10.5, {Count.FACES_PUBLISHED: 3}, 2)]
    verdict = judged(answers, TIMES)
    assert (verdict.false_alarms, verdict.missed) == ([], [])


@pytest.mark.parametrize(("gaps", "lost"), [({}, 2), ({Count.FACES_PUBLISHED: 3}, 0), ({}, 0)])
def test_an_answer_that_leaves_out_a_loss_has_missed_it(gaps: dict[Count, int], lost: int) -> None:
    assert len(judged([an_answer(20, gaps, lost)], TIMES).missed) == 1


@pytest.mark.parametrize(("gaps", "lost"), [({Count.ALERTS_PUBLISHED: 1}, 0), ({}, 1)])
def test_an_answer_that_names_what_is_not_missing_is_a_false_alarm(gaps: dict[Count, int], lost: int) -> None:
    assert len(judged([an_answer(5, gaps, lost)], TIMES).false_alarms) == 1

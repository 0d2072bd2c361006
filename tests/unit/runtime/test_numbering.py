"""Reading from `counts` how far the lanes of a deployment have come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.contracts import counts
from services.contracts.counts import Count, Lane
from services.contracts.errors import Transient
from services.contracts.events import StageCounts
from services.contracts.ids import DeploymentId
from services.runtime import counts_topic
from services.runtime.kafka.types import Record
from services.runtime.numbering import Reading, finish
from tests.builders import DEPLOYMENT, NOON
from tests.proofs import a_record, proven


def told(incarnation: str, number: int, deployment: DeploymentId = DEPLOYMENT, by: str | None = "embed") -> Record:
    event = StageCounts(
        deployment=deployment,
        trace_id="",
        captured_at=NOON,
        stage="embed",
        incarnation=incarnation,
        totals={("faces_given", "1-2"): number, ("frames_decoded", ""): 9},
        standing={},
    )
    return a_record(counts_topic.output(event), by=by)


def a_reading(errors: list[str] | None = None) -> Reading:
    return Reading(DEPLOYMENT, proven(), (errors if errors is not None else []).append)


def given(reading: Reading) -> int:
    """The last number of the one lane."""
    return counts.tally(reading.told()).numbers[Count.FACES_GIVEN].get(Lane(1, 2), 0)


def test_of_each_incarnation_one_record_is_held_however_many_there_are() -> None:
    """All values of the topic were collected: seven years of every deployment in one list."""
    reading = a_reading()
    for number in range(50):
        reading.take(told("one", number))
        reading.take(told("one", number, DeploymentId("another-street")))
        reading.take(replace(told("one", number), value=b"nonsense"))
        reading.take(replace(told("one", number), key=None, value=b""))
    reading.take(told("one", 49))
    (found,) = reading.told()
    assert found.totals[Count.FACES_GIVEN, "1-2"] == 49
    assert reading.taken == 201


def test_numbers_that_no_service_signed_are_not_recalled() -> None:
    """A stranger's number on `counts` was where a lane went on whose mark was gone."""
    reading = a_reading()
    reading.take(told("one", 7))
    reading.take(told("one", 900, by=None))
    reading.take(told("stranger", 900, by=None))
    reading.take(told("one", 900, by="match"))
    assert given(reading) == 7


def test_a_number_that_a_later_record_does_not_reach_is_recalled_all_the_same() -> None:
    """Two processes may write under one name, one after the other; the largest number of a lane holds."""
    reading = a_reading()
    reading.take(told("one", 12))
    reading.take(told("one", 3))
    assert given(reading) == 12


def test_a_long_topic_is_read_on_while_it_comes() -> None:
    """A fixed deadline for the whole topic was never met again once the topic had outgrown it."""
    reading, moves = a_reading(), list[int]()
    steps: Iterator[bool] = iter([False] * 6 + [True])

    def caught_up() -> bool:
        reading.take(told("one", 1))
        return next(steps)

    finish(caught_up, reading, lambda: moves.append(reading.taken), quiet_s=0.0)
    assert moves == [1, 2, 3, 4, 5, 6]


def test_a_topic_that_gives_nothing_is_asked_again_and_the_brokers_error_is_told() -> None:
    errors: list[str] = []
    reading = a_reading(errors)
    reading.trouble("TOPIC_AUTHORIZATION_FAILED")
    with pytest.raises(Transient, match="TOPIC_AUTHORIZATION_FAILED"):
        finish(lambda: False, reading, lambda: None, quiet_s=0.0)
    assert errors == ["TOPIC_AUTHORIZATION_FAILED"]

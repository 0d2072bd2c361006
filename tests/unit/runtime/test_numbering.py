"""Reading from `counts` how far the lanes of a deployment have come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.contracts import codec, topics
from services.contracts.errors import Transient
from services.contracts.events import StageCounts
from services.contracts.ids import DeploymentId
from services.runtime.numbering import Reading, finish
from tests.builders import DEPLOYMENT, NOON


def a_value(incarnation: str, number: int, deployment: DeploymentId = DEPLOYMENT) -> bytes:
    event = StageCounts(
        deployment=deployment,
        trace_id="",
        captured_at=NOON,
        stage="embed",
        incarnation=incarnation,
        totals={("faces_given", "1-2"): number, ("frames_decoded", ""): 9},
        standing={},
    )
    return codec.encode(event, topic=topics.COUNTS.name)


def a_reading(told: list[str] | None = None) -> Reading:
    return Reading(DEPLOYMENT, (told if told is not None else []).append)


def test_of_each_incarnation_one_record_is_held_however_many_there_are() -> None:
    """All values of the topic were collected: seven years of every deployment in one list."""
    reading = a_reading()
    for number in range(50):
        reading.take(a_value("one", number))
        reading.take(a_value("one", number, DeploymentId("another-street")))
        reading.take(b"nonsense")
        reading.take(b"")
    reading.take(a_value("one", 3))
    (found,) = reading.newest.values()
    assert found.totals == {("faces_given", "1-2"): 49}
    assert reading.taken == 201


def test_a_long_topic_is_read_on_while_it_comes() -> None:
    """A fixed deadline for the whole topic was never met again once the topic had outgrown it."""
    reading, moves = a_reading(), list[int]()
    steps: Iterator[bool] = iter([False] * 6 + [True])

    def caught_up() -> bool:
        reading.take(b"nonsense")
        return next(steps)

    finish(caught_up, reading, lambda: moves.append(reading.taken), quiet_s=0.0)
    assert moves == [1, 2, 3, 4, 5, 6]


def test_a_topic_that_gives_nothing_is_asked_again_and_the_brokers_error_is_told() -> None:
    told: list[str] = []
    reading = a_reading(told)
    reading.trouble("TOPIC_AUTHORIZATION_FAILED")
    with pytest.raises(Transient, match="TOPIC_AUTHORIZATION_FAILED"):
        finish(lambda: False, reading, lambda: None, quiet_s=0.0)
    assert told == ["TOPIC_AUTHORIZATION_FAILED"]

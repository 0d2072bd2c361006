"""Whose word on a purge counts: only the holder's own, under a key that the registry vouches for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.purging import SERVICES, Holder, PurgeAnswer, PurgeAnswered
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import sign
from services.oversight.edges.kafka_answers import KafkaAnswers
from services.runtime.kafka.config import Connection
from tests.unit.contracts.authorisation import builders as b

AT = b.NOON


def registry(sequence: int = 1) -> Registry:
    services = [b.a_registered_key(one, Role.SERVICE) for one in sorted(SERVICES) if one not in b.PEOPLE]
    return b.a_registry(*services, sequence=sequence)


class Desk:
    """What oversight has heard; nothing is read from Kafka."""

    def __init__(self) -> None:
        self.refused = 0
        self.heard = KafkaAnswers(
            Connection("127.0.0.1:1", "tests"), on_error=lambda code: None, on_undecodable=self._refuse
        )

    def say(self, holder: Holder, *, by: str = "", order: int = 5, deployment: str = "town") -> None:
        answer = PurgeAnswer(
            deployment="town", version=1, order=order, holder=holder, instance="one", at=AT, destroyed={}, left={}
        )
        said = PurgeAnswered(deployment=deployment, signed_at=AT, answer=answer)
        self.heard.take(sign(said, b.key(by or holder)).encode())

    def orders(self, *, by: Registry | None = None, later: timedelta = timedelta(0)) -> list[int]:
        return [one.order for one in self.heard.answers(by or registry(), AT + later)]

    def _refuse(self) -> None:
        self.refused += 1


def test_a_service_answers_for_itself_and_its_newest_answer_counts() -> None:
    desk = Desk()
    desk.say(Holder.MATCH, order=5)
    desk.say(Holder.MATCH, order=6)
    assert desk.orders() == [6]


def test_however_many_records_a_stranger_writes_one_look_judges_some_and_a_later_one_the_rest() -> None:
    """They were judged on the thread that renews the leases, all at once: some ten thousand made it late."""
    desk = Desk()
    for number in range(250):
        desk.heard.take(b"junk %d" % number)
    desk.heard.take(b"x" * 1_000_000)
    desk.say(Holder.MATCH, order=5)
    assert [desk.orders() for _ in range(3)] == [[], [], [5]]
    assert desk.refused == 251
    assert desk.orders() == [5]


@pytest.mark.parametrize(
    ("holder", "by"),
    [(Holder.MATCH, "review"), (Holder.MATCH, "sam"), (Holder.MATCH, "a stranger"), (Holder.CONSOLE, "review")],
)
def test_nobody_answers_for_another(holder: Holder, by: str) -> None:
    desk = Desk()
    desk.say(holder, by=by)
    assert desk.orders() == []
    assert desk.orders() == []
    assert desk.refused == 1, "told of once"


def test_the_operator_who_may_order_a_purge_answers_for_the_console() -> None:
    desk = Desk()
    desk.say(Holder.CONSOLE, by="sam")
    assert desk.orders() == [5]


def test_an_answer_under_another_deployments_name_is_none() -> None:
    desk = Desk()
    desk.say(Holder.MATCH, deployment="city")
    assert desk.orders() == []


def test_what_is_no_token_is_refused() -> None:
    desk = Desk()
    desk.heard.take(b"\xff{}")
    assert desk.orders() == []
    assert desk.refused == 1


def test_a_service_that_is_enrolled_later_was_not_unheard() -> None:
    desk = Desk()
    desk.say(Holder.MATCH)
    assert desk.orders(by=b.a_registry()) == []
    assert desk.orders(by=registry(sequence=2)) == [5]


def test_a_clock_that_is_a_little_ahead_is_waited_for() -> None:
    desk = Desk()
    desk.say(Holder.MATCH)
    assert desk.orders(later=-timedelta(seconds=5)) == []
    assert desk.orders() == [5]

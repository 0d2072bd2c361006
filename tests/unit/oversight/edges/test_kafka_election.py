"""One of the group leads: the one that has partition 0."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from services.contracts import topics
from services.oversight.edges.kafka_election import GROUP, Election
from services.runtime.kafka.types import Output
from tests.fakes.broker import FakeBroker
from tests.support import eventually

WITHIN_S = 5.0


class Candidate:
    """One instance: whether it leads, and its election on a thread."""

    def __init__(self, broker: FakeBroker) -> None:
        self.leads = False
        self.beats = 0
        self.consumer = broker.consumer(GROUP)
        self.election = Election(self.consumer, lead=self._lead, rest=self._rest)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="signpost-election")
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        self.election.run(self._stop, self._beat)

    def _beat(self) -> None:
        self.beats += 1

    def _lead(self) -> None:
        self.leads = True

    def _rest(self) -> None:
        self.leads = False


@pytest.fixture
def broker() -> FakeBroker:
    made = FakeBroker()
    made.create_topic(topics.AUDIT_REQUESTS.name, partitions=topics.AUDIT_REQUESTS.partitions)
    return made


@contextmanager
def candidates(broker: FakeBroker, number: int) -> Iterator[list[Candidate]]:
    with ExitStack() as stack:
        made = [Candidate(broker) for _ in range(number)]
        for one in made:
            stack.callback(one.stop)
        yield made


def settled(found: list[Candidate]) -> bool:
    return all(one.election.joined for one in found) and sum(one.leads for one in found) == 1


def test_one_alone_leads_and_beats(broker: FakeBroker) -> None:
    with candidates(broker, 1) as (one,):
        eventually(lambda: one.leads, "it to lead", within_s=WITHIN_S)
        eventually(lambda: one.beats > 1, "it to beat", within_s=WITHIN_S)


def test_of_two_one_leads_and_when_it_goes_the_other_does(broker: FakeBroker) -> None:
    with candidates(broker, 2) as two:
        eventually(lambda: settled(two), "one of two to lead", within_s=WITHIN_S)
        leader, standby = sorted(two, key=lambda one: not one.leads)
        leader.stop()
        eventually(lambda: standby.leads, "the standby to lead", within_s=WITHIN_S)
        assert not leader.leads


def test_who_is_put_out_of_the_group_rests(broker: FakeBroker) -> None:
    with candidates(broker, 2) as two:
        eventually(lambda: settled(two), "one of two to lead", within_s=WITHIN_S)
        leader = next(one for one in two if one.leads)
        broker.expire(leader.consumer)
        eventually(lambda: settled(two), "one of two to lead again", within_s=WITHIN_S)


def test_what_others_are_to_read_is_left_to_them(broker: FakeBroker) -> None:
    with candidates(broker, 1) as (one,):
        eventually(lambda: one.leads, "it to lead", within_s=WITHIN_S)
        for number in range(3):
            broker.append(Output(topics.AUDIT_REQUESTS.name, b"k", b"v", partition=number))
        seen = one.beats
        eventually(lambda: one.beats > seen + 1, "it to come round", within_s=WITHIN_S)
    assert broker.committed(GROUP) == {}

"""The one writer on the loop, over the fake broker: aborts, awakenings, and what must not be skipped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.requests import Action, SignedRequest
from services.contracts.audit.sequencer import Sequencer, recover
from services.contracts.codec_audit import encode_record, read_record
from services.oversight.edges.kafka_chain import ChainWriter
from services.runtime.clock import SystemClock
from services.runtime.kafka.broker import Abortable
from services.runtime.kafka.commit import Transactional
from services.runtime.kafka.loop import Loop
from services.runtime.kafka.types import NOTHING, Output, Partition, Prepared, Record
from tests.conftest import ExpectedErrors
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import ManualClock
from tests.support import eventually
from tests.unit.contracts.audit.builders import (
    NOON,
    PRODUCERS,
    SEQUENCER,
    STRANGER,
    a_request,
    a_sequencer,
    appended,
    keys,
    requests,
    signed,
    verify,
)
from tests.unit.runtime.kafka.rig import A_QUICK_SHAPE, WITHIN_S, Meters

REQUESTS, AUDIT = "audit_requests", "audit"
FIRST, SECOND = PRODUCERS[:2]


class Bench:
    """A sequencer over two partitions of requests; the builders' keys hold on the day of its clock."""

    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.broker.create_topic(REQUESTS, partitions=2)
        self.broker.create_topic(AUDIT)
        self.clock = ManualClock(NOON)
        self.anchored: list[SignedTreeHead] = []
        self.disbelieved: list[None] = []
        self.recoveries = 0
        self.meters = Meters()
        self.writer = ChainWriter(
            recover=self._recover,
            registry=keys,
            signer=SEQUENCER,
            topic=AUDIT,
            head_every_s=60.0,
            anchor=self.anchored.extend,
            on_disbelieved=lambda: self.disbelieved.append(None),
            clock=self.clock,
        )

    def ask(self, *wanted: SignedRequest) -> None:
        for request in wanted:
            partition = int(request.content.producer != FIRST)
            self.broker.append(Output(REQUESTS, b"k", request.raw, partition=partition))

    def records(self) -> list[Audited | SignedTreeHead]:
        return [read_record(record.value) for record in self.broker.records(AUDIT)]

    def entries(self) -> list[SignedRequest]:
        return [record.request for record in self.records() if isinstance(record, Audited)]

    @contextmanager
    def running(self) -> Iterator[Loop[SignedRequest]]:
        loop: Loop[SignedRequest] = Loop(
            self.writer,
            topics=[REQUESTS],
            consumer=self.broker.consumer("signpost-audit"),
            commits=Transactional(self.broker.transactional("signpost-audit")),
            shape=A_QUICK_SHAPE,
            counts_record=None,
            dead_letters=None,
            metrics=self.meters,
            heartbeat=lambda: None,
            clock=SystemClock(),
        )
        stop = threading.Event()
        thread = threading.Thread(target=loop.run, args=(stop,), name="signpost-test-loop")
        thread.start()
        try:
            yield loop
        finally:
            stop.set()
            thread.join(WITHIN_S * 2)
            assert not thread.is_alive(), "the loop does not stop"

    def _recover(self) -> Sequencer:
        self.recoveries += 1
        return recover(self.records(), keys(), verify)


def unbroken(bench: Bench) -> None:
    """The topic folds from its first record to its last."""
    recover(bench.records(), keys(), verify)


def test_what_is_asked_is_recorded_once_and_in_its_producer_s_order() -> None:
    bench = Bench()
    wanted = requests(20, producers=(FIRST, SECOND))
    bench.ask(*wanted)
    with bench.running():
        eventually(lambda: len(bench.entries()) == 20, "every entry", within_s=WITHIN_S)
    unbroken(bench)
    assert bench.recoveries == 1
    for producer in (FIRST, SECOND):
        mine = [request for request in bench.entries() if request.content.producer == producer]
        assert mine == [request for request in wanted if request.content.producer == producer]


def test_after_an_aborted_transaction_the_chain_goes_on_from_what_is_recorded() -> None:
    """A sequencer that went on from its own memory would leave a hole where the aborted entries were."""
    bench = Bench()
    bench.broker.fail_next("commit", Abortable("_INVALID_TXN", "refused"), times=4)
    bench.ask(*requests(20, producers=(FIRST, SECOND)))
    with bench.running():
        eventually(lambda: len(bench.entries()) == 20, "every entry", within_s=WITHIN_S)
    unbroken(bench)
    assert bench.recoveries == 3
    assert bench.meters.resets == {"aborted": 2}


@pytest.mark.parametrize(
    "bad",
    [
        signed(a_request(producer=FIRST, sequence=7)).raw,
        signed(a_request(producer=FIRST, sequence=1, about="d" * 32)).raw,
    ],
)
def test_what_cannot_be_chained_pauses_its_partition_and_no_other(
    bad: bytes, expected_errors: ExpectedErrors
) -> None:
    expected_errors.add("partition parked")
    bench = Bench()
    bench.ask(*requests(3, producers=(FIRST,)))
    bench.broker.append(Output(REQUESTS, b"k", bad, partition=0))
    bench.ask(signed(a_request(producer=FIRST, sequence=4)), *requests(3, producers=(SECOND,)))
    with bench.running() as loop:
        eventually(lambda: len(bench.entries()) == 6, "what is good", within_s=WITHIN_S)
        eventually(lambda: set(loop.status().stuck) == {Partition(REQUESTS, 0)}, "a page", within_s=WITHIN_S)
        eventually(lambda: not loop.status().ready, "not ready", within_s=WITHIN_S)
    unbroken(bench)
    assert bench.broker.committed("signpost-audit")[Partition(REQUESTS, 0)] == 3
    assert not bench.meters.dead


def test_what_nobody_signed_is_passed_over_and_counted_and_what_comes_after_goes_on() -> None:
    bench = Bench()
    forged = signed(a_request(producer=FIRST, sequence=2), STRANGER)
    bench.ask(*requests(1, producers=(FIRST,)), forged, signed(a_request(producer=FIRST, sequence=2)))
    with bench.running():
        eventually(lambda: len(bench.entries()) == 2, "what is genuine", within_s=WITHIN_S)
    unbroken(bench)
    assert bench.disbelieved
    assert forged not in bench.entries()


def test_nothing_is_appended_to_a_topic_that_somebody_else_wrote_to(expected_errors: ExpectedErrors) -> None:
    expected_errors.add("partition parked")
    bench = Bench()
    foreign = appended(a_sequencer(), signed(a_request()))
    for _ in range(2):
        bench.broker.append(Output(AUDIT, b"k", encode_record(foreign)))
    bench.ask(*requests(3, producers=(SECOND,)))
    with bench.running() as loop:
        eventually(lambda: loop.status().stuck, "a page", within_s=WITHIN_S)
    assert len(bench.entries()) == 2


def items(*wanted: SignedRequest) -> list[Prepared[SignedRequest]]:
    return [Prepared(Record(REQUESTS, 0, 0, b"k", one.raw, (), 0), one) for one in wanted]


def test_heads_come_at_the_start_then_in_their_time_and_go_to_the_outside_once_committed() -> None:
    bench = Bench()
    bench.broker.append(Output(AUDIT, b"k", encode_record(appended(a_sequencer(), signed(a_request())))))
    start = bench.writer.tick()
    assert [type(read_record(output.value)) for output in start.outputs] == [SignedTreeHead]
    assert bench.anchored == []
    bench.writer.delivered(start)
    assert [head.head.size for head in bench.anchored] == [1]
    bench.writer.handle(items(signed(a_request(sequence=2))))
    assert bench.writer.tick() == NOTHING
    bench.clock.advance(60)
    later = bench.writer.tick()
    assert len(later.outputs) == 1
    bench.clock.advance(60)
    assert bench.writer.tick() == NOTHING


def test_no_head_is_signed_while_something_of_ours_may_still_be_under_way() -> None:
    """Recovered too early, the state would lack what a slow commit adds a moment later."""
    bench = Bench()
    bench.writer.handle(items(signed(a_request())))
    bench.writer.revoked([Partition(REQUESTS, 0)])
    bench.clock.advance(3600)
    assert bench.writer.tick() == NOTHING
    assert bench.recoveries == 1


def test_a_stop_is_headed_in_the_transaction_that_records_it() -> None:
    bench = Bench()
    stopped = signed(a_request(what=Action.STOPPED, at=NOON + timedelta(seconds=1)))
    outcome = bench.writer.handle(items(stopped))
    assert [type(read_record(output.value)) for output in outcome.outputs] == [Audited, SignedTreeHead]
    assert {output.key for output in outcome.outputs} == {stopped.content.chain.encode()}


def test_a_leader_that_begins_hands_on_the_last_heads_anew() -> None:
    """What its predecessor signed and could not anchor would wait for the chain to grow, maybe for ever."""
    elder = Bench()
    elder.ask(*requests(3, producers=(FIRST,)))
    with elder.running():
        eventually(lambda: len(elder.entries()) == 3, "every entry", within_s=WITHIN_S)
        elder.clock.advance(61.0)
        eventually(lambda: bool(elder.anchored), "a head", within_s=WITHIN_S)
    last, elder.anchored[:] = elder.anchored[-1], []
    elder.writer.revoked([])
    elder.writer.handle([])
    assert elder.anchored == [last]

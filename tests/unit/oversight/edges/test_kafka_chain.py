"""The one writer on the loop, over the fake broker: aborts, awakenings, and what must not be skipped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest

from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.recorded import recorded, taken_up
from services.contracts.audit.requests import Action, SignedRequest
from services.contracts.audit.sequencer import Conflict, Gap, Record, Sequencer
from services.contracts.audit.terms import TermBegun
from services.contracts.codec_audit import encode_record, read_record
from services.oversight.edges.kafka_chain import ChainWriter, at_once
from services.runtime.clock import SystemClock
from services.runtime.kafka.broker import Abortable
from services.runtime.kafka.commit import Transactional
from services.runtime.kafka.loop import Loop
from services.runtime.kafka.types import NOTHING, Output, Partition, Prepared
from services.runtime.kafka.types import Record as KafkaRecord
from tests.conftest import ExpectedErrors
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import ManualClock
from tests.support import eventually
from tests.unit.contracts.audit.builders import (
    CHAIN,
    NOON,
    PRODUCERS,
    SEQUENCER,
    STRANGER,
    a_request,
    a_sequencer,
    appended,
    begun,
    entered,
    keys,
    requests,
    signed,
    verify,
)
from tests.unit.runtime.kafka.rig import A_QUICK_SHAPE, WITHIN_S, Meters

REQUESTS, AUDIT = "audit_requests", "audit"
FIRST, SECOND = PRODUCERS[:2]


class Counts:
    """What was passed over, by why."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def disbelieved(self) -> None:
        self.told.append("disbelieved")

    def unchained(self, why: Gap | Conflict) -> None:
        self.told.append(why)


class Bench:
    """A sequencer over two partitions of requests; the builders' keys hold on the day of its clock."""

    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.broker.create_topic(REQUESTS, partitions=2)
        self.broker.create_topic(AUDIT)
        self.clock = ManualClock(NOON)
        self.anchored: list[SignedTreeHead] = []
        self.passed_over = Counts()
        self.transactions = self.broker.transactional("signpost-audit")
        # What others do meanwhile: before the topic is read, before the term's record is written, once it is.
        self.before_recovery: Callable[[], None] = lambda: None
        self.before_term: Callable[[], None] = lambda: None
        self.once_begun: Callable[[], None] = lambda: None
        self.meters = Meters()
        self.writer = ChainWriter(
            recover=self._recover,
            at_once=self._at_once,
            registry=keys,
            signer=SEQUENCER,
            topic=AUDIT,
            head_every_s=60.0,
            anchor=self.anchored.extend,
            passed_over=self.passed_over,
            clock=self.clock,
        )

    def ask(self, *wanted: SignedRequest) -> None:
        for request in wanted:
            partition = int(request.content.producer != FIRST)
            self.broker.append(Output(REQUESTS, b"k", request.raw, partition=partition))

    def records(self) -> list[Record]:
        return [read_record(record.value) for record in self.broker.records(AUDIT)]

    def entries(self) -> list[SignedRequest]:
        return [record.request for record in self.records() if isinstance(record, Audited)]

    @contextmanager
    def running(self) -> Iterator[Loop[SignedRequest | None]]:
        loop: Loop[SignedRequest | None] = Loop(
            self.writer,
            topics=[REQUESTS],
            consumer=self.broker.consumer("signpost-audit"),
            commits=Transactional(self.transactions),
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

    def chain(self) -> list[SignedRequest]:
        """What is recorded, whatever else lies there."""
        found = recorded((record.value for record in self.broker.records(AUDIT)), keys(), verify)
        return [record.request for record in found if isinstance(record, Audited)]

    def terms(self) -> int:
        return sum(isinstance(record, TermBegun) for record in self.records())

    def _at_once(self, outputs: Sequence[Output]) -> None:
        self.before_term()
        at_once(self.transactions, outputs)
        begun_once, self.once_begun = self.once_begun, lambda: None
        begun_once()

    def _recover(self) -> Sequencer:
        self.before_recovery()
        sequencer = Sequencer(keys(), verify)
        for value in self.broker.records(AUDIT):
            taken_up(sequencer, value.value)
        return sequencer


def unbroken(bench: Bench) -> None:
    """Nothing in the topic is passed over, from its first record to its last."""
    sequencer = Sequencer(keys(), verify)
    assert [sequencer.fold(record) for record in bench.records()] == [None] * len(bench.records())


def test_what_is_asked_is_recorded_once_and_in_its_producer_s_order() -> None:
    bench = Bench()
    wanted = requests(20, producers=(FIRST, SECOND))
    bench.ask(*wanted)
    with bench.running():
        eventually(lambda: len(bench.entries()) == 20, "every entry", within_s=WITHIN_S)
    unbroken(bench)
    assert bench.terms() == 1
    for producer in (FIRST, SECOND):
        mine = [request for request in bench.entries() if request.content.producer == producer]
        assert mine == [request for request in wanted if request.content.producer == producer]


def test_after_an_aborted_transaction_the_chain_goes_on_from_what_is_recorded() -> None:
    """A sequencer that went on from its own memory would leave a hole where the aborted entries were."""
    bench = Bench()
    bench.ask(*requests(20, producers=(FIRST, SECOND)))
    bench.once_begun = lambda: bench.broker.fail_next("commit", Abortable("_INVALID_TXN", "refused"), times=2)
    with bench.running():
        eventually(lambda: len(bench.entries()) == 20, "every entry", within_s=WITHIN_S)
    unbroken(bench)
    assert bench.terms() == 2
    assert bench.meters.resets == {"aborted": 1}


@pytest.mark.parametrize(
    ("bad", "counted"),
    [
        (signed(a_request(producer=FIRST, sequence=7)).raw, Gap(FIRST, 4, 7)),
        (signed(a_request(producer=FIRST, sequence=1, about="d" * 32)).raw, Conflict(FIRST, 1)),
        (b"not a request", "disbelieved"),
        (b"", "disbelieved"),
        (b"\xff" * 60_000, "disbelieved"),
        (encode_record(entered(signed(a_request(producer=FIRST, sequence=4)))), "disbelieved"),
    ],
)
def test_what_cannot_be_chained_is_counted_and_nobody_waits_behind_it(bad: bytes, counted: object) -> None:
    """Three bytes of anybody's stopped a partition, and with it each service that has its requests there."""
    bench = Bench()
    bench.ask(*requests(3, producers=(FIRST,)))
    bench.broker.append(Output(REQUESTS, b"k", bad, partition=0))
    bench.ask(signed(a_request(producer=FIRST, sequence=4)), *requests(3, producers=(SECOND,)))
    with bench.running() as loop:
        eventually(lambda: len(bench.entries()) == 7, "what is good", within_s=WITHIN_S)
        eventually(lambda: loop.status().ready, "at work", within_s=WITHIN_S)
        assert not loop.status().stuck
    unbroken(bench)
    assert counted in bench.passed_over.told
    assert bench.broker.committed("signpost-audit")[Partition(REQUESTS, 0)] == 5


def test_what_nobody_signed_is_passed_over_and_counted_and_what_comes_after_goes_on() -> None:
    bench = Bench()
    forged = signed(a_request(producer=FIRST, sequence=2), STRANGER)
    bench.ask(*requests(1, producers=(FIRST,)), forged, signed(a_request(producer=FIRST, sequence=2)))
    with bench.running():
        eventually(lambda: len(bench.entries()) == 2, "what is genuine", within_s=WITHIN_S)
    unbroken(bench)
    assert bench.passed_over.told == ["disbelieved"]
    assert forged not in bench.entries()


def test_what_strangers_wrote_to_the_chain_s_topic_is_no_part_of_it_and_stops_nothing() -> None:
    """One record there ended the organisation's chain for good."""
    bench = Bench()
    # Of our key, but on another organisation's topic, or in a term that is over.
    elsewhere = a_sequencer()
    elsewhere.begin(SEQUENCER, now=NOON)
    theirs = [
        b"abc",
        b"",
        encode_record(entered(signed(a_request()), key=STRANGER)),
        encode_record(begun(elsewhere)),
        encode_record(appended(elsewhere, signed(a_request()))),
        encode_record(elsewhere.head(CHAIN, SEQUENCER, now=NOON)),
    ]

    def write() -> None:
        for value in theirs:
            bench.broker.append(Output(AUDIT, b"k", value))

    bench.before_recovery = write
    bench.ask(*requests(6, producers=(FIRST, SECOND)))
    with bench.running():
        eventually(lambda: len(bench.chain()) == 6, "every entry", within_s=WITHIN_S)
        write()
        bench.ask(signed(a_request(producer=FIRST, sequence=4)))
        eventually(lambda: len(bench.chain()) == 7, "what comes after", within_s=WITHIN_S)


def test_where_the_sequencer_s_own_key_signed_what_cannot_be_true_nothing_is_appended(
    expected_errors: ExpectedErrors,
) -> None:
    expected_errors.add("partition parked")
    bench = Bench()
    writer = a_sequencer()
    first = appended(writer, signed(a_request()))
    twice = entered(first.request, number=2, previous=first.hash, term=first.term)
    for record in (begun(writer), first, twice):
        bench.broker.append(Output(AUDIT, b"k", encode_record(record)))
    bench.ask(*requests(3, producers=(SECOND,)))
    with bench.running() as loop:
        eventually(lambda: loop.status().stuck, "a page", within_s=WITHIN_S)
    assert len(bench.records()) == 3


def test_a_sequencer_whose_term_somebody_else_s_overtook_begins_again() -> None:
    """An aborted term, copied by a stranger just before ours: ours does not follow, so nothing of it counts."""
    bench = Bench()
    copied = [encode_record(a_sequencer_s_term())]

    def overtake() -> None:
        if copied:
            bench.broker.append(Output(AUDIT, b"k", copied.pop()))

    bench.before_term = overtake
    bench.ask(*requests(3, producers=(FIRST,)))
    with bench.running():
        eventually(lambda: len(bench.chain()) == 3, "every entry", within_s=WITHIN_S)
    assert bench.terms() == 3


def a_sequencer_s_term() -> TermBegun:
    return begun(a_sequencer())


def items(*wanted: SignedRequest) -> list[Prepared[SignedRequest | None]]:
    return [Prepared(KafkaRecord(REQUESTS, 0, 0, b"k", one.raw, (), 0), one) for one in wanted]


def test_heads_come_at_the_start_then_in_their_time_and_go_to_the_outside_once_committed() -> None:
    bench = Bench()
    elder = a_sequencer()
    for record in (begun(elder), appended(elder, signed(a_request()))):
        bench.broker.append(Output(AUDIT, b"k", encode_record(record)))
    bench.transactions.init(WITHIN_S)
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
    bench.transactions.init(WITHIN_S)
    bench.writer.handle(items(signed(a_request())))
    bench.writer.revoked([Partition(REQUESTS, 0)])
    bench.clock.advance(3600)
    assert bench.writer.tick() == NOTHING
    assert bench.terms() == 1


def test_a_stop_is_headed_in_the_transaction_that_records_it() -> None:
    bench = Bench()
    bench.transactions.init(WITHIN_S)
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

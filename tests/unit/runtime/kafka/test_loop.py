"""The loop in good weather: order, batches, counts, ticks, drain."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from services.runtime.kafka.types import Outcome, Output, Partition
from tests.support import eventually
from tests.unit.runtime.kafka.rig import A_QUICK_SHAPE, SINK, SOURCE, WITHIN_S, Rig, a_broker, feed

THE_PARTITION = Partition(SOURCE, 0)


@pytest.mark.parametrize("transactional", [True, False])
def test_records_are_handled_in_order_and_their_offsets_committed(*, transactional: bool) -> None:
    rig = Rig(a_broker(), transactional=transactional)
    feed(rig.broker, *(f"v{number}" for number in range(30)))
    with rig.running():
        eventually(lambda: len(rig.out()) == 30, "all outputs", within_s=WITHIN_S)
        eventually(lambda: rig.committed() == 30, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"V%d" % number for number in range(30)]
    assert rig.failure is None


def test_records_prepared_out_of_turn_are_still_released_in_order() -> None:
    rig = Rig(a_broker(), shape=replace(A_QUICK_SHAPE, prefetch_threads=4))
    first_may_end = threading.Event()

    def slow_first(value: bytes) -> None:
        if value == b"v0":
            assert first_may_end.wait(WITHIN_S)
        if value == b"v3":
            first_may_end.set()

    rig.handler.on_prepare = slow_first
    feed(rig.broker, *(f"v{number}" for number in range(8)))
    with rig.running():
        eventually(lambda: len(rig.out()) == 8, "all outputs", within_s=WITHIN_S)
    assert rig.out() == [b"V%d" % number for number in range(8)]


def test_a_batch_is_never_larger_than_asked_for() -> None:
    rig = Rig(a_broker())
    feed(rig.broker, *(f"v{number}" for number in range(30)))
    with rig.running():
        eventually(lambda: len(rig.out()) == 30, "all outputs", within_s=WITHIN_S)
    assert max(len(batch) for batch in rig.handler.batches) <= A_QUICK_SHAPE.max_batch


def test_records_that_wait_together_are_handled_together() -> None:
    rig = Rig(a_broker())
    entered, go_on = threading.Event(), threading.Event()

    def hold(_values: list[bytes]) -> None:
        entered.set()
        assert go_on.wait(WITHIN_S)

    rig.handler.on_handle = hold
    feed(rig.broker, "first")
    with rig.running():
        assert entered.wait(WITHIN_S)
        feed(rig.broker, "a", "b", "c", "d")
        eventually(lambda: rig.consumer.position(THE_PARTITION) == 5, "four to wait", within_s=WITHIN_S)
        go_on.set()
        eventually(lambda: len(rig.out()) == 5, "all outputs", within_s=WITHIN_S)
    assert rig.handler.batches == [[b"FIRST"], [b"A", b"B", b"C", b"D"]]


def test_counts_are_cumulative_and_stand_beside_what_they_count() -> None:
    rig = Rig(a_broker())
    feed(rig.broker, "a", "late-b", "c")
    with rig.running():
        eventually(lambda: rig.committed() == 3, "all offsets", within_s=WITHIN_S)
    assert rig.counts() == b"gate/handled=2;gate/late=1;gate/open=2"


def test_a_dropped_record_is_counted_and_never_handled() -> None:
    rig = Rig(a_broker())
    feed(rig.broker, "late-a")
    with rig.running():
        eventually(lambda: rig.committed() == 1, "its offset", within_s=WITHIN_S)
    assert rig.handler.batches == []
    assert rig.counts() == b"gate/late=1"


def test_what_a_dropped_record_leads_to_is_committed_with_it() -> None:
    rig = Rig(a_broker())
    feed(rig.broker, "late-telling", "a")
    with rig.running():
        eventually(lambda: rig.committed() == 2, "both offsets", within_s=WITHIN_S)
    assert sorted(rig.out()) == [b"A", b"told of late-telling"]


def test_the_handler_hears_of_its_outcomes_once_they_are_committed() -> None:
    rig = Rig(a_broker())
    feed(rig.broker, "a")
    with rig.running():
        eventually(lambda: rig.handler.delivered_outcomes, "the news", within_s=WITHIN_S)
    (outcome,) = rig.handler.delivered_outcomes
    assert [output.value for output in outcome.outputs] == [b"A"]


def test_an_idle_handler_is_asked_what_time_brings() -> None:
    rig = Rig(a_broker())
    due = [Outcome(outputs=(Output(SINK, None, b"closed"),), counts={("gate", "closed"): 1})]
    rig.handler.tick_outcome = lambda: due.pop() if due else Outcome()
    with rig.running():
        eventually(lambda: rig.out() == [b"closed"], "the tick's output", within_s=WITHIN_S)
    assert rig.counts() == b"gate/closed=1"


def test_a_busy_handler_is_asked_too() -> None:
    rig = Rig(a_broker())
    ticks: list[int] = []

    def tick() -> Outcome:
        ticks.append(len(rig.handler.batches))
        return Outcome()

    rig.handler.tick_outcome = tick
    rig.handler.on_handle = lambda values: feed(rig.broker, "more") if len(rig.handler.batches) < 200 else None
    feed(rig.broker, "first")
    with rig.running():
        eventually(lambda: len(rig.handler.batches) > 200, "many batches", within_s=WITHIN_S)
    assert any(0 < batches < 200 for batches in ticks)


def test_a_stop_finishes_what_is_in_flight_and_leaves_the_group() -> None:
    rig = Rig(a_broker())
    entered = threading.Event()

    def until_stopped(_values: list[bytes]) -> None:
        entered.set()
        assert rig.stop.wait(WITHIN_S)

    rig.handler.on_handle = until_stopped
    feed(rig.broker, "a")
    with rig.running():
        assert entered.wait(WITHIN_S)
        rig.stop.set()
    assert rig.out() == [b"A"]
    assert rig.committed() == 1
    assert rig.handler.told[-1] == ("revoked", frozenset({THE_PARTITION}))
    assert rig.broker.member("group", rig.consumer.member) is None


def test_the_queue_before_a_slow_handler_stays_bounded_and_the_partition_is_paused() -> None:
    rig = Rig(a_broker())
    go_on = threading.Event()
    rig.handler.on_handle = lambda values: assert_true(go_on.wait(WITHIN_S))
    feed(rig.broker, *(f"v{number}" for number in range(100)))
    with rig.running():
        eventually(lambda: rig.loop.status().paused, "a pause", within_s=WITHIN_S)
        taken = rig.consumer.position(THE_PARTITION) or 0
        assert taken <= A_QUICK_SHAPE.prefetch_records + 2 * A_QUICK_SHAPE.max_batch
        go_on.set()
        eventually(lambda: len(rig.out()) == 100, "all outputs", within_s=WITHIN_S)
        eventually(lambda: not rig.loop.status().paused, "no pause", within_s=WITHIN_S)


def test_the_status_tells_assignment_lag_and_readiness() -> None:
    rig = Rig(a_broker())
    go_on = threading.Event()
    rig.handler.on_handle = lambda values: assert_true(go_on.wait(WITHIN_S))
    feed(rig.broker, *(f"v{number}" for number in range(10)))
    assert not rig.loop.status().ready
    with rig.running():
        eventually(lambda: rig.loop.status().lag == {THE_PARTITION: 10}, "the lag", within_s=WITHIN_S)
        assert rig.loop.status().ready
        go_on.set()


def test_work_goes_on_while_an_outcome_is_delivered() -> None:
    working, delivering = threading.Event(), threading.Event()

    def meet(point: str) -> None:
        if point == "before_commit":
            delivering.set()
            assert working.wait(WITHIN_S), "nothing was handled during the delivery"

    rig = Rig(a_broker(), faults=meet)
    rig.handler.on_handle = lambda values: working.set() if values == [b"B"] else None
    feed(rig.broker, "a")
    with rig.running():
        assert delivering.wait(WITHIN_S)
        feed(rig.broker, "b")
        eventually(lambda: rig.out() == [b"A", b"B"], "all outputs", within_s=WITHIN_S)
    assert rig.failure is None


def assert_true(met: object) -> None:
    assert met

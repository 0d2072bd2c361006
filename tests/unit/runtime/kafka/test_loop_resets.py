"""The loop when deliveries fail: everything in flight is given up together and read again."""

from __future__ import annotations

import threading

import pytest

from services.runtime.kafka.broker import Abortable, Fatal, Fenced, Retriable
from services.runtime.kafka.types import Outcome, Output, Partition
from tests.support import eventually
from tests.unit.runtime.kafka.rig import SINK, SOURCE, WITHIN_S, Rig, a_broker, feed

THE_PARTITION = Partition(SOURCE, 0)
REFUSED = Abortable("INVALID_TXN_STATE", "planned")


@pytest.mark.parametrize("call", ["begin", "send_offsets", "commit", "deliver"])
def test_an_aborted_delivery_is_done_again_and_nothing_is_lost_or_doubled(call: str) -> None:
    rig = Rig(a_broker())
    rig.broker.fail_next(call, REFUSED, times=2)
    feed(rig.broker, *(f"v{number}" for number in range(20)))
    with rig.running():
        eventually(lambda: rig.committed() == 20, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"V%d" % number for number in range(20)]
    assert rig.meters.aborts
    assert rig.failure is None


def test_a_delivery_refused_once_is_repeated_and_the_handler_forgets_nothing() -> None:
    """Each rebalance moves the member's epoch on: a reset would cost every kept partition its state."""
    rig = Rig(a_broker())
    rig.broker.fail_next("send_offsets", Abortable("STALE_MEMBER_EPOCH", "planned"))
    feed(rig.broker, "a")
    with rig.running():
        eventually(lambda: rig.committed() == 1, "the offset", within_s=WITHIN_S)
        assert [word for word, _ in rig.handler.told] == ["assigned"]
    assert rig.out() == [b"A"]
    assert rig.counts() == b"gate/handled=1;gate/open=1"
    assert rig.meters.aborts == 1


def test_an_aborted_transaction_takes_its_counts_with_it() -> None:
    rig = Rig(a_broker())
    rig.broker.fail_next("commit", REFUSED, times=2)
    feed(rig.broker, "a", "late-b")
    with rig.running():
        eventually(lambda: rig.committed() == 2, "all offsets", within_s=WITHIN_S)
    assert rig.counts() == b"gate/handled=1;gate/late=1;gate/open=1"


def test_a_reset_makes_the_handler_forget_before_anything_comes_again() -> None:
    rig = Rig(a_broker())
    rig.broker.fail_next("commit", REFUSED, times=2)
    feed(rig.broker, "a")
    with rig.running():
        eventually(lambda: rig.committed() == 1, "the offset", within_s=WITHIN_S)
        assert [word for word, _ in rig.handler.told] == ["assigned", "revoked", "assigned"]


def test_what_was_handled_after_a_failed_delivery_is_not_delivered_before_it() -> None:
    """A commit of later offsets would have skipped the failed ones for good."""
    rig = Rig(a_broker())
    rig.broker.fail_next("commit", REFUSED, times=6)
    feed(rig.broker, *(f"v{number}" for number in range(40)))
    with rig.running():
        eventually(lambda: rig.committed() == 40, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"V%d" % number for number in range(40)]
    assert rig.meters.resets == {"aborted": 3}


def test_a_tick_from_before_a_reset_is_not_delivered_after_it() -> None:
    """Its state is void: what it closes would be closed again by the records that come again."""
    rig = Rig(a_broker())
    rig.broker.fail_next("commit", REFUSED, times=2)

    def tick() -> Outcome:
        total = sum(rig.handler.seen.values())
        return Outcome(outputs=(Output(SINK, None, b"total %d" % total),)) if total > 3 else Outcome()

    rig.handler.tick_outcome = tick
    feed(rig.broker, "a", "b", "c")
    with rig.running():
        eventually(lambda: rig.committed() == 3, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"A", b"B", b"C"]


def test_a_retriable_answer_is_only_asked_again() -> None:
    rig = Rig(a_broker())
    rig.broker.fail_next("init", Retriable("_TIMED_OUT", "planned"), times=2)
    rig.broker.fail_next("commit", Retriable("_TIMED_OUT", "planned"), times=2)
    feed(rig.broker, "a")
    with rig.running():
        eventually(lambda: rig.out() == [b"A"], "the output", within_s=WITHIN_S)
    assert not rig.meters.resets


@pytest.mark.parametrize("call", ["init", "begin", "commit", "send_offsets"])
def test_a_fatal_answer_stops_the_loop_with_nothing_more_delivered(call: str) -> None:
    rig = Rig(a_broker())
    rig.broker.fail_next(call, Fatal("_FATAL", "planned"))
    feed(rig.broker, "a", "b")
    with rig.running():
        eventually(lambda: rig.failure, "the loop to stop", within_s=WITHIN_S)
    assert isinstance(rig.failure, Fatal)
    assert rig.out() == []
    assert rig.committed() is None


def test_a_fenced_loop_stops_and_its_successor_does_the_work_once() -> None:
    broker = a_broker()
    old = Rig(broker)
    old_may_commit = threading.Event()
    old.faults = lambda point: None
    entered = threading.Event()

    def hold(_values: list[bytes]) -> None:
        entered.set()
        assert old_may_commit.wait(WITHIN_S)

    old.handler.on_handle = hold
    feed(broker, "a")
    with old.running():
        assert entered.wait(WITHIN_S)
        new = Rig(broker)
        with new.running():
            eventually(lambda: new.loop.status().joined or True, "the successor", within_s=WITHIN_S)
            eventually(lambda: broker.member("group", new.consumer.member), "it to join", within_s=WITHIN_S)
            old_may_commit.set()
            eventually(lambda: old.failure, "the predecessor to stop", within_s=WITHIN_S)
            eventually(lambda: new.committed() == 1, "the offset", within_s=WITHIN_S)
    assert isinstance(old.failure, Fenced)
    assert new.out() == [b"A"]


@pytest.mark.parametrize("call", ["deliver", "commit_offsets"])
def test_at_least_once_repeats_what_was_not_committed(call: str) -> None:
    rig = Rig(a_broker(), transactional=False)
    rig.broker.fail_next(call, REFUSED, times=4)
    feed(rig.broker, "a", "b")
    with rig.running():
        eventually(lambda: rig.committed() == 2, "all offsets", within_s=WITHIN_S)
    assert set(rig.out()) == {b"A", b"B"}
    assert rig.meters.resets["aborted"]


def test_at_least_once_publishes_before_it_commits() -> None:
    points: list[tuple[str, int]] = []
    rig = Rig(a_broker(), transactional=False)

    def look(point: str) -> None:
        points.append((point, len(rig.out()) + len(rig.broker.records("counts"))))
        assert rig.committed() is None or point == "after_commit"

    rig = Rig(rig.broker, transactional=False, faults=look)
    feed(rig.broker, "a")
    with rig.running():
        eventually(lambda: rig.committed() == 1, "the offset", within_s=WITHIN_S)
    assert points == [("before_produce", 0), ("after_produce", 2), ("before_commit", 2), ("after_commit", 2)]


def test_a_stop_before_the_broker_answers_is_no_failure() -> None:
    rig = Rig(a_broker())
    rig.broker.fail_next("init", Retriable("_TIMED_OUT", "planned"), times=100_000)
    rig.stop.set()
    with rig.running():
        pass
    assert rig.failure is None

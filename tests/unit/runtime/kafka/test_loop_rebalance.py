"""The loop when partitions come and go."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

from services.runtime.kafka.types import Outcome, Output, Partition
from tests.conftest import ExpectedErrors
from tests.support import eventually
from tests.unit.runtime.kafka.rig import A_QUICK_SHAPE, SINK, SOURCE, WITHIN_S, Rig, a_broker, feed

ZERO, ONE = Partition(SOURCE, 0), Partition(SOURCE, 1)


def test_two_members_share_the_work_and_nothing_is_lost_or_doubled() -> None:
    broker = a_broker(partitions=2)
    first, second = Rig(broker, transactional_id="one"), Rig(broker, transactional_id="two")
    feed(broker, *(f"p0-{number}" for number in range(100)), partition=0)
    feed(broker, *(f"p1-{number}" for number in range(100)), partition=1)
    with first.running():
        eventually(lambda: first.out(), "a first output", within_s=WITHIN_S)
        with second.running():
            eventually(lambda: second.loop.status().assigned == {ONE}, "its share", within_s=WITHIN_S)
            feed(broker, *(f"more-{number}" for number in range(50)), partition=1)
            eventually(lambda: len(first.out()) == 250, "all outputs", within_s=WITHIN_S)
            eventually(lambda: first.committed(1) == 150, "all offsets", within_s=WITHIN_S)
    assert not {value for value, times in Counter(first.out()).items() if times != 1}
    assert second.handler.batches
    assert (first.failure, second.failure) == (None, None)


def test_a_revoked_partition_is_finished_before_it_goes() -> None:
    broker = a_broker(partitions=2)
    rig, other = Rig(broker, transactional_id="one"), Rig(broker, transactional_id="two")
    entered, go_on = threading.Event(), threading.Event()

    def hold(_values: list[bytes]) -> None:
        entered.set()
        assert go_on.wait(WITHIN_S)

    rig.handler.on_handle = hold
    feed(broker, "a", partition=1)
    with rig.running():
        assert entered.wait(WITHIN_S)
        with other.running():
            eventually(lambda: broker.member("group", other.consumer.member), "it to join", within_s=WITHIN_S)
            go_on.set()
            eventually(lambda: other.loop.status().assigned == {ONE}, "the other's share", within_s=WITHIN_S)
            assert rig.committed(1) == 1
    assert rig.out() == [b"A"]
    assert not rig.meters.resets
    assert ("revoked", frozenset({ONE})) in rig.handler.told


def test_queued_records_of_a_revoked_partition_are_left_to_the_next_owner() -> None:
    broker = a_broker(partitions=2)
    rig = Rig(broker, transactional_id="one", shape=replace(A_QUICK_SHAPE, max_batch=1))
    other = Rig(broker, transactional_id="two")
    entered, go_on = threading.Event(), threading.Event()

    def hold(_values: list[bytes]) -> None:
        entered.set()
        assert go_on.wait(WITHIN_S)

    rig.handler.on_handle = hold
    feed(broker, "a", "b", "c", partition=1)
    with rig.running():
        assert entered.wait(WITHIN_S)
        eventually(lambda: rig.consumer.position(ONE) == 3, "all three to be queued", within_s=WITHIN_S)
        with other.running():
            eventually(lambda: ONE not in rig.loop._poller._assignment.held(), "a revocation", within_s=WITHIN_S)
            go_on.set()
            eventually(lambda: len(other.out()) == 3, "all outputs", within_s=WITHIN_S)
    assert rig.handler.batches == [[b"A"]]
    assert [value for batch in other.handler.batches for value in batch] == [b"B", b"C"]


def test_work_that_outlives_the_drain_deadline_is_given_up_and_done_by_the_next_owner(
    expected_errors: ExpectedErrors,
) -> None:
    expected_errors.add("drain cut short")
    broker = a_broker(partitions=2)
    rig = Rig(broker, transactional_id="one", shape=replace(A_QUICK_SHAPE, drain_s=0.1))
    other = Rig(broker, transactional_id="two")
    entered, go_on = threading.Event(), threading.Event()

    def hold(_values: list[bytes]) -> None:
        entered.set()
        assert go_on.wait(WITHIN_S)

    rig.handler.on_handle = hold
    feed(broker, "a", partition=1)
    with rig.running():
        assert entered.wait(WITHIN_S)
        with other.running():
            eventually(lambda: other.committed(1) == 1, "the other to do it", within_s=WITHIN_S)
            go_on.set()
            eventually(lambda: rig.handler.batches, "the late end", within_s=WITHIN_S)
            feed(broker, "b", partition=0)
            eventually(lambda: rig.committed(0) == 1, "the rest to go on", within_s=WITHIN_S)
    assert rig.out() == [b"A", b"B"]
    assert rig.meters.resets == {"revoked": 1}


def test_a_member_that_the_group_gave_up_delivers_nothing_and_joins_again() -> None:
    broker = a_broker()
    rig = Rig(broker)
    entered, go_on = threading.Event(), threading.Event()

    def hold(_values: list[bytes]) -> None:
        entered.set()
        assert go_on.wait(WITHIN_S)

    rig.handler.on_handle = hold
    feed(broker, "a")
    with rig.running():
        assert entered.wait(WITHIN_S)
        broker.expire(rig.consumer)
        eventually(lambda: rig.meters.resets["lost"], "the news", within_s=WITHIN_S)
        assert rig.out() == []
        go_on.set()
        eventually(lambda: rig.committed() == 1, "the work, done again", within_s=WITHIN_S)
    assert rig.out() == [b"A"]
    assert rig.handler.batches == [[b"A"], [b"A"]]


def test_a_partition_that_comes_during_a_reset_is_not_skipped() -> None:
    """Records polled while resetting are thrown away; a new partition's had no position to go back to."""
    broker = a_broker(partitions=2)
    other = Rig(broker, transactional_id="two")
    rig = Rig(broker, transactional_id="one")
    feed(broker, *(f"p0-{number}" for number in range(20)), partition=0)
    feed(broker, *(f"p1-{number}" for number in range(20)), partition=1)
    with rig.running():
        with other.running():
            eventually(lambda: len(rig.out()) > 8, "some outputs", within_s=WITHIN_S)
        broker.expire(rig.consumer)
        eventually(lambda: len(rig.out()) == 40, "all outputs", within_s=WITHIN_S)
    assert len(set(rig.out())) == 40


def test_a_tick_stands_on_the_offsets_of_its_batches() -> None:
    """Without offsets the broker could not refuse the tick of a member that has lost its partitions."""
    broker = a_broker()
    due = [Outcome(outputs=(Output(SINK, None, b"closed"),))]
    rig = Rig(broker)
    rig.handler.tick_outcome = lambda: due.pop() if due and rig.handler.seen else Outcome()
    feed(broker, "a")
    with rig.running():
        eventually(lambda: rig.out() == [b"A", b"closed"], "the tick's output", within_s=WITHIN_S)
    assert broker.transactions == [{ZERO: 1}, {ZERO: 1}]

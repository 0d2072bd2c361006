"""The loop when records are bad, stores are away, or the handler has a bug."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from services.contracts.errors import Permanent, Tampered, Transient, Undecodable
from services.runtime.kafka.broker import Fatal
from services.runtime.kafka.dead_letter import DeadLetterLimit, TooManyDeadLetters
from services.runtime.kafka.types import DeadLetter, Partition, Record
from tests.conftest import ExpectedErrors
from tests.support import eventually
from tests.unit.runtime.kafka.rig import (
    A_QUICK_SHAPE,
    SINK,
    SOURCE,
    WITHIN_S,
    Rig,
    a_broker,
    dead_letters,
    feed,
)

ZERO, ONE = Partition(SOURCE, 0), Partition(SOURCE, 1)


def refuse(bad: bytes) -> Callable[[bytes], None]:
    def look(value: bytes) -> None:
        if value == bad:
            raise Undecodable("cannot be read")

    return look


def refuse_ours(bad: bytes) -> Callable[[bytes], None]:
    def look(value: bytes) -> None:
        if value == bad:
            raise Permanent("impossible", "ours, and of no use")

    return look


def refuse_batch(bad: bytes) -> Callable[[list[bytes]], None]:
    def look(values: list[bytes]) -> None:
        if bad in values:
            raise Permanent("impossible", "cannot be handled")

    return look


def test_a_record_that_cannot_be_prepared_becomes_a_dead_letter_and_its_neighbours_go_on() -> None:
    rig = Rig(a_broker())
    rig.handler.on_prepare = refuse(b"bad")
    feed(rig.broker, "a", "bad", "b")
    with rig.running():
        eventually(lambda: rig.committed() == 3, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"A", b"B"]
    assert rig.dead() == [b"undecodable@1"]
    assert rig.meters.dead == {"undecodable": 1}
    assert rig.counts() == b"/dead:undecodable=1;gate/handled=2;gate/open=2"


@pytest.mark.parametrize("transactional", [True, False])
def test_an_output_that_the_broker_does_not_take_is_left_out_and_the_rest_is_delivered(
    transactional: bool,
) -> None:
    """One output too large was refused for ever: its batch came again and again, and nothing else came through."""
    broker = a_broker()
    broker.create_topic(SINK, max_message_bytes=1000)
    rig = Rig(broker, transactional=transactional)
    feed(broker, "a", "x" * 2000, "b")
    with rig.running():
        eventually(lambda: rig.committed() == 3, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"A", b"B"]
    assert rig.failure is None
    assert rig.meters.resets == {}


def test_a_record_that_poisons_its_batch_is_found_and_its_neighbours_go_on() -> None:
    rig = Rig(a_broker())
    rig.handler.on_handle = refuse_batch(b"BAD")
    feed(rig.broker, "a", "b", "bad", "c", "d", "e")
    with rig.running():
        eventually(lambda: rig.committed() == 6, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"A", b"B", b"C", b"D", b"E"]
    assert rig.dead() == [b"impossible@2"]
    assert rig.counts().startswith(b"/dead:impossible=1;gate/handled=5;")


def test_a_handler_that_knows_the_bad_record_forgets_nothing() -> None:
    rig = Rig(a_broker())

    def letter(record: Record) -> DeadLetter | None:
        return DeadLetter("stale", record.position, scope="gate") if record.value == b"bad" else None

    rig.handler.dead = letter
    feed(rig.broker, "a", "bad", "b")
    with rig.running():
        eventually(lambda: rig.committed() == 3, "all offsets", within_s=WITHIN_S)
        assert [word for word, _ in rig.handler.told] == ["assigned"]
    assert rig.dead() == [b"stale@1"]
    assert rig.counts() == b"gate/dead:stale=1;gate/handled=2;gate/open=2"


def test_too_many_bad_records_in_a_row_stop_the_loop() -> None:
    rig = Rig(a_broker(), letters=dead_letters(DeadLetterLimit(consecutive=5)))
    rig.handler.on_handle = refuse_batch(b"BAD")
    feed(rig.broker, *("bad" for _ in range(20)))
    with rig.running():
        eventually(lambda: rig.failure, "the loop to stop", within_s=WITHIN_S)
    assert isinstance(rig.failure, TooManyDeadLetters)
    assert len(rig.dead()) <= 5


@pytest.mark.parametrize("foreign", [Undecodable("garbage"), Tampered("another key")])
def test_where_nothing_may_be_skipped_what_anybody_could_have_written_is_passed_over(foreign: Permanent) -> None:
    """Three bytes of a stranger on `alerts` parked the partition: no alert behind them was shown to anybody."""
    rig = Rig(a_broker(), letters=None)

    def look(value: bytes) -> None:
        if value == b"strange":
            raise foreign

    rig.handler.on_prepare = look
    feed(rig.broker, "a", *["strange"] * 100, "b")
    with rig.running():
        eventually(lambda: rig.committed() == 102, "all offsets", within_s=WITHIN_S)
        assert not rig.loop.status().stuck
    assert rig.out() == [b"A", b"B"]
    assert rig.meters.foreign == {foreign.reason: 100}


def test_no_number_of_foreign_records_stops_the_loop() -> None:
    """Twenty-one of a stranger's records in a row were taken for a bad deploy of our own, and embed ended."""
    rig = Rig(a_broker(), letters=dead_letters(DeadLetterLimit(consecutive=5)))
    rig.handler.on_prepare = refuse(b"strange")
    feed(rig.broker, *["strange"] * 100, "a")
    with rig.running():
        eventually(lambda: rig.committed() == 101, "all offsets", within_s=WITHIN_S)
    assert rig.failure is None
    assert rig.out() == [b"A"]
    assert len(rig.dead()) == rig.meters.dead["undecodable"] == 100


@pytest.mark.parametrize("stage", ["prepare", "handle"])
def test_where_nothing_may_be_skipped_a_bad_record_parks_its_partition_and_no_other(
    stage: str, expected_errors: ExpectedErrors
) -> None:
    expected_errors.add("partition parked")
    rig = Rig(a_broker(partitions=2), letters=None)
    if stage == "prepare":
        rig.handler.on_prepare = refuse_ours(b"bad")
    else:
        rig.handler.on_handle = refuse_batch(b"BAD")
    feed(rig.broker, "a", "bad", "b", partition=0)
    with rig.running():
        eventually(lambda: ZERO in rig.loop.status().stuck, "the parking", within_s=WITHIN_S)
        feed(rig.broker, "c", partition=1)
        eventually(lambda: rig.committed(1) == 1, "the other partition", within_s=WITHIN_S)
        eventually(lambda: rig.loop.status().paused == {ZERO}, "a pause of this one", within_s=WITHIN_S)
        assert not rig.loop.status().ready
    assert rig.committed(0) == 1
    assert rig.out() == [b"A", b"C"]
    assert rig.dead() == []


@pytest.mark.parametrize("stage", ["prepare", "handle"])
def test_what_is_transient_is_tried_again_with_nothing_lost(stage: str) -> None:
    rig = Rig(a_broker())
    left = [Transient("store away")] * 2

    def trip(_given: object) -> None:
        if left:
            raise left.pop()

    if stage == "prepare":
        rig.handler.on_prepare = trip
    else:
        rig.handler.on_handle = trip
    feed(rig.broker, "a", "b")
    with rig.running():
        eventually(lambda: rig.committed() == 2, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"A", b"B"]
    assert rig.meters.retries
    assert not rig.meters.resets


def test_a_transient_that_lasts_makes_the_loop_unready_until_it_passes() -> None:
    rig = Rig(a_broker(), shape=replace(A_QUICK_SHAPE, transient_s=0.01))
    away = threading.Event()
    away.set()

    def trip(_values: list[bytes]) -> None:
        if away.is_set():
            raise Transient("store away")

    rig.handler.on_handle = trip
    feed(rig.broker, "a")
    with rig.running():
        eventually(lambda: rig.loop.status().stuck == {ZERO: "transient"}, "unreadiness", within_s=WITHIN_S)
        before = len(rig.beats)
        eventually(lambda: len(rig.beats) > before, "the heartbeat: a restart would not help", within_s=WITHIN_S)
        away.clear()
        eventually(lambda: rig.committed() == 1, "the work", within_s=WITHIN_S)
        eventually(lambda: rig.loop.status().ready, "readiness", within_s=WITHIN_S)


def test_a_stop_does_not_wait_for_what_is_transient() -> None:
    rig = Rig(a_broker())
    tried = threading.Event()

    def trip(_values: list[bytes]) -> None:
        tried.set()
        raise Transient("store away")

    rig.handler.on_handle = trip
    feed(rig.broker, "a")
    with rig.running():
        assert tried.wait(WITHIN_S)
    assert rig.failure is None
    assert rig.committed() is None


def test_a_bug_in_the_handler_stops_the_loop_with_its_own_exception() -> None:
    rig = Rig(a_broker())

    def stumble(_values: list[bytes]) -> None:
        raise ZeroDivisionError

    rig.handler.on_handle = stumble
    feed(rig.broker, "a")
    with rig.running():
        eventually(lambda: rig.failure, "the loop to stop", within_s=WITHIN_S)
    assert isinstance(rig.failure, ZeroDivisionError)
    assert rig.committed() is None


def test_a_handler_that_hangs_stops_the_heartbeat() -> None:
    rig = Rig(a_broker(), shape=replace(A_QUICK_SHAPE, stall_s=0.05))
    entered, go_on = threading.Event(), threading.Event()

    def hang(_values: list[bytes]) -> None:
        entered.set()
        assert go_on.wait(WITHIN_S)

    rig.handler.on_handle = hang
    with rig.running():
        eventually(lambda: rig.beats, "a heartbeat", within_s=WITHIN_S)
        feed(rig.broker, "a")
        assert entered.wait(WITHIN_S)
        eventually(lambda: silent(rig), "silence", within_s=WITHIN_S)
        go_on.set()
        beats = len(rig.beats)
        eventually(lambda: len(rig.beats) > beats, "the heartbeat again", within_s=WITHIN_S)


def test_a_delivery_that_never_returns_stops_the_loop() -> None:
    """librdkafka waits for ever for a coordinator it has dropped after a broker's restart; match then searched
    nothing for as long as its process lived, and every face of that time was lost."""
    never = threading.Event()

    def hang(point: str) -> None:
        if point == "after_produce":
            never.wait(1.0)

    rig = Rig(a_broker(), shape=replace(A_QUICK_SHAPE, hung_s=0.1), faults=hang)
    feed(rig.broker, "a")
    with rig.running():
        eventually(lambda: rig.failure, "the loop to stop", within_s=WITHIN_S)
    assert isinstance(rig.failure, Fatal)
    assert rig.committed() is None


def silent(rig: Rig) -> bool:
    """Whether reports go on without a heartbeat."""
    beats, reports = len(rig.beats), len(rig.meters.statuses)
    eventually(lambda: len(rig.meters.statuses) > reports + 1, "two reports", within_s=WITHIN_S)
    return len(rig.beats) == beats

"""A head waits for its sink until that has it; nobody waits for the sink."""

from __future__ import annotations

import threading

from services.contracts.audit.chain import SignedTreeHead
from services.oversight.anchoring import Anchoring
from services.oversight.ports import Anchored, Unanchored
from tests.fakes.clock import ManualClock
from tests.support import eventually
from tests.unit.contracts.audit.builders import CHAIN, NOON, heads


class FakeSink:
    name = "elsewhere"

    def __init__(self) -> None:
        self.away = False
        self.has: list[SignedTreeHead] = []

    def take(self, signed: SignedTreeHead) -> None:
        if self.away:
            raise Unanchored("away")
        self.has.append(signed)


class Rig:
    def __init__(self) -> None:
        self.sink, self.clock, self.failed = FakeSink(), ManualClock(NOON), 0
        self.anchoring = Anchoring(self.sink, on_failed=self._failed, clock=self.clock)

    def _failed(self) -> None:
        self.failed += 1


def test_a_head_is_handed_on_and_told() -> None:
    rig, (first, second) = Rig(), heads(2)
    rig.anchoring.hand([first])
    assert rig.anchoring.hand_on()
    rig.anchoring.hand([second])
    assert rig.anchoring.hand_on()
    assert rig.sink.has == [first, second]
    assert rig.anchoring.standing(CHAIN) == Anchored("elsewhere", second)
    assert rig.anchoring.standing("another") == Anchored("elsewhere", None)


def test_of_heads_that_waited_the_newest_goes_and_an_older_one_never_after_it() -> None:
    rig, (first, second, third) = Rig(), heads(3)
    rig.anchoring.hand([first, third, second])
    rig.anchoring.hand_on()
    rig.anchoring.hand([second, third])
    rig.anchoring.hand_on()
    assert rig.sink.has == [third]


def test_a_sink_that_is_away_is_counted_and_asked_again_until_it_has_the_head() -> None:
    rig, (first,) = Rig(), heads(1)
    rig.sink.away = True
    rig.anchoring.hand([first])
    assert not rig.anchoring.hand_on()
    rig.clock.advance(90.0)
    assert (rig.failed, rig.anchoring.waiting_s()) == (1, 90.0)
    assert rig.anchoring.standing(CHAIN) == Anchored("elsewhere", None)
    rig.sink.away = False
    assert rig.anchoring.hand_on()
    assert rig.sink.has == [first]
    assert rig.anchoring.waiting_s() == 0.0


def test_the_last_head_is_tried_once_more_at_the_end() -> None:
    rig, (first,) = Rig(), heads(1)
    stop = threading.Event()
    stop.set()
    rig.anchoring.hand([first])
    rig.anchoring.run(stop)
    assert rig.sink.has == [first]


def test_on_its_thread_it_finds_a_sink_that_comes_back() -> None:
    rig, (first,), stop = Rig(), heads(1), threading.Event()
    rig.sink.away = True
    thread = threading.Thread(target=rig.anchoring.run, args=(stop,), name="signpost-test-anchoring")
    thread.start()
    try:
        rig.anchoring.hand([first])
        eventually(lambda: rig.failed > 0, "the first try", within_s=5)
        rig.sink.away = False
        eventually(lambda: rig.sink.has == [first], "the head at the sink", within_s=5)
    finally:
        stop.set()
        thread.join(5)

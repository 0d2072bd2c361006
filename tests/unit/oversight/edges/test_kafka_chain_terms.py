"""The sequencer follows the leadership."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from services.oversight.edges.kafka_chain_terms import ChainTerms
from services.runtime.clock import SystemClock
from services.runtime.kafka.broker import Fatal, Fenced
from services.runtime.kafka.metrics import Status
from tests.support import eventually

WITHIN_S = 5.0


class Sequenced:
    """A sequencer that runs until told to stop, or fails at once."""

    def __init__(self, failure: Exception | None) -> None:
        self.ended = False
        self._failure = failure

    def run(self, stop: threading.Event) -> None:
        if self._failure is not None:
            raise self._failure
        stop.wait()
        self.ended = True

    def status(self) -> Status:
        return Status(joined=True)


class Terms:
    """What was begun; each fails as the list says, as long as that goes."""

    def __init__(self, *failures: Exception) -> None:
        self.begun: list[Sequenced] = []
        self.beat: Callable[[], None] = lambda: None
        self._failures = list(failures)
        self.terms = ChainTerms(self._begin, SystemClock())

    @contextmanager
    def running(self) -> Iterator[ChainTerms]:
        stop = threading.Event()
        thread = threading.Thread(target=self.terms.run, args=(stop,), name="signpost-test-terms")
        thread.start()
        try:
            yield self.terms
        finally:
            stop.set()
            self.terms.rest()
            thread.join(WITHIN_S)
            assert not thread.is_alive()

    def _begin(self, beat: Callable[[], None]) -> Sequenced:
        self.beat = beat
        self.begun.append(Sequenced(self._failures.pop(0) if self._failures else None))
        return self.begun[-1]


def test_a_standby_sequences_nothing() -> None:
    bench = Terms()
    with bench.running() as terms:
        assert terms.status() is None
        assert terms.idle_s() == 0.0
    assert bench.begun == []


def test_each_term_has_a_sequencer_of_its_own_that_ends_with_it() -> None:
    bench = Terms()
    with bench.running() as terms:
        for term in (1, 2):
            terms.lead()
            eventually(lambda: terms.status() is not None, "a sequencer", within_s=WITHIN_S)
            terms.rest()
            eventually(lambda: terms.status() is None, "none", within_s=WITHIN_S)
            assert [one.ended for one in bench.begun] == [True] * term


def test_a_sequencer_that_fails_is_followed_by_another_while_the_term_lasts() -> None:
    bench = Terms(Fatal("_FATAL", "of no use any more"))
    with bench.running() as terms:
        terms.lead()
        eventually(lambda: len(bench.begun) == 2, "a second", within_s=WITHIN_S)
        eventually(lambda: terms.status() == Status(joined=True), "it runs", within_s=WITHIN_S)


def test_a_fenced_sequencer_does_not_fence_back_at_once() -> None:
    """Two leaders for a moment would otherwise fence each other without end."""
    bench = Terms(Fenced("_FENCED", "another has begun"))
    with bench.running() as terms:
        terms.lead()
        eventually(lambda: len(bench.begun) == 1 and terms.status() is None, "it ended", within_s=WITHIN_S)
        terms.rest()
    assert len(bench.begun) == 1


def test_a_sequencer_that_gives_no_sign_of_life_is_idle() -> None:
    bench = Terms()
    with bench.running() as terms:
        terms.lead()
        eventually(lambda: terms.idle_s() > 0.05, "it grows old", within_s=WITHIN_S)
        bench.beat()
        assert terms.idle_s() < 0.05


def test_a_bug_shows_in_the_heartbeat() -> None:
    bench = Terms(ZeroDivisionError())
    bench.terms.lead()
    with pytest.raises(ZeroDivisionError):
        bench.terms.run(threading.Event())
    assert bench.terms.idle_s() == math.inf

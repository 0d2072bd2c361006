"""The sequencer for as long as this instance leads: a new one each term, and again after trouble."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from typing import Protocol

from services.contracts.errors import SignpostError
from services.runtime.clock import Clock
from services.runtime.kafka.broker import Fenced
from services.runtime.kafka.metrics import Status

log = logging.getLogger(__name__)

# How soon a term and a stop are noticed.
_LOOK_S = 0.1
# Another has begun: the group is given its session's time (6 s) to say so. After anything else each second counts,
# for nothing is acknowledged in the meantime.
_AFTER_ANOTHER_S = 7.0
_AFTER_TROUBLE_S = 0.5


class Sequencing(Protocol):
    """One term's sequencer; `run` is called once (ChainLoop)."""

    def run(self, stop: threading.Event) -> None: ...

    def status(self) -> Status: ...


class ChainTerms:
    """`run` has a thread of its own; every other method is any thread's, and never blocks."""

    def __init__(self, begin: Callable[[Callable[[], None]], Sequencing], clock: Clock) -> None:
        """`begin` makes the sequencer of a term, with the heartbeat that it shall beat."""
        self._begin = begin
        self._clock = clock
        self._called = threading.Event()
        self._ends = threading.Event()
        self._now: Sequencing | None = None
        self._beaten_s = clock.monotonic()
        # A bug ended `run`.
        self._broken = False

    def lead(self) -> None:
        """A term begins."""
        self._ends = threading.Event()
        self._called.set()

    def rest(self) -> None:
        """The term is over: what is in hand is recorded, then nothing more."""
        self._called.clear()
        self._ends.set()

    def status(self) -> Status | None:
        """How the sequencer stands; None while this instance stands by, or its sequencer could not begin."""
        now = self._now
        return now.status() if now is not None else None

    def idle_s(self) -> float:
        """How long the sequencer has given no sign of life; 0 without one. If it is long, only a restart helps."""
        if self._broken:
            return math.inf
        return self._clock.monotonic() - self._beaten_s if self._now is not None else 0.0

    def run(self, stop: threading.Event) -> None:
        """Serve term after term until `stop`; a term that runs is ended by `rest`."""
        try:
            while not stop.is_set():
                if self._called.wait(_LOOK_S):
                    stop.wait(self._serve(self._ends))
        except BaseException:
            self._broken = True
            raise

    def _serve(self, ends: threading.Event) -> float:
        """One term, or what trouble has left of it. Returns how long to wait before the next."""
        self._beat()
        try:
            self._now = self._begin(self._beat)
            self._now.run(ends)
        except Fenced:
            log.warning("another sequencer has begun")
            return _AFTER_ANOTHER_S
        except SignpostError as trouble:
            log.warning("sequencer ended", extra={"kind": type(trouble).__name__})
            return _AFTER_TROUBLE_S
        finally:
            self._now = None
        return 0.0

    def _beat(self) -> None:
        self._beaten_s = self._clock.monotonic()

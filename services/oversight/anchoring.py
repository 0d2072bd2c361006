"""Signed heads on their way to a sink that is meant for somebody who is not the operator."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from services.contracts.audit.chain import SignedTreeHead
from services.oversight.ports import Anchored, Sink, Unanchored
from services.runtime.clock import Clock

log = logging.getLogger(__name__)

_LOOK_S = 0.1
# From the first try after a failure to the longest pause: a sink that is back is found within a minute.
_AGAIN_S = 1.0
_LONGEST_PAUSE_S = 60.0


class Anchoring:
    """One sink's. `run` has a thread of its own; every other method is any thread's, and never blocks.

    Only the newest head of a chain waits: each is over everything before it. It waits until it is taken.
    """

    def __init__(self, sink: Sink, *, on_failed: Callable[[], None], clock: Clock) -> None:
        self._sink = sink
        self._on_failed = on_failed
        self._clock = clock
        self._lock = threading.Lock()
        self._more = threading.Event()
        self._waiting: dict[str, SignedTreeHead] = {}
        self._since_s: dict[str, float] = {}
        self._taken: dict[str, SignedTreeHead] = {}

    def hand(self, heads: Sequence[SignedTreeHead]) -> None:
        """Have them anchored. One that is not newer than what the sink has is none."""
        with self._lock:
            for signed in heads:
                chain = signed.head.chain
                known = self._waiting.get(chain) or self._taken.get(chain)
                if known is None or signed.head.at > known.head.at:
                    self._waiting[chain] = signed
                    self._since_s.setdefault(chain, self._clock.monotonic())
        self._more.set()

    def standing(self, chain: str) -> Anchored:
        with self._lock:
            return Anchored(self._sink.name, self._taken.get(chain))

    def waiting_s(self) -> float:
        """Since when something has not been anchored; 0 while all is."""
        with self._lock:
            oldest_s = min(self._since_s.values(), default=None)
        return 0.0 if oldest_s is None else self._clock.monotonic() - oldest_s

    def run(self, stop: threading.Event) -> None:
        """Hand on until told to stop, and then once more: the last head is the one that counts."""
        pause_s = _AGAIN_S
        while not stop.is_set():
            if not self._more.wait(_LOOK_S):
                continue
            self._more.clear()
            if self.hand_on():
                pause_s = _AGAIN_S
                continue
            stop.wait(pause_s)
            self._more.set()
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        self.hand_on()

    def hand_on(self) -> bool:
        """One try at all that waits; False if something still does. The thread of `run`."""
        with self._lock:
            waiting = list(self._waiting.values())
        return all([self._handed_on(signed) for signed in waiting])

    def _handed_on(self, signed: SignedTreeHead) -> bool:
        try:
            self._sink.take(signed)
        except Unanchored as failed:
            self._on_failed()
            log.warning("signed head not anchored", extra={"sink": self._sink.name, "reason": str(failed)})
            return False
        self._has_taken(signed)
        return True

    def _has_taken(self, signed: SignedTreeHead) -> None:
        chain = signed.head.chain
        with self._lock:
            self._taken[chain] = signed
            if self._waiting[chain] is signed:
                del self._waiting[chain], self._since_s[chain]
            else:
                self._since_s[chain] = self._clock.monotonic()

"""The two ways an outcome becomes true: in one transaction, or delivered first and committed after."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from services.runtime.kafka.broker import (
    Abortable,
    BrokerError,
    Fatal,
    ProducerPort,
    Retriable,
    TooLarge,
    TransactionalProducerPort,
)
from services.runtime.kafka.offsets import Offsets
from services.runtime.kafka.types import Next, Output, Partition

Positions = Mapping[Partition, Next]

# Tests kill the process at these, by name; everywhere else they do nothing.
FaultPoint = Callable[[str], None]

# How long a broker may be away before this process gives up and lets a restart find out how a transaction
# ended. At 0 each broker restart would restart us; no upper bound but patience.
SETTLE_S = 60.0

# One try of a blocking broker call. Short enough to notice a stop, long against a round trip. librdkafka does
# not always keep it: sending offsets waits for a group coordinator that it has dropped from its brokers and not
# from its cache (2.16; tests/reliability found it) until one of its connections changes its state, which
# config.transactional_options sees to. Where that does not help, Shape.hung_s ends the process.
STEP_S = 5.0

# How long a coordinator that moves is waited for. Giving up earlier aborts what the new one has never heard
# of, which is fatal; it must stay below config.TRANSACTION_TIMEOUT_MS.
_OFFSETS_S = 12.0

# Between two tries.
_PAUSE_S = 0.02


class Overtaken(Exception):
    """What was being delivered is void; nothing of it may become visible."""


class Commits(Protocol):
    """How outcomes become true. The delivery thread's, after `start`."""

    def start(self, offsets: Offsets, stopping: Callable[[], bool], retried: Callable[[], None]) -> None:
        """Make ready; blocks at most SETTLE_S. Raises Fatal. `retried` hears of each call made again."""
        ...

    def deliver(self, outputs: Sequence[Output], positions: Positions, void: Callable[[], bool]) -> None:
        """All of it or nothing. Raises Overtaken if `void` before the point of no return, or a BrokerError."""
        ...

    def give_up(self) -> None:
        """Undo what a failed `deliver` has left. Raises Fatal if that cannot be done."""
        ...

    def idle(self) -> None:
        """Nothing to deliver: serve what comes from the broker."""
        ...


def no_fault(_point: str) -> None:
    """The fault point of everybody but the fault tests."""


class Transactional:
    """Outputs and offsets in one Kafka transaction: readers of committed records see each exactly once."""

    def __init__(self, producer: TransactionalProducerPort, *, faults: FaultPoint = no_fault) -> None:
        self._producer = producer
        self._faults = faults
        # What the broker did not take at the last try of a delivery: the next one goes without.
        self._refused: list[Output] = []

    def start(self, offsets: Offsets, stopping: Callable[[], bool], retried: Callable[[], None]) -> None:
        """Fence and finish the predecessor."""
        self._offsets = offsets
        self._retried = retried
        _insist(lambda: self._producer.init(STEP_S), "init", retried, cut_short=stopping)

    def deliver(self, outputs: Sequence[Output], positions: Positions, void: Callable[[], bool]) -> None:
        """Begin, send, send offsets, commit."""
        self._faults("before_produce")
        self._producer.begin()
        for output in outputs:
            self._send(output)
        self._faults("after_produce")
        if positions:
            _insist(lambda: self._send_offsets(positions), "offsets", self._retried, within_s=_OFFSETS_S)
        if void():
            raise Overtaken
        self._faults("before_commit")
        # From here the end may be unknown until the broker answers: only then Fatal, not Abortable.
        _insist(lambda: self._producer.commit(STEP_S), "commit", self._retried)
        self._refused = []
        self._faults("after_commit")

    def give_up(self) -> None:
        """Abort; what is tried next goes out under the group's present epoch."""
        self._refused.extend(self._producer.take_refused())
        _insist(lambda: self._producer.abort(STEP_S), "abort", self._retried)
        self._offsets.renew()

    def idle(self) -> None:
        """Nothing: a transactional producer has no answers between transactions."""

    def _send(self, output: Output) -> None:
        """One record, unless it never fits: then the transaction goes without it. The producer counts it."""
        if any(output is one for one in self._refused):
            return
        with suppress(TooLarge):
            self._producer.send(output)

    def _send_offsets(self, positions: Positions) -> None:
        self._producer.send_offsets(positions, self._offsets.group_metadata(), STEP_S)


class AtLeastOnce:
    """Outputs first, offsets after: for a service whose own store makes a repetition harmless."""

    def __init__(self, producer: ProducerPort, *, faults: FaultPoint = no_fault) -> None:
        self._producer = producer
        self._faults = faults

    def start(self, offsets: Offsets, stopping: Callable[[], bool], retried: Callable[[], None]) -> None:
        """Nothing to make ready."""
        self._offsets = offsets
        self._retried = retried

    def deliver(self, outputs: Sequence[Output], positions: Positions, void: Callable[[], bool]) -> None:
        """Send, wait for every answer, commit the offsets."""
        answers: list[BrokerError | None] = []
        self._faults("before_produce")
        for output in outputs:
            self._producer.send(output, answers.append)
        missing = self._producer.flush(STEP_S * 2)
        if missing:
            raise Abortable("_TIMED_OUT", f"{missing} records not answered in {STEP_S * 2} s")
        for failed in answers:
            # One that never fits is gone, and the producer has counted it; no other waits for it.
            if failed is not None and not isinstance(failed, TooLarge):
                raise failed
        self._faults("after_produce")
        if void():
            raise Overtaken
        self._faults("before_commit")
        if positions:
            _insist(lambda: self._offsets.commit(positions), "commit", self._retried)
        self._faults("after_commit")

    def give_up(self) -> None:
        """Forget what was not delivered; what was comes again, and is harmless."""
        self._producer.purge()

    def idle(self) -> None:
        """Serve late answers and errors."""
        self._producer.poll()


def _insist(
    call: Callable[[], None],
    name: str,
    retried: Callable[[], None],
    *,
    within_s: float = SETTLE_S,
    cut_short: Callable[[], bool] = lambda: False,
) -> None:
    """Make a broker call again while it is retriable; Fatal once `within_s` are over."""
    give_up = time.monotonic() + within_s
    while True:
        try:
            call()
        except Retriable as later:
            if cut_short() or time.monotonic() > give_up:
                raise Fatal(later.code, f"{name} not settled: {later}") from later
            retried()
            time.sleep(_PAUSE_S)
        else:
            return

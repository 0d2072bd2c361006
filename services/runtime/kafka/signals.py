"""What the loop's threads tell each other apart from records: stop, failure, and begin again."""

from __future__ import annotations

import threading
from enum import StrEnum

from services.runtime.kafka.assignment import Assignment


class ResetReason(StrEnum):
    """Why everything in flight was given up and read again."""

    ABORTED = "aborted"  # the broker refused a delivery twice
    LOST = "lost"  # the group went on without this member
    REVOKED = "revoked"  # a partition had to go before its work was done
    POISONED = "poisoned"  # one record of a batch is bad: they come again one at a time


class Signals:
    """Any thread may raise them; the poll thread acts on failures and resets. Never blocks."""

    def __init__(self, assignment: Assignment) -> None:
        self.ending = threading.Event()
        self._assignment = assignment
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        self._reset: ResetReason | None = None

    @property
    def failure(self) -> BaseException | None:
        """What stopped one of the threads, if anything did; the first is kept, the rest follow from it."""
        with self._lock:
            return self._failure

    def fail(self, error: BaseException) -> None:
        """A thread cannot go on: nothing of what is in flight may be delivered."""
        with self._lock:
            self._failure = self._failure or error
        self._assignment.renew()
        self.ending.set()

    def request_reset(self, reason: ResetReason) -> None:
        """Everything in flight is void from this moment; the poll thread goes back to what is committed."""
        with self._lock:
            self._reset = reason
        self._assignment.renew()

    @property
    def reset_asked(self) -> bool:
        """Whether a reset waits for the poll thread."""
        with self._lock:
            return self._reset is not None

    def take_reset(self) -> ResetReason | None:
        """The reset asked for since the last call."""
        with self._lock:
            reason, self._reset = self._reset, None
            return reason

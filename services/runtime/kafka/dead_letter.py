"""What becomes of a record that can never be handled, and when there are too many of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.contracts.errors import SignpostError
from services.runtime.kafka.types import CountKey, DeadLetter, Output


class TooManyDeadLetters(SignpostError):
    """More than a few bad records are a bad deploy: stop before the whole topic has gone the same way."""


@dataclass(frozen=True, slots=True)
class DeadLetterLimit:
    """Stop above `consecutive` in a row, or above `ratio` of the last `window` records."""

    consecutive: int = 20
    ratio: float = 0.2
    window: int = 500


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """How a source dead-letters: the record to write (never the payload) and what to count.

    A loop without one may skip nothing: there a bad record parks its partition, and pages.
    """

    record: Callable[[DeadLetter], Output]
    counts: Callable[[DeadLetter], Mapping[CountKey, int]]
    limit: DeadLetterLimit = field(default_factory=DeadLetterLimit)


class LimitGuard:
    """Remembers how the last records of ours ended; what is foreign is not told here. The work thread's alone."""

    def __init__(self, limit: DeadLetterLimit) -> None:
        self._limit = limit
        self._recent: deque[bool] = deque(maxlen=limit.window)
        self._in_a_row = 0

    def passed(self, number: int) -> None:
        """So many records were handled."""
        if number:
            self._in_a_row = 0
            self._recent.extend([False] * number)

    def dead(self, letter: DeadLetter) -> None:
        """One more could not be. Raises TooManyDeadLetters above the limit."""
        self._in_a_row += 1
        self._recent.append(True)
        if self._in_a_row > self._limit.consecutive:
            raise TooManyDeadLetters(
                f"{self._in_a_row} records in a row could not be handled, the last ({letter.reason}) at"
                f" {letter.position}; roll back the deploy or find their writer"
            )
        share = sum(self._recent) / self._limit.window
        if share > self._limit.ratio:
            raise TooManyDeadLetters(
                f"{share:.0%} of the last {self._limit.window} records could not be handled, the last"
                f" ({letter.reason}) at {letter.position}; roll back the deploy or find their writer"
            )

"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

A_MORNING = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


class ManualClock:
    """`Clock` under a test's hand; owned by the test's thread."""

    def __init__(self, start: datetime = A_MORNING) -> None:
        self._start = start
        self._passed_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        return self._passed_s

    def advance(self, seconds: float) -> None:
        """Both clocks go on by `seconds`; also stands in for `sleep`."""
        self._passed_s += seconds

"""Time as a thing one is given, so that tests can move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Both kinds of time. Never blocks; any thread may ask."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC. May jump: only for stamps and deadlines set elsewhere."""
        ...

    def monotonic(self) -> float:
        """Seconds from some fixed point. Never goes back: for ages and waits."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

"""Whether a stage moves: the heartbeat is beaten only while all of them do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.runtime.clock import Clock


class Progress:
    """Since when one stage has been at the same thing. Its own thread writes, the poll thread reads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While inside, the stage is at one thing."""
        self.moved()
        try:
            yield
        finally:
            self._since = None

    def moved(self) -> None:
        """The stage is at the next thing: a retry is not a hang."""
        self._since = self._clock.monotonic()

    def retried(self) -> None:
        """As `moved`, for one who does not know whether it is inside."""
        if self._since is not None:
            self.moved()

    def stalled(self, after_s: float) -> bool:
        """Whether the stage has been at one thing for longer than `after_s`."""
        since = self._since
        return since is not None and self._clock.monotonic() - since > after_s

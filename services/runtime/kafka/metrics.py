"""What the loop reports about itself, apart from how it is exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from services.runtime.kafka.types import Partition


@dataclass(frozen=True, slots=True)
class Status:
    """How the loop stands. `lag` is records not yet handled and committed; behind a transactional writer
    an idle partition may show one or two, its commit markers. `last_commit_s` is the clock's monotonic time.
    """

    joined: bool = False
    lag: Mapping[Partition, int] = field(default_factory=dict)
    paused: frozenset[Partition] = frozenset()
    stuck: Mapping[Partition, str] = field(default_factory=dict)
    last_commit_s: float | None = None

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions that are ours."""
        return frozenset(self.lag)

    @property
    def ready(self) -> bool:
        """In the group, and every partition moves. A spare member with no partition is ready too."""
        return self.joined and not self.stuck


class LoopMetrics(Protocol):
    """Called from the thread that did it; must not block. Labels are from closed sets."""

    def handled(self, records: int, seconds: float) -> None:
        """One batch was handled, in so long."""
        ...

    def committed(self, seconds: float) -> None:
        """One outcome was delivered, in so long."""
        ...

    def aborted(self) -> None:
        """One delivery was refused; it is tried once more."""
        ...

    def reset(self, reason: str) -> None:
        """Everything in flight was given up, for a ResetReason."""
        ...

    def dead_lettered(self, reason: str) -> None:
        """One record could not be handled."""
        ...

    def passed_over(self, reason: str) -> None:
        """A record that anybody could have written, where there are no dead letters."""
        ...

    def retried(self) -> None:
        """A handler was told to come back later."""
        ...

    def stands(self, status: Status) -> None:
        """How the loop stands, about every second."""
        ...

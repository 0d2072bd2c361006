"""How long to wait before a source is tried again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Doubling pauses, jittered between half and all, so that many cameras do not come back at once."""

    first_s: float = 0.5
    most_s: float = 30.0

    def pause_s(self, failures: int, jitter: float) -> float:
        """The pause after the `failures`-th failure in a row (from 1); `jitter` in [0, 1)."""
        bound_s = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return bound_s * (0.5 + 0.5 * jitter)

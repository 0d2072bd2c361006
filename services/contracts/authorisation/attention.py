"""Has this process been listening? One that stood still may have missed a stop that is written by now."""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.lease import HeldLease

# Between two looks at `authority`, of which there are ten a second. A stop may take effect so much later, of the
# two seconds it has; at a tenth of it each hiccup of a busy machine would hold up the search until the next lease.
_MOST_APART_S = 1.0


@dataclass(frozen=True)
class Attention:
    """When who follows `authority` looked last, and when after a pause: stopped, swapped out, starved. Monotonic.

    A lease is not enough then, however young: it was taken before the pause, or lay in a buffer before the stop.
    """

    looked_at_s: float
    came_back_at_s: float = -math.inf

    def looked(self, now_s: float) -> Attention:
        """The attention after another look."""
        paused = now_s - self.looked_at_s > _MOST_APART_S
        return Attention(now_s, now_s if paused else self.came_back_at_s)

    def vouched_for(self, held: HeldLease, reading: ClockReading) -> bool:
        """Whether nothing can have been missed: somebody looks, and the lease was signed after the last pause."""
        looks = reading.monotonic_s - self.looked_at_s <= _MOST_APART_S
        return looks and held.signed_since(self.came_back_at_s)

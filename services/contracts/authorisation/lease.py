"""The lease without which nothing is searched: how old may it be, and which of two holds (decision 4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from services.contracts.authorisation.clock import SLEW, ClockReading
from services.contracts.authorisation.statements import SKEW, Lease

MAX_AGE_S = 10.0


def fresh(lease: Lease, now: datetime, max_age_s: float = MAX_AGE_S) -> bool:
    """Whether the lease is young enough by the time of day alone; one from the future is not."""
    age_s = (now - lease.signed_at).total_seconds()
    return -SKEW.total_seconds() <= age_s < max_age_s


def newer(lease: Lease, than: Lease) -> bool:
    """Whether `lease` replaces `than`: a lower version never does, nor a lower or equal sequence of its own."""
    return (lease.version, lease.sequence) > (than.version, than.sequence)


@dataclass(frozen=True)
class HeldLease:
    """A lease and when it came, so that its age can be told without trusting the time of day.

    `offset_s` is oversight's time of day less our monotonic time, by the lease that was under way shortest: a
    lease that was held back shows against it, even when both it and a wall clock that was set back look right.
    """

    lease: Lease
    received_at_s: float
    offset_s: float
    forked: bool = False

    @classmethod
    def take(
        cls, lease: Lease, *, received_at_s: float, believed_at_s: float, before: HeldLease | None
    ) -> HeldLease:
        """`believed_at_s` is later than `received_at_s` where a lease from the future had to wait for its time."""
        offset_s = lease.signed_at.timestamp() - believed_at_s
        if before is not None:  # fades as fast as two clocks may drift apart, or days would make every lease old
            passed_s = max(received_at_s - before.received_at_s, 0.0)
            offset_s = max(offset_s, before.offset_s - SLEW * passed_s)
        return cls(lease, received_at_s, offset_s)

    def remembering(self, before: HeldLease | None) -> HeldLease:
        """The same, with what an earlier reading of the same records knew besides."""
        if before is None:
            return self
        same = (before.lease.version, before.lease.sequence) == (self.lease.version, self.lease.sequence)
        forked = self.forked or (same and before.forked)
        return replace(self, offset_s=max(self.offset_s, before.offset_s), forked=forked)

    def age_s(self, reading: ClockReading) -> float:
        """The greatest of three ages: by wall time, since it came, and by oversight's own pace."""
        return max(
            reading.wall.timestamp() - self._issued_s,
            reading.monotonic_s - self.received_at_s,
            reading.monotonic_s + self.offset_s - self._issued_s,
        )

    def signed_since(self, at_s: float) -> bool:
        """Whether it was signed when our monotonic time was `at_s`, or later, by oversight's own pace."""
        return self._issued_s >= at_s + self.offset_s

    @cached_property
    def _issued_s(self) -> float:
        return self.lease.signed_at.timestamp()

    def fresh(self, reading: ClockReading, max_age_s: float = MAX_AGE_S) -> bool:
        return fresh(self.lease, reading.wall, max_age_s) and self.age_s(reading) < max_age_s

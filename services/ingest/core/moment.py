"""One frame in a source's time, as it is worked out from its stamp and its arrival."""

from __future__ import annotations

from dataclasses import dataclass

from services.ingest.core.reasons import ClockFault


@dataclass(frozen=True)
class Moment:
    """`position_s` grows from frame to frame, whatever the stamps do; `parted` is set on the frame at which a
    fault of the source's clock was found."""

    position_s: float
    takes: bool
    parted: ClockFault | None = None

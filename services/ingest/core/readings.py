"""What a reading of a camera yields, step by step. Positions are seconds that only grow within one play of the
source (`core/moment.py`), whatever is stamped on its frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.ingest.core.reasons import ClockFault, Fault, Flaw


@dataclass(frozen=True)
class Picture:
    """A sampled frame. `read` counts the frames of this play of the source, this one included."""

    captured_at: datetime
    position_s: float
    read: int
    width_px: int
    height_px: int
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True)
class Spoilt:
    """A sampled frame that cannot be used."""

    position_s: float
    read: int
    flaw: Flaw


@dataclass(frozen=True)
class Progress:
    """Nothing to publish, but the source lives; `damaged` packets could not be decoded so far."""

    position_s: float
    read: int
    damaged: int = 0


@dataclass(frozen=True)
class Opening:
    """The reader has begun, and goes to its source now: from here on the source is waited for."""


@dataclass(frozen=True)
class Parted:
    """So many `times` since this was last said, the time stamped on frames and the time of the source parted."""

    position_s: float
    fault: ClockFault
    times: int = 1


@dataclass(frozen=True)
class Looped:
    """The source has ended and begins again: `read` and the position start over."""


@dataclass(frozen=True)
class Ended:
    """Nothing more will come; `fault` None means that the source came to its own end."""

    fault: Fault | None = None


Reading = Opening | Picture | Spoilt | Progress | Parted | Looped | Ended

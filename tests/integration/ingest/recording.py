"""Everything that the real reader process gives of one camera, without Kafka: readings by kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from services.contracts.authority import Camera
from services.ingest.core.readings import Ended, Parted, Picture, Progress, Reading, Spoilt
from services.ingest.core.reasons import ClockFault, Fault
from services.ingest.edges.reader_child import ReaderProcesses

# A reader's start on a busy machine, and a short file.
_WITHIN_S = 60.0


@dataclass(frozen=True)
class Recording:
    """What one reading of a source came to."""

    readings: tuple[Reading, ...]
    took_s: float

    @property
    def pictures(self) -> list[Picture]:
        return [one for one in self.readings if isinstance(one, Picture)]

    @property
    def read(self) -> int:
        """Frames read by the last reading that counts them."""
        return max(one.read for one in self.readings if isinstance(one, Picture | Progress | Spoilt))

    @property
    def clock_faults(self) -> Counter[ClockFault]:
        faults: Counter[ClockFault] = Counter()
        for one in self.readings:
            if isinstance(one, Parted):
                faults[one.fault] += one.times
        return faults

    @property
    def fault(self) -> Fault | None:
        end = self.readings[-1]
        assert isinstance(end, Ended)
        return end.fault


def record(
    address: Path | str, *, source: str = "file", start_s: float = 0.0, most: int = 10_000, **changes: object
) -> Recording:
    """Read `address` in a reader process until it ends, or until `most` pictures have come."""
    wanted = {"id": "gate-1", "source": source, "address": str(address), "pace": "as_fast_as_taken", **changes}
    readers = ReaderProcesses(timeout_s=8.0, max_source_px=40_000_000)
    reader = readers.open(Camera.model_validate(wanted), start_s=start_s)
    readings: list[Reading] = []
    began_s = monotonic()
    try:
        while sum(isinstance(one, Picture) for one in readings) < most:
            reading = reader.next(1.0)
            assert monotonic() - began_s < _WITHIN_S, f"no end after {len(readings)} readings"
            if reading is not None:
                readings.append(reading)
            if isinstance(reading, Ended):
                break
    finally:
        reader.close()
    return Recording(tuple(readings), monotonic() - began_s)

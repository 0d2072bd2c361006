"""match as it ships, on a clock that somebody has a hand on: `python -m tests.reliability.attacks.clocked FILE`.

FILE holds how far off the time of day is, in seconds, and what the kernel says of it (`set_clock` writes it). The
attacker has the machine's clock, not our code: only what the machine would answer is replaced, the time of day and
adjtimex(2).
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from services.match.settings import MatchSettings
from services.match.wiring import build
from services.runtime import clock_sync, process

SYNCHRONISED, UNSYNCHRONISED = "synchronised", "unsynchronised"
_LOOK_EVERY_S = 0.02
# What adjtimex returns, and its status (linux/timex.h).
_KERNEL = {SYNCHRONISED: (0, 0), UNSYNCHRONISED: (5, 0x40)}


def set_clock(file: Path, *, off_s: float = 0.0, state: str = SYNCHRONISED) -> None:
    """From now on, within some hundredths of a second."""
    fresh = file.with_suffix(".new")
    fresh.write_text(f"{off_s} {state}")
    fresh.replace(file)


class _Hand:
    """Both of the machine's clocks, the one for the time of day as FILE says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._off, self._state = timedelta(0), SYNCHRONISED
        self._look()
        threading.Thread(target=self._follow, daemon=True).start()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._off

    def monotonic(self) -> float:
        return time.monotonic()

    def kernel(self) -> tuple[int, int]:
        return _KERNEL[self._state]

    def _follow(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            self._look()

    def _look(self) -> None:
        off_s, self._state = self._file.read_text().split()
        self._off = timedelta(seconds=float(off_s))


if __name__ == "__main__":
    hand = _Hand(Path(sys.argv[1]))
    with (
        mock.patch.object(process, "SystemClock", lambda: hand),
        mock.patch.object(clock_sync, "ask_kernel", hand.kernel),
    ):
        sys.exit(process.run("match", MatchSettings, build))

"""match that kills itself at a named point of its n-th delivery: `dying_match POINT N`."""

from __future__ import annotations

import os
import signal
import sys

from services.match.settings import MatchSettings
from services.match.wiring import MatchService
from services.runtime import process


class MatchFaults:
    """A fault point: the `times`-th passing of `point` is the end. The delivery thread's."""

    def __init__(self, point: str, times: int) -> None:
        self._point = point
        self._left = times

    def __call__(self, point: str) -> None:
        self._left -= point == self._point
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    faults = MatchFaults(sys.argv[1], int(sys.argv[2]))
    sys.exit(
        process.run(
            "match", MatchSettings, lambda settings, context: MatchService(settings, context, faults=faults)
        )
    )

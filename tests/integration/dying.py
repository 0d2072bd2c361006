"""A fault point at which the process ends as by a crash."""

from __future__ import annotations

import os
import signal


class DiesAt:
    """The `times`-th passing of `point` is the end. One thread passes each point."""

    def __init__(self, point: str, times: int) -> None:
        self._point = point
        self._left = times

    def __call__(self, point: str) -> None:
        self._left -= point == self._point
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

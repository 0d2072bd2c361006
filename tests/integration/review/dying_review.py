"""review that kills itself at the n-th passing of a named point: `dying_review POINT N`."""

from __future__ import annotations

import os
import signal
import sys

from services.review.settings import ReviewSettings
from services.review.wiring import ReviewService
from services.runtime import process


class ReviewFaults:
    """A fault point: the `times`-th passing of `point` is the end. Any thread."""

    def __init__(self, point: str, times: int) -> None:
        self._point = point
        self._left = times

    def __call__(self, point: str) -> None:
        self._left -= point == self._point
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    faults = ReviewFaults(sys.argv[1], int(sys.argv[2]))
    sys.exit(
        process.run(
            "review", ReviewSettings, lambda settings, context: ReviewService(settings, context, faults=faults)
        )
    )

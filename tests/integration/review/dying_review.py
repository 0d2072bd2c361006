"""review that kills itself at the n-th passing of a named point: `dying_review POINT N`."""

from __future__ import annotations

import sys

from services.review.settings import ReviewSettings
from services.review.wiring import build
from services.runtime import process
from tests.integration.dying import DiesAt

if __name__ == "__main__":
    faults = DiesAt(sys.argv[1], int(sys.argv[2]))
    sys.exit(
        process.run("review", ReviewSettings, lambda settings, context: build(settings, context, faults=faults))
    )

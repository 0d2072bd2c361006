"""match that kills itself at a named point of its n-th delivery: `dying_match POINT N`."""

from __future__ import annotations

import sys

from services.match.settings import MatchSettings
from services.match.wiring import build
from services.runtime import process
from tests.integration.dying import DiesAt

if __name__ == "__main__":
    faults = DiesAt(sys.argv[1], int(sys.argv[2]))
    sys.exit(
        process.run("match", MatchSettings, lambda settings, context: build(settings, context, faults=faults))
    )

"""`python -m services.match`."""

import sys

from services.match.settings import MatchSettings
from services.match.wiring import build
from services.runtime import process

if __name__ == "__main__":
    sys.exit(process.run("match", MatchSettings, build))

"""`python -m services.ingest`: read cameras, publish frames."""

import sys

from services.ingest.settings import IngestSettings
from services.ingest.wiring import build
from services.runtime.process import run

if __name__ == "__main__":
    sys.exit(run("ingest", IngestSettings, build))

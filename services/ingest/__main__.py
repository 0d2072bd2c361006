"""`python -m services.ingest`: read cameras, publish frames."""

import sys

from services.ingest.settings import IngestSettings
from services.ingest.wiring import build
from services.runtime import process

if __name__ == "__main__":
    sys.exit(process.run("ingest", IngestSettings, build))

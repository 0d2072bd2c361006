"""`python -m services.oversight`."""

import sys

from services.oversight.settings import OversightSettings
from services.oversight.wiring import build
from services.runtime import process

if __name__ == "__main__":
    sys.exit(process.run("oversight", OversightSettings, build))

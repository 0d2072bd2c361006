"""`python -m services.embed`: one worker (WORKERS=process), or the supervisor of a fleet of them (WORKERS=ray)."""

import sys

from services.embed.settings import EmbedSettings
from services.embed.wiring import build
from services.runtime import process

if __name__ == "__main__":
    sys.exit(process.run("embed", EmbedSettings, build))

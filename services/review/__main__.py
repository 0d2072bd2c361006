"""`python -m services.review`."""

import sys

from services.review.settings import ReviewSettings
from services.review.wiring import build
from services.runtime import process

if __name__ == "__main__":
    sys.exit(process.run("review", ReviewSettings, build))

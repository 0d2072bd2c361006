"""`python -m services.embed.enrol`: the enrolment server."""

import sys

from services.embed.settings import EnrolmentSettings
from services.embed.wiring.enrolment import build_enrolment
from services.runtime import process

if __name__ == "__main__":
    sys.exit(process.run("embed-enrol", EnrolmentSettings, build_enrolment))

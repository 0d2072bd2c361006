"""A service as it ships, but for the point at which it ends itself: `python -m tests.reliability.entry SERVICE`.

What its next life dies of stands beside its key folder (doom.py). Each service is imported by itself, as it ships.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from services.runtime import process
from services.runtime.process import Context, Service
from tests.reliability.doom import Dooms

# What Ray's actors host.
WORKER = "tests.reliability.hosted:DoomedWorker"


def dooms_beside(keys_dir: Path) -> Dooms:
    return Dooms(keys_dir.parent / "dooms")


def match() -> int:
    from services.match import wiring
    from services.match.settings import MatchSettings

    def build(settings: MatchSettings, context: Context) -> Service:
        return wiring.build(settings, context, faults=dooms_beside(settings.keys_dir).of("match"))

    return process.run("match", MatchSettings, build)


def review() -> int:
    from services.review import wiring
    from services.review.settings import ReviewSettings

    def build(settings: ReviewSettings, context: Context) -> Service:
        return wiring.build(settings, context, faults=dooms_beside(settings.keys_dir).of("review"))

    return process.run("review", ReviewSettings, build)


def embed() -> int:
    from services.embed.settings import EmbedSettings
    from services.embed.wiring.fleet import build_supervisor

    def build(settings: EmbedSettings, context: Context) -> Service:
        return build_supervisor(settings, context, host=WORKER)

    return process.run("embed", EmbedSettings, build)


_SERVICES: dict[str, Callable[[], int]] = {"match": match, "review": review, "embed": embed}

if __name__ == "__main__":
    sys.exit(_SERVICES[sys.argv[1]]())

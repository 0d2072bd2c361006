"""A service as it ships, but for its guards: `python -m tests.load.overhead_entry SERVICE`.

Each is imported by itself, as it ships.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from services.runtime import process
from services.runtime.process import Context, Service
from tests.load.overhead_guards import alternating


def ingest() -> int:
    from services.ingest import wiring
    from services.ingest.settings import IngestSettings

    def build(settings: IngestSettings, context: Context) -> Service:
        return wiring.build(settings, context, guards=alternating("ingest"))

    return process.run("ingest", IngestSettings, build)


def embed() -> int:
    from services.embed.settings import EmbedSettings
    from services.embed.wiring.fleet import build_supervisor

    def build(settings: EmbedSettings, context: Context) -> Service:
        return build_supervisor(settings, context, host="tests.load.overhead_hosted:hosted")

    return process.run("embed", EmbedSettings, build)


def match() -> int:
    from services.match import wiring
    from services.match.settings import MatchSettings

    def build(settings: MatchSettings, context: Context) -> Service:
        return wiring.build(settings, context, guards=alternating("match"))

    return process.run("match", MatchSettings, build)


_SERVICES: dict[str, Callable[[], int]] = {"ingest": ingest, "embed": embed, "match": match}

if __name__ == "__main__":
    sys.exit(_SERVICES[sys.argv[1]]())

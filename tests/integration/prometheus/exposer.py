"""A process that shows every metric a service declares, and does nothing else: `exposer SERVICE`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from importlib import import_module

from services.runtime import process
from services.runtime.metrics import AT_START, declared_in
from services.runtime.settings import ServiceSettings

_BEAT_S = 0.1


class Exposer:
    """Beats, is ready, and ends when told."""

    def __init__(self, service: str, context: process.Context) -> None:
        for spec in declared_in(import_module(f"services.{service}.metrics")):
            at_start = {label: ["gate-1"] for label, values in spec.labels.items() if values is AT_START}
            spec.on(context.registry, **at_start)
        self._context = context

    def start(self) -> None:
        """Nothing to connect to."""

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(_BEAT_S):
            self._context.heartbeat.beat()

    def drain(self, within_s: float) -> bool:
        return True

    def close(self) -> None:
        """Nothing to let go of."""

    def ready(self) -> Mapping[str, bool]:
        return {"shown": True}


if __name__ == "__main__":
    sys.exit(process.run("exposer", ServiceSettings, lambda _, context: Exposer(sys.argv[1], context)))

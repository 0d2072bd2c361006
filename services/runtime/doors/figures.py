"""What a door reports, as metrics that a service declares."""

from __future__ import annotations

from typing import NamedTuple

from prometheus_client import CollectorRegistry

from services.runtime.doors.house import House, Left
from services.runtime.metrics import Counter, Gauge, LiveCounter, LiveGauge


class DoorSpecs(NamedTuple):
    """A service's doors under its own names: its `metrics.py` declares one, as `DOORS`."""

    connections: Gauge
    closed: Counter


def door_specs(service: str, doors: tuple[str, ...]) -> DoorSpecs:
    """The same of every service, under its name."""
    return DoorSpecs(
        connections=Gauge(
            f"signpost_{service}_door_connections", "Connections that are open, by door.", {"door": doors}
        ),
        closed=Counter(
            f"signpost_{service}_door_closed_connections_total",
            "Connections that we closed because their client kept us waiting, or for want of a place.",
            {"door": doors, "why": Left},
        ),
    )


class DoorFigures:
    """The live half. Any thread."""

    def __init__(self, registry: CollectorRegistry, specs: DoorSpecs) -> None:
        self._connections: LiveGauge = specs.connections.on(registry)
        self._closed: LiveCounter = specs.closed.on(registry)

    def follow(self, door: str, house: House) -> None:
        """Say at every scrape how many are in `house`."""
        self._connections.follow(lambda: float(len(house)), door=door)

    def left(self, door: str, why: Left) -> None:
        self._closed.inc(door=door, why=why)

"""An embed worker as Ray's actors host it, but for its guards."""

from __future__ import annotations

from services.embed.wiring.actor import HostedWorker
from tests.load.overhead_guards import alternating


def hosted(slot: str) -> HostedWorker:
    """What an actor hosts."""
    return HostedWorker(slot, guards=alternating("embed"))

"""The supervisor of a fleet of Ray actors."""

from __future__ import annotations

from services.embed.core.fleet import Bounds
from services.embed.edges.fleet_metrics import FleetCollector
from services.embed.edges.ray_fleet import RayFleet
from services.embed.metrics import FleetMetrics
from services.embed.settings import EmbedSettings
from services.embed.supervisor import Supervisor
from services.runtime.process import Context

_HOST = "services.embed.wiring.actor:HostedWorker"


def build_supervisor(settings: EmbedSettings, context: Context, *, host: str = _HOST) -> Supervisor:
    """The supervisor; `host` names what its actors host. Raises Misconfigured; connects to nothing yet."""
    return Supervisor(
        RayFleet(
            settings.ray_address,
            prefix=f"signpost-embed-{settings.deployment}-",
            host=host,
            cpus=settings.worker_cpus,
        ),
        bounds=Bounds(min_workers=settings.min_workers, max_workers=settings.max_workers),
        digest=settings.digest,
        metrics=FleetMetrics(context.registry),
        show=FleetCollector(context.registry).show,
        beat=context.heartbeat.beat,
        clock=context.clock,
    )

"""embed put together: the only place that picks what is real."""

from __future__ import annotations

from services.embed.settings import EmbedSettings
from services.runtime.process import Context, Service


def build(settings: EmbedSettings, context: Context) -> Service:
    """One worker, or the supervisor of a fleet, as WORKERS says. Connects to nothing yet."""
    # Ray, and the models' libraries, take seconds and hundreds of megabytes: who does not need them goes without.
    if settings.workers == "process":
        from services.embed.wiring.worker import WorkerUnderAuthority

        return WorkerUnderAuthority(settings, context, slot=settings.standing_name)
    from services.embed.wiring.fleet import build_supervisor

    return build_supervisor(settings, context)

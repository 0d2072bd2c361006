"""embed put together: the only place that picks what is real."""

from __future__ import annotations

from services.embed.settings import EmbedSettings
from services.embed.wiring.worker import build_worker
from services.runtime.process import Context, Service


def build(settings: EmbedSettings, context: Context) -> Service:
    """One worker, or the supervisor of a fleet, as WORKERS says. Connects to nothing yet."""
    if settings.workers == "process":
        return build_worker(settings, context, slot=settings.instance)
    # Ray takes a second and a hundred megabytes to import: only who supervises pays for it.
    from services.embed.wiring.fleet import build_supervisor

    return build_supervisor(settings, context)

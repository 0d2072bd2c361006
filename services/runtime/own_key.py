"""Whether anybody believes what this process signs: its words in the audit chain, its answers to purges."""

from __future__ import annotations

from collections.abc import Callable

from services.contracts.audit.registry import usable
from services.contracts.audit.signing import fingerprint
from services.contracts.authorisation.clock import Clock
from services.contracts.authorisation.registry import Registry
from services.runtime.authority_figures import AuthoritySpecs
from services.runtime.authority_watch import AuthorityWatch
from services.runtime.clock_sync import SynchronisedClock
from services.runtime.process import Context
from services.runtime.settings import ServiceSettings
from services.runtime.signing_key import read_signer


class OwnKey:
    """One process's key, by its fingerprint, held against the newest registry each time. Any thread."""

    def __init__(self, key: str, *, service: str, registry: Callable[[], Registry | None], clock: Clock) -> None:
        self._key = key
        self._service = service
        self._registry = registry
        self._clock = clock

    def in_force(self) -> bool:
        """Whether the registry has it for this service, and it was neither revoked nor has ended."""
        now = self._clock.reading().wall
        return usable(self._registry(), self._key, service=self._service, now=now)


def own_key(
    settings: ServiceSettings, context: Context, watch: AuthorityWatch, figures: AuthoritySpecs, *, service: str
) -> OwnKey:
    """The process's own, told as a metric. Raises Misconfigured."""
    signer = read_signer(settings.service_key_file, variable="SERVICE_KEY_FILE")
    found = OwnKey(
        fingerprint(signer.public_key),
        service=service,
        registry=watch.registry,
        clock=SynchronisedClock(context.clock),
    )
    figures.usable_keys.on(context.registry).follow(found.in_force)
    return found

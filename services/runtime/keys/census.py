"""Counts keys, so that people see how many there are and how long they live."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.contracts import keys as key_specs
from services.contracts.authorisation.purging import What
from services.contracts.errors import Misconfigured, Transient
from services.contracts.keyspec import Where
from services.runtime.keys.port import KeyStore
from services.runtime.looking import Looking

# As fresh as whoever looks at a metric needs it; each time all names of the deployment's keys are gone through.
COUNT_EVERY_S = 15.0


class KeyCensus(Looking):
    """`told` gets, of each kind of key, how many there are and how many seconds the last of them has left."""

    def __init__(
        self,
        deployment: str,
        stores: Mapping[Where, KeyStore],
        told: Callable[[What, int, float], None],
        *,
        every_s: float = COUNT_EVERY_S,
    ) -> None:
        super().__init__(name="key-census", every_s=every_s)
        self._deployment = deployment
        self._stores = stores
        self._told = told

    def look(self) -> None:
        """Once. While a store does not answer, what was told last stands."""
        lives: dict[What, list[float]] = {kind: [] for kind in key_specs.KINDS}
        try:
            for kind, where, prefix in key_specs.purged(self._deployment):
                lives[kind] += self._stores[where].lives_s(prefix)
        except (Transient, Misconfigured):
            return
        for kind, left_s in lives.items():
            self._told(kind, len(left_s), max(left_s, default=0.0))

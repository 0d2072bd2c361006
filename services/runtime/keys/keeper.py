"""Lets go of keys whose time is over, also where nobody asks for them any more."""

from __future__ import annotations

import logging
from typing import Protocol

from services.contracts.errors import Misconfigured
from services.runtime.keys.ring import Keyring
from services.runtime.looking import Looking

log = logging.getLogger(__name__)

# A key in a folder, or in the memory of an idle process, outlives its deadline by no more than this. At 0 a busy
# loop over the folder; every process of a deployment that shares it sweeps.
SWEEP_EVERY_S = 30.0


class Sweepable(Protocol):
    """A store that does not drop keys by itself."""

    def sweep(self) -> int:
        """Destroy every key whose deadline has passed; how many."""
        ...


class KeyKeeper(Looking):
    """A folder destroys nothing by itself, and an idle cache neither.

    What cannot be swept now (a full disk, a foreign file) is said, and tried again.
    """

    def __init__(self, store: Sweepable, ring: Keyring, *, every_s: float = SWEEP_EVERY_S) -> None:
        super().__init__(name="key-keeper", every_s=every_s)
        self._store = store
        self._ring = ring

    def look(self) -> None:
        """Drop what is over, in the store and in this process."""
        self._ring.drop_expired()
        try:
            destroyed = self._store.sweep()
        except (OSError, Misconfigured) as hindered:
            log.warning("keys not swept", extra={"kind": type(hindered).__name__})
            return
        if destroyed:
            log.info("keys destroyed at their deadline", extra={"keys": destroyed})

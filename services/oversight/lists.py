"""Which of the sealed lists that are waited for are loaded: looked up beside the leader's work, never in it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from services.contracts.errors import Transient
from services.contracts.sealed.seal import Seal
from services.oversight.ports import SealedLists

log = logging.getLogger(__name__)

_EVERY_S = 1.0


class ListWatch:
    """`run` is a thread's; `loaded` anybody's. What cannot be looked up counts as not there."""

    def __init__(self, lists: SealedLists, wanted: Callable[[], frozenset[tuple[str, str]]]) -> None:
        self._lists = lists
        self._wanted = wanted
        self._loaded: frozenset[tuple[str, str]] = frozenset()
        self._seals: Mapping[tuple[str, str], Seal | None] = {}

    def loaded(self) -> frozenset[tuple[str, str]]:
        """As of the last look. Never blocks: a stop must not wait for a store."""
        return self._loaded

    def seals(self) -> Mapping[tuple[str, str], Seal]:
        """Those of the loaded lists that could be read. As `loaded`."""
        return {one: seal for one, seal in self._seals.items() if seal is not None}

    def run(self, stop: threading.Event) -> None:
        """Look, about every second, until told to stop."""
        while not stop.is_set():
            self.look()
            stop.wait(_EVERY_S)

    def look(self) -> None:
        """One look. Seals are read once, for what is under a digest does not change."""
        wanted = self._wanted()
        try:
            found = self._lists.loaded(wanted) if wanted else frozenset()
            seals = {one: self._seals[one] if one in self._seals else self._lists.seal(*one) for one in found}
        except Transient as away:
            self._loaded = frozenset()
            log.warning("sealed lists not looked up", extra={"reason": str(away)})
            return
        # The seals first: who sees a list as loaded sees its seal.
        self._seals = seals
        self._loaded = found

"""Which of the sealed lists that are waited for are loaded: looked up beside the leader's work, never in it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from services.contracts.errors import Transient
from services.oversight.ports import SealedLists

log = logging.getLogger(__name__)

_EVERY_S = 1.0


class ListWatch:
    """`run` is a thread's; `loaded` anybody's. What cannot be looked up counts as not there."""

    def __init__(self, lists: SealedLists, wanted: Callable[[], frozenset[tuple[str, str]]]) -> None:
        self._lists = lists
        self._wanted = wanted
        self._loaded: frozenset[tuple[str, str]] = frozenset()

    def loaded(self) -> frozenset[tuple[str, str]]:
        """As of the last look. Never blocks: a stop must not wait for a store."""
        return self._loaded

    def run(self, stop: threading.Event) -> None:
        """Look, about every second, until told to stop."""
        while not stop.is_set():
            self.look()
            stop.wait(_EVERY_S)

    def look(self) -> None:
        """One look."""
        wanted = self._wanted()
        try:
            self._loaded = self._lists.loaded(wanted) if wanted else frozenset()
        except Transient as away:
            self._loaded = frozenset()
            log.warning("sealed lists not looked up", extra={"reason": str(away)})

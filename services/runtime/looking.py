"""A thread that looks after something again and again."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

# How long `stop` waits for a look that is under way; a store's own deadlines are shorter.
_JOIN_S = 10.0


class Looking(ABC):
    """Calls `look` at once and then every `every_s` seconds, on a thread of its own from `start` to `stop`."""

    def __init__(self, *, name: str, every_s: float) -> None:
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"signpost-{name}", daemon=True)

    @abstractmethod
    def look(self) -> None:
        """Once. Raises nothing but for a bug."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Blocks until the thread has ended; harmless if it never began."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._every_s)

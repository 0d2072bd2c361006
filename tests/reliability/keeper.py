"""What a platform's supervisor does: a service that has ended is started again at once."""

from __future__ import annotations

import threading
from collections import Counter

from console.run.exercise import Exercise

_LOOK_EVERY_S = 0.2


class Keeper:
    """Watches the exercise's services from a thread of its own. Any thread may ask it to kill one."""

    def __init__(self, exercise: Exercise, *names: str) -> None:
        self._exercise = exercise
        self._names = list(names)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="keeper", daemon=True)
        self.restarts: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Restart nothing any more."""
        self._stopping.set()
        self._thread.join()

    def kill(self, name: str) -> None:
        """End a service as a crash would; it is started again."""
        with self._lock:
            self._exercise.services[name].kill()
        self.kills[name] += 1

    def leave(self, name: str) -> None:
        """Restart this one no more."""
        with self._lock:
            self._names.remove(name)

    def ready(self) -> bool:
        """Whether every service is there and ready."""
        return all(self._exercise.services[name].ready() for name in self._names)

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            with self._lock:
                for name in self._names:
                    service = self._exercise.services[name]
                    if not service.alive():
                        self.restarts[name] += 1
                        service.start()

"""One embed worker: its models and its loop. The same in a plain process and inside a Ray actor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol


class Running(Protocol):
    """The loop, built once the models are loaded."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`, finish what is in hand."""
        ...

    def ready(self) -> bool:
        """In the group, and every partition moves."""
        ...

    def lag(self) -> int:
        """Frames not yet handled on our partitions."""
        ...


class Worker:
    """The process's service (`runtime.process.Service`). `start` and `run` on one thread, the rest on any.

    `load` makes the loop: it checks the stores and loads and proves the models, which takes seconds.
    """

    def __init__(self, load: Callable[[], Running], close: Callable[[], None]) -> None:
        self._load = load
        self._close = close
        self._loop: Running | None = None

    def start(self) -> None:
        """Load the models. Raises Misconfigured."""
        self._loop = self._load()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; what is in hand is finished before return."""
        if self._loop is None:
            raise RuntimeError("start comes first")
        self._loop.run(stop)

    def drain(self, within_s: float) -> bool:
        """Nothing is left: the loop drains before `run` returns."""
        return True

    def close(self) -> None:
        self._close()

    def ready(self) -> Mapping[str, bool]:
        loop = self._loop
        return {"model": loop is not None, "assignment": loop is not None and loop.ready()}

    def lag(self) -> int:
        """Frames not yet handled on our partitions."""
        return 0 if self._loop is None else self._loop.lag()

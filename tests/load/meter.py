"""Processor time spent inside chosen calls of a process, written beside it as it grows, read back by windows."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import ParamSpec, TypeVar

_EVERY_S = 0.5

P = ParamSpec("P")
T = TypeVar("T")


class Part(StrEnum):
    """What the time went into."""

    CIPHER = "cipher"
    KEYS = "keys"
    CHECKS = "checks"
    RECORDS = "records of authority"


class Meter:
    """CPU time of each thread inside `timed`, so waiting for Redis is not in it, and neither is Redis' own work.

    Any thread. The clock costs about a microsecond a call, which is in it.
    """

    def __init__(self) -> None:
        self._mine = threading.local()
        self._all: list[dict[Part, int]] = []

    def timed(self, part: Part, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        began_ns = time.thread_time_ns()
        try:
            return call(*args, **kwargs)
        finally:
            self._own()[part] += time.thread_time_ns() - began_ns

    def write_on(self, path: Path) -> None:
        """Begin to write what was spent so far, twice a second for as long as the process lives."""
        path.parent.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._write, args=(path,), name="meter", daemon=True).start()

    def spent_s(self) -> dict[Part, float]:
        """CPU seconds so far."""
        return {part: sum(one[part] for one in list(self._all)) / 1e9 for part in Part}

    def _own(self) -> dict[Part, int]:
        if not hasattr(self._mine, "spent_ns"):
            self._mine.spent_ns = dict.fromkeys(Part, 0)
            self._all.append(self._mine.spent_ns)
        own: dict[Part, int] = self._mine.spent_ns
        return own

    def _write(self, path: Path) -> None:
        while True:
            with path.open("a") as file:
                file.write(json.dumps({"at": time.time(), **self.spent_s()}) + "\n")
            time.sleep(_EVERY_S)


def spent(folder: Path, *, since: float, until: float) -> Mapping[Part, float]:
    """Cores in use in each part over the window, all processes together."""
    cores: defaultdict[Part, float] = defaultdict(float)
    for path in folder.glob("*.jsonl"):
        # The last line may be half written.
        lines = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
        within = [line for line in lines if since <= line["at"] <= until]
        if len(within) > 1:
            first, last = within[0], within[-1]
            for part in Part:
                cores[part] += (last[part] - first[part]) / (last["at"] - first["at"])
    return cores

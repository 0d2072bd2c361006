"""Deaths at named points, one a life: written down before, carried out by the process itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.runtime.kafka.commit import FaultPoint, no_fault


@dataclass(frozen=True)
class Doom:
    """The `times`-th passing of `point` is the end."""

    point: str
    times: int


class Dooms:
    """A folder with a file for each process by name: a doom a line, the next life's first. A life that finds
    none is spared. One process of a name at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, dooms: Sequence[Doom]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._left(name).write_text("".join(f"{doom.point} {doom.times}\n" for doom in dooms))

    def take(self, name: str) -> FaultPoint:
        """The next life's fault point."""
        left = self._left(name)
        lines = left.read_text().splitlines() if left.exists() else []
        if not lines:
            return no_fault
        left.write_text("".join(f"{line}\n" for line in lines[1:]))
        point, _, times = lines[0].partition(" ")
        return _Doomed(point, int(times), self._folder / f"{name}.{point}.dead")

    def carried_out(self) -> list[tuple[str, str]]:
        """Process and point of each death so far, by name."""
        found = sorted(path.name.split(".")[:2] for path in self._folder.glob("*.dead"))
        return [(name, point) for name, point in found]

    def _left(self, name: str) -> Path:
        return self._folder / f"{name}.lives"


class _Doomed:
    """Counts the passings of one point; several threads may pass it."""

    def __init__(self, point: str, times: int, told: Path) -> None:
        self._point = point
        self._left = times
        self._told = told

    def __call__(self, point: str) -> None:
        self._left -= point == self._point
        if self._left == 0:
            self._told.touch()
            os.kill(os.getpid(), signal.SIGKILL)

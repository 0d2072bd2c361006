"""Deaths at named points: written down before, carried out by whichever process of that name gets there."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.runtime.kafka.commit import FaultPoint


@dataclass(frozen=True)
class Doom:
    """The `times`-th passing of `point` is the end."""

    point: str
    times: int


class Dooms:
    """A folder with a file for each kind of process: a doom a line, the next first, each point once.

    Lives that end of something else leave their doom to the next; of several processes of a kind it is the one
    at work that dies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, dooms: Sequence[Doom]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{name}.lives").write_text("".join(f"{doom.point} {doom.times}\n" for doom in dooms))

    def of(self, name: str) -> FaultPoint:
        """The fault point of a process of this kind."""
        return _Doomed(self._folder, name)

    def carried_out(self) -> list[tuple[str, str]]:
        """Kind and point of each death so far."""
        found = sorted(path.name.split(".")[:2] for path in self._folder.glob("*.dead"))
        return [(name, point) for name, point in found]


class _Doomed:
    """Counts the passings of the point that is next; several threads may pass it."""

    def __init__(self, folder: Path, name: str) -> None:
        lives = folder / f"{name}.lives"
        lines = lives.read_text().splitlines() if lives.exists() else []
        self._ends = [(line.split()[0], int(line.split()[1])) for line in lines]
        self._folder, self._name = folder, name
        self._next = ""
        self._passed = 0

    def __call__(self, point: str) -> None:
        left = [(known, times) for known, times in self._ends if not self._told(known).exists()]
        if not left or left[0][0] != point:
            return
        if self._next != point:
            self._next, self._passed = point, 0
        self._passed += 1
        if self._passed >= left[0][1]:
            self._die(point)

    def _die(self, point: str) -> None:
        try:
            self._told(point).touch(exist_ok=False)
        except FileExistsError:  # another of our kind was faster
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def _told(self, point: str) -> Path:
        return self._folder / f"{self._name}.{point}.dead"

"""What is fuzzed, and what counts as a fault: a crash, or a stop."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

# An input that takes its reader longer than this holds up whoever is behind it. Of processor time, so that a busy
# machine finds nothing; a wait for something else shows in the time on the wall.
_MOST_CPU_S = 2.0
_MOST_WALL_S = 20.0
# After so many inputs it is asked whether what is good is still handled.
BATCH = 25


class Reader(Protocol):
    """One reader of the product, on fakes. `take` raises nothing but what its surface declares."""

    def take(self, raw: bytes) -> None:
        """Read one input, as the product does."""
        ...

    def goes_on(self) -> bool:
        """Whether a good input that comes now is handled as ever."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


@dataclass(frozen=True)
class Surface:
    """`valid` are inputs as the product writes them, `strange` whole ones from elsewhere: of another kind, under
    another key, of another deployment.

    `declared` are the errors by which the product refuses an input: those alone may come out of `take`. `words`
    are put into text. A `heavy` surface's input is a call over a socket; one that needs a `process` for each input
    is tried in tests/integration, with fewer.
    """

    name: str
    make: Callable[[], Reader]
    declared: tuple[type[Exception], ...] = ()
    valid: Callable[[], Sequence[bytes]] = tuple
    strange: Callable[[], Sequence[bytes]] = tuple
    words: Sequence[bytes] = ()
    heavy: bool = False
    process: bool = False


@dataclass
class Found:
    """What came of a surface's inputs."""

    inputs: int = 0
    crashes: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)


class Trial:
    """One reader, and what it did. A reader that crashed or stopped is made anew."""

    def __init__(self, surface: Surface) -> None:
        self.found = Found()
        self._surface = surface
        self._reader = surface.make()

    def take(self, inputs: Sequence[bytes]) -> None:
        """A batch of inputs, and then a good one."""
        for raw in inputs:
            self._one(raw)
        self._ask(inputs)

    def close(self) -> None:
        self._reader.close()

    def _one(self, raw: bytes) -> None:
        self.found.inputs += 1
        cpu_s, wall_s = time.thread_time(), time.monotonic()
        try:
            self._reader.take(raw)
        except self._surface.declared:
            pass
        except Exception:  # noqa: BLE001 - what nobody declared is what we look for
            self._crashed(raw)
        cpu_s, wall_s = time.thread_time() - cpu_s, time.monotonic() - wall_s
        if cpu_s > _MOST_CPU_S or wall_s > _MOST_WALL_S:
            self.found.stops.append(f"{cpu_s:.1f} s of processor, {wall_s:.1f} s: {_shown(raw)}")

    def _ask(self, inputs: Sequence[bytes]) -> None:
        try:
            well = self._reader.goes_on()
        except Exception:  # noqa: BLE001 - a reader that fails on good input has stopped
            self.found.stops.append(f"{traceback.format_exc(limit=-4)} after {[_shown(raw) for raw in inputs]}")
            self._anew()
        else:
            if not well:
                self.found.stops.append(f"good input is not handled after {[_shown(raw) for raw in inputs]}")
                self._anew()

    def _crashed(self, raw: bytes) -> None:
        self.found.crashes.append(f"{traceback.format_exc(limit=-6)} of {_shown(raw)}")
        self._anew()

    def _anew(self) -> None:
        self._reader.close()
        self._reader = self._surface.make()


def _shown(raw: bytes) -> str:
    return raw.hex() if len(raw) <= 2000 else f"{raw[:2000].hex()}... ({len(raw)} bytes)"

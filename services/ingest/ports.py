"""What ingest needs of the outside, and of nobody in particular."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.contracts.authority import Camera
from services.contracts.keyspec import KeySpec
from services.ingest.core.readings import Reading
from services.runtime.kafka.types import Output


@dataclass(frozen=True)
class Lease:
    """The right to read a camera, as granted. `number` fences: a later lease of the camera has a larger one.

    `last_frame_at` is the camera's newest frame as its earlier holder, or this one, said; `finished` that the
    source came to its end: who takes over from a holder that died does not play it again. `position_s` is where in
    the source that newest frame was: who takes a file over goes on from there. `lost_holder_from` is when the
    earlier holder took the camera, if it never gave it up.
    """

    camera: str
    number: int
    last_frame_at: datetime | None = None
    finished: bool = False
    position_s: float | None = None
    lost_holder_from: datetime | None = None

    @property
    def unsure_since(self) -> datetime | None:
        """From when on nobody knows what an earlier holder read: it may have died before it said anything."""
        return max((at for at in (self.last_frame_at, self.lost_holder_from) if at is not None), default=None)


class Leases(Protocol):
    """Who reads which camera of a deployment. Every call may block on the store and raises Transient with it.

    One thread owns it.
    """

    def acquire(self, camera: str, *, above: int = 0) -> Lease | None:
        """The camera's lease if nobody has it; its number is above `above` and any granted before."""
        ...

    def renew(self, held: Collection[Lease]) -> set[str]:
        """The cameras, of those held, that are ours for another TTL; what a lease says is kept for the next."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the camera up, if it is still ours."""
        ...


class Source(Protocol):
    """One reading of a camera. One thread reads and closes; `stop` may come from another."""

    def next(self, timeout_s: float) -> Reading | None:
        """The next reading, or None if none came within `timeout_s`. After Ended there is nothing more."""
        ...

    def stop(self) -> None:
        """End the reading at once, whatever it hangs in; a waiting `next` returns Ended."""
        ...

    def close(self) -> None:
        """Stop, and let go of everything. The last call."""
        ...


class Sources(Protocol):
    """How a camera is opened."""

    def open(self, camera: Camera, *, start_s: float = 0.0, certificate_sha256: str | None = None) -> Source:
        """Begin to read, at `start_s` of a file or folder; a camera that is named by its certificate must show it.

        Does not wait for the source: what is wrong with it comes as Ended.
        """
        ...


# What an outlet answers for a record that the broker will never take.
TOO_LARGE = "too_large"


class Outlet(Protocol):
    """Where records go. One thread owns it."""

    def send(self, output: Output, answered: Callable[[str | None], None]) -> None:
        """Take one record, waiting for room up to some seconds. `answered` is called exactly once, now or during
        a later `send` or `serve`: None when the record is safe, else a code from a closed set."""
        ...

    def serve(self) -> None:
        """Pass on the answers there are; does not wait. Raises when nothing can be sent any more."""
        ...


class Keys(Protocol):
    """Where keys to seal with come from (runtime's Keyring)."""

    def mint(self, spec: KeySpec) -> bytes:
        """The key, made if nobody has. May block on its stores; raises Transient with them, DeadlinePassed."""
        ...

"""A lease as its holder sees it: held for certain until a moment before the store would give it away."""

from __future__ import annotations

from services.contracts.ids import CameraId, run_id

# Of the TTL: what is given up so that a holder stops before the store frees the camera, whatever the answer's
# way took. At 0 two holders could publish at once.
_MARGIN = 0.25


class Holding:
    """Renewed by the sharing thread, asked by every other; one attribute, written whole."""

    def __init__(self, camera: CameraId, number: int, *, asked_s: float, ttl_s: float) -> None:
        """`asked_s` is the monotonic time before the store was asked: its TTL began no earlier."""
        self.camera = camera
        self.number = number
        self._ttl_s = ttl_s
        self._until_s = 0.0
        self.renewed(asked_s)

    def renewed(self, asked_s: float) -> None:
        """The store granted another TTL to a question asked at `asked_s`."""
        self._until_s = asked_s + self._ttl_s * (1 - _MARGIN)

    def holds(self, now_s: float) -> bool:
        """Whether the camera is ours for certain."""
        return now_s < self._until_s

    def end(self) -> None:
        """Not ours any more."""
        self._until_s = 0.0

    def run(self, epoch: int) -> str:
        return run_id(self.camera, self.number, epoch)

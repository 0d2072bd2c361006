"""What ingest talks to, in memory: a lease store, sources that play a script, an outlet that answers on demand."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.contracts.authority import Camera
from services.contracts.errors import Transient
from services.ingest.core.readings import Ended, Reading
from services.ingest.core.reasons import Fault
from services.ingest.ports import Lease
from services.runtime.clock import Clock
from services.runtime.kafka.types import Output


@dataclass
class FakeLeaseStore:
    """What the store knows, shared by the holders; kept to the port by tests/contracts/leases.py. One thread."""

    clock: Clock
    away: bool = False
    held: dict[str, tuple[str, int, float]] = field(default_factory=dict)
    memory: dict[str, Lease] = field(default_factory=dict)
    taken_at: dict[str, datetime] = field(default_factory=dict)

    def lose_all(self) -> None:
        """What a volatile store does when it dies."""
        self.held.clear()
        self.memory.clear()
        self.taken_at.clear()


class FakeLeases:
    """`Leases` of one holder."""

    def __init__(self, store: FakeLeaseStore, *, holder: str, ttl_s: float) -> None:
        self._store = store
        self._holder = holder
        self._ttl_s = ttl_s

    def acquire(self, camera: str, *, above: int = 0) -> Lease | None:
        self._answer()
        if self._live(camera) is not None:
            return None
        before = self._store.memory.get(camera, Lease(camera, 0))
        number = max(before.number + 1, above + 1, int(self._store.clock.now().timestamp() * 1000))
        self._store.held[camera] = (self._holder, number, self._store.clock.monotonic() + self._ttl_s)
        lost_holder_from = self._store.taken_at.get(camera)
        self._store.memory[camera] = replace(before, number=number)
        self._store.taken_at[camera] = self._store.clock.now()
        return replace(before, number=number, lost_holder_from=lost_holder_from)

    def renew(self, held: Collection[Lease]) -> set[str]:
        self._answer()
        ours = {lease.camera for lease in held if self._live(lease.camera) == (self._holder, lease.number)}
        for lease in held:
            if lease.camera in ours:
                until_s = self._store.clock.monotonic() + self._ttl_s
                self._store.held[lease.camera] = (self._holder, lease.number, until_s)
                before = self._store.memory[lease.camera]
                self._store.memory[lease.camera] = replace(
                    before,
                    last_frame_at=lease.last_frame_at or before.last_frame_at,
                    finished=lease.finished or before.finished,
                    position_s=before.position_s if lease.position_s is None else lease.position_s,
                )
        return ours

    def release(self, lease: Lease) -> None:
        self._answer()
        if self._live(lease.camera) == (self._holder, lease.number):
            del self._store.held[lease.camera]
            before = self._store.memory[lease.camera]
            self._store.memory[lease.camera] = replace(before, finished=False, position_s=None)
            del self._store.taken_at[lease.camera]

    def _live(self, camera: str) -> tuple[str, int] | None:
        holder, number, until_s = self._store.held.get(camera, ("", 0, 0.0))
        return (holder, number) if self._store.clock.monotonic() < until_s else None

    def _answer(self) -> None:
        if self._store.away:
            raise Transient("the fake lease store is away")


class FakeSource:
    """`Source` that yields its script; None in it is a moment without a reading, and so is all after it."""

    def __init__(self, script: Iterable[Reading | None], waited: Callable[[float], None]) -> None:
        self._script = deque(script)
        self._waited = waited
        self._stopped = threading.Event()
        self.closed = False

    def next(self, timeout_s: float) -> Reading | None:
        if self._stopped.is_set():
            return Ended(Fault.READER_DIED)
        reading = self._script.popleft() if self._script else None
        if reading is None:
            self._waited(timeout_s)
        return reading

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        self._stopped.set()
        self.closed = True


class FakeSources:
    """`Sources`: each opening of a camera plays its next script; `waited` is told how long a reading waited."""

    def __init__(self, waited: Callable[[float], None]) -> None:
        self._waited = waited
        self.scripts: dict[str, deque[Iterable[Reading | None]]] = {}
        self.opened: list[str] = []
        self.started_s: list[float] = []
        self.certificates: list[str | None] = []

    def open(self, camera: Camera, *, start_s: float = 0.0, certificate_sha256: str | None = None) -> FakeSource:
        self.opened.append(camera.id)
        self.certificates.append(certificate_sha256)
        self.started_s.append(start_s)
        scripts = self.scripts.get(camera.id, deque())
        return FakeSource(scripts.popleft() if scripts else (), self._waited)


class FakeOutlet:
    """`Outlet` whose answers are given by the test."""

    def __init__(self) -> None:
        self.sent: list[Output] = []
        self._unanswered: deque[Callable[[str | None], None]] = deque()

    def send(self, output: Output, answered: Callable[[str | None], None]) -> None:
        self.sent.append(output)
        self._unanswered.append(answered)

    def serve(self) -> None:
        """Answers come from `answer` alone."""

    def answer(self, failure: str | None = None) -> None:
        """Answer all that is outstanding."""
        while self._unanswered:
            self._unanswered.popleft()(failure)

    def on(self, topic: str) -> list[Output]:
        return [output for output in self.sent if output.topic == topic]

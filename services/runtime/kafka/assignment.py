"""Which partitions are ours, and from where each has to be read again if what is in flight is lost."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count

from services.runtime.kafka.types import Partition, Position, Record


@dataclass(slots=True)
class _Held:
    """One partition of ours; `resume_at` None until its first record is taken."""

    generation: int
    resume_at: int | None = None
    parked: bool = False


class Assignment:
    """Tells records and outcomes that still count from those that a rebalance or a reset has overtaken.

    A record is stamped with its partition's generation when it is polled, an outcome with the run when
    its batch begins. `remove` ends a generation, so what is queued is skipped but what is in flight is
    finished; `renew` ends the run too, so nothing of it is delivered any more.

    Any thread may ask. The poll thread adds, removes and stamps; the delivery thread reports commits;
    the work thread parks; whoever meets trouble renews. One lock, held for no wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Partition, _Held] = {}
        self._stuck: dict[Partition, str] = {}
        self._generations = count(1)
        self._run = 0

    @property
    def run(self) -> int:
        """The number of the present run; an outcome of another must not be delivered."""
        with self._lock:
            return self._run

    def add(self, partitions: Collection[Partition]) -> None:
        """These are ours, from wherever their first record stands."""
        with self._lock:
            self._held.update({one: _Held(next(self._generations)) for one in partitions})

    def remove(self, partitions: Collection[Partition]) -> None:
        """These are not ours any more: what is queued of them is stale."""
        with self._lock:
            for one in partitions:
                self._held.pop(one, None)
                self._stuck.pop(one, None)

    def renew(self) -> None:
        """All that is queued or in flight is void; each partition goes on at `resume_positions`."""
        with self._lock:
            self._run += 1
            for held in self._held.values():
                held.generation = next(self._generations)

    def stamp(self, record: Record) -> int | None:
        """The generation under which this polled record counts; None if it does not."""
        with self._lock:
            held = self._held.get(record.home)
            if held is None or held.parked:
                return None
            if held.resume_at is None:
                held.resume_at = record.offset
            return held.generation

    def counts(self, partition: Partition, generation: int) -> bool:
        """Whether a record stamped so still counts."""
        with self._lock:
            held = self._held.get(partition)
            return held is not None and not held.parked and held.generation == generation

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """These are the next offsets to read, as committed."""
        with self._lock:
            for partition, offset in offsets.items():
                if partition in self._held:
                    self._held[partition].resume_at = offset

    def park(self, partition: Partition, reason: str) -> None:
        """Take no more of this partition until it is assigned anew: somebody has to look."""
        with self._lock:
            if partition in self._held:
                self._held[partition].parked = True
                self._stuck[partition] = reason

    def struggle(self, partitions: Collection[Partition], reason: str) -> None:
        """These wait for something that does not come; still tried."""
        with self._lock:
            self._stuck.update({one: reason for one in partitions if one in self._held})

    def recover(self, partitions: Collection[Partition]) -> None:
        """These go on; a parked one does not."""
        with self._lock:
            for one in partitions:
                held = self._held.get(one)
                if held is None or not held.parked:
                    self._stuck.pop(one, None)

    def resume_positions(self) -> list[Position]:
        """Where each partition of which anything was taken has to be read again."""
        with self._lock:
            return [
                Position(*one, held.resume_at) for one, held in self._held.items() if held.resume_at is not None
            ]

    def held(self) -> frozenset[Partition]:
        """The partitions that are ours."""
        with self._lock:
            return frozenset(self._held)

    def parked(self) -> frozenset[Partition]:
        """Those of ours that wait for somebody."""
        with self._lock:
            return frozenset(one for one, held in self._held.items() if held.parked)

    def stuck(self) -> dict[Partition, str]:
        """Those of ours that do not move, and why."""
        with self._lock:
            return dict(self._stuck)

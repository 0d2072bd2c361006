"""Records that Kafka deleted before anybody read them, told by holes in a partition's offsets."""

from __future__ import annotations

import threading
from collections.abc import Hashable


class SeenOffsets:
    """Which offsets of each partition were handed to us, so that a hole is a record nobody ever saw.

    Any thread: preparing threads `saw`, the work thread asks, the delivery thread settles. What is
    remembered is runs of offsets, so a few numbers a partition, however much is not yet settled.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Disjoint, ascending [first, after last]; out of order by no more than the threads there are.
        self._runs: dict[Hashable, list[list[int]]] = {}
        self._settled: dict[Hashable, int] = {}

    def saw(self, partition: Hashable, offset: int) -> None:
        """This record exists, whatever becomes of it."""
        with self._lock:
            runs = self._runs.setdefault(partition, [])
            at = len(runs)
            while at and runs[at - 1][0] > offset:
                at -= 1
            if at and offset < runs[at - 1][1]:
                return
            runs.insert(at, [offset, offset + 1])
            _join(runs, at)

    def missing(self, partition: Hashable, begin: int, end: int) -> int:
        """How many offsets from `begin` to before `end` nobody saw; those settled count as seen."""
        with self._lock:
            begin = max(begin, self._settled.get(partition, 0))
            runs = self._runs.get(partition, [])
            seen = sum(max(0, min(last, end) - max(first, begin)) for first, last in runs)
            return max(0, end - begin - seen)

    def settle(self, partition: Hashable, offset: int) -> None:
        """All before `offset` is accounted for and will not be asked about again."""
        with self._lock:
            self._settled[partition] = max(offset, self._settled.get(partition, 0))
            runs = self._runs.get(partition, [])
            self._runs[partition] = [[max(first, offset), last] for first, last in runs if last > offset]


def _join(runs: list[list[int]], at: int) -> None:
    """Merge the run at `at` with its neighbours where they touch."""
    if at + 1 < len(runs) and runs[at][1] == runs[at + 1][0]:
        runs[at][1] = runs.pop(at + 1)[1]
    if at and runs[at - 1][1] == runs[at][0]:
        runs[at - 1][1] = runs.pop(at)[1]

"""First stage: records are prepared on a small pool, several at once, and released in their order."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Generic, TypeVar

from services.runtime.kafka.types import Dropped, Partition, Record

Item = TypeVar("Item")


class Turn(Enum):
    """What a barrier tells the handler."""

    ASSIGNED = auto()
    REVOKED = auto()
    RESET = auto()


@dataclass(frozen=True, slots=True)
class Barrier:
    """Travels through all stages in order; `passed` is set when everything before it is settled."""

    turn: Turn
    partitions: frozenset[Partition]
    passed: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Taken(Generic[Item]):
    """A polled record, the generation it counts under, and what is becoming of it on the pool."""

    record: Record
    generation: int
    prepared: Future[Item | Dropped]


class Prefetch(Generic[Item]):
    """The bounded, ordered queue between the poll thread, which puts, and the work thread, which takes.

    Barriers need no room, so a full queue never holds up a rebalance.
    """

    def __init__(self, prepare: Callable[[Record], Item | Dropped], *, capacity: int, threads: int) -> None:
        self._prepare = prepare
        self._capacity = capacity
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="signpost-kafka-prefetch")
        self._changed = threading.Condition()
        self._queue: deque[Taken[Item] | Barrier] = deque()
        self._records = 0
        self._ended = False

    def put(self, record: Record, generation: int) -> None:
        """Start preparing a record. Never blocks: the poll thread asks for no more than `room`."""
        taken = Taken(record, generation, self._pool.submit(self._prepare, record))
        with self._changed:
            self._queue.append(taken)
            self._records += 1
            self._changed.notify_all()

    def put_barrier(self, turn: Turn, partitions: Collection[Partition]) -> Barrier:
        """Queue a barrier behind all that has been put."""
        barrier = Barrier(turn, frozenset(partitions))
        with self._changed:
            self._queue.append(barrier)
            self._changed.notify_all()
        return barrier

    def room(self) -> int:
        """How many records may be put now."""
        with self._changed:
            return max(0, self._capacity - self._records)

    def wait_for_room(self, timeout_s: float) -> bool:
        """Whether there is room, waiting at most so long for it, or until `nudge`."""
        with self._changed:
            if self._records >= self._capacity:
                self._changed.wait(timeout_s)
            return self._records < self._capacity

    def nudge(self) -> None:
        """The poll thread is wanted for something else than room."""
        with self._changed:
            self._changed.notify_all()

    def half_empty(self) -> bool:
        """Whether a paused partition should be resumed."""
        with self._changed:
            return self._records <= self._capacity // 2

    def take(self, *, max_batch: int, max_wait_s: float, idle_s: float) -> list[Taken[Item]] | Barrier:
        """The next barrier, or up to `max_batch` records; none after `idle_s`.

        A batch that is not full waits at most `max_wait_s` for more, and never across a barrier.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._queue) or self._ended, idle_s)
            if self._queue and isinstance(head := self._queue[0], Barrier):
                self._queue.popleft()
                return head
            return self._collect(max_batch, time.monotonic() + max_wait_s)

    def wake(self) -> None:
        """The loop ends: `take` does not wait any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Give up what is queued and end the pool's threads; waits for the records being prepared."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _collect(self, max_batch: int, until: float) -> list[Taken[Item]]:
        """Take records from the head until the batch is full, a barrier comes or time is up. Lock held."""
        batch: list[Taken[Item]] = []
        while len(batch) < max_batch:
            if not self._queue and (not batch or not self._more_before(until)):
                break
            if isinstance(head := self._queue[0], Barrier):
                break
            self._queue.popleft()
            batch.append(head)
        self._records -= len(batch)
        self._changed.notify_all()
        return batch

    def _more_before(self, until: float) -> bool:
        return self._changed.wait_for(lambda: bool(self._queue), max(0.0, until - time.monotonic()))

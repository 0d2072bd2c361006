"""One batch as it takes shape on the work thread: what goes to the handler, and what has ended before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from services.runtime.kafka.counts import add
from services.runtime.kafka.dead_letter import DeadLetters
from services.runtime.kafka.delivery import Flight
from services.runtime.kafka.marks import Draft
from services.runtime.kafka.types import (
    CountKey,
    DeadLetter,
    Dropped,
    Outcome,
    Output,
    Partition,
    Prepared,
    Record,
)

Item = TypeVar("Item")


class Batch(Generic[Item]):
    """The work thread's alone. `offsets` are where each partition goes on after this batch."""

    def __init__(self, run: int, marks: Draft, offsets: Mapping[Partition, int] | None = None) -> None:
        self.run = run
        self.marks = marks
        self.items: list[Prepared[Item]] = []
        self.offsets = dict(offsets or {})
        self.size = 0
        self._counts: dict[CountKey, int] = {}
        self._outputs: list[Output] = []

    def add(self, record: Record, item: Item) -> None:
        """For the handler."""
        self.items.append(Prepared(record, item))
        self._reach(record)

    def drop(self, record: Record, dropped: Dropped) -> None:
        """A normal end, counted."""
        dropped.tell()
        add(self._counts, dropped.counts)
        self._outputs.extend(dropped.outputs)
        self._reach(record)

    def skip(self, record: Record, *, foreign: bool) -> None:
        """A dead letter; `bury` says where it goes. Of a foreign one nothing is believed."""
        if not foreign:
            self._outputs.extend(self.marks.told(record))
        self._past(record, self.marks.pass_over(record) if foreign else self.marks.reach(record))

    def bury(self, letter: DeadLetter, how: DeadLetters) -> None:
        """Write and count a dead letter with this batch's outcome."""
        add(self._counts, how.counts(letter))
        self._outputs.append(how.record(letter))

    def flight(self, outcome: Outcome) -> Flight:
        """All of it, numbered, ready to be delivered."""
        add(self._counts, outcome.counts)
        outputs = self.marks.give((*outcome.outputs, *self._outputs), self.offsets.keys())
        return Flight(
            run=self.run,
            outcome=outcome,
            outputs=outputs,
            counts=self._counts,
            gauges={**outcome.gauges, **self.marks.gauges},
            offsets=self.offsets,
            notes=self.marks.notes(self.offsets.keys()),
        )

    def _reach(self, record: Record) -> None:
        self._past(record, self.marks.reach(record))

    def _past(self, record: Record, counts: Mapping[CountKey, int]) -> None:
        add(self._counts, counts)
        self.offsets[record.home] = record.offset + 1
        self.size += 1

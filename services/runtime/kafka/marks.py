"""The marks of the partitions that a loop holds: what it has passed of each lane, and the numbers it has given.

See places.py for what they are for. They come back with the partition, from beside its committed offset, so that
numbers go on where the partition's last owner left them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.contracts.counts import Lane
from services.contracts.places import InRun, Mark, Place, parse, place_of
from services.runtime.kafka.types import CountKey, Next, Output, Partition, Record

Kept = Callable[[Collection[Partition]], Mapping[Partition, Next]]


def placed(output: Output, place: Place) -> Output:
    """The record with its place."""
    return replace(output, headers=(*output.headers, place.header()))


@dataclass(frozen=True)
class Recalled:
    """What was counted so far, by lane; and by run of a source the last number, and the last sequence, reached."""

    passed: Mapping[Lane, int] = field(default_factory=dict)
    given: Mapping[Lane, int] = field(default_factory=dict)
    reached: Mapping[str, int] = field(default_factory=dict)
    sequences: Mapping[str, int] = field(default_factory=dict)

    def mark(self, number: int) -> Mark:
        """Of a partition that has none: offsets go with a topic that is made anew, or by a tool."""
        return Mark(
            passed={lane.source: last for lane, last in self.passed.items() if lane.home == number},
            given={lane.home: last for lane, last in self.given.items() if lane.source == number},
            reached=self.reached,
        )


class Runs:
    """Of the runs on one partition, the last sequence that was read. The work thread's.

    `before` is what was read before this process had the partition; a draft's is what stands without it.
    """

    def __init__(self, before: Callable[[str], int]) -> None:
        self._before = before
        self._read: dict[str, int] = {}

    def last(self, run: str) -> int:
        """0 for a run that nobody knows."""
        return max(self._read.get(run, 0), self._before(run))

    def take(self, run: str, sequence: int) -> None:
        self._read[run] = max(sequence, self._read.pop(run, 0))
        if len(self._read) > _MOST_RUNS:
            # The one that was silent for longest; a copy of one of its records would be taken for a record.
            del self._read[next(iter(self._read))]

    def take_over(self, other: Runs) -> None:
        """What a draft has read besides."""
        for run, sequence in other._read.items():
            self.take(run, sequence)


def _never(run: str) -> int:
    return 0


# A source that is opened again begins another run: a few megabytes of them.
_MOST_RUNS = 2**16

Recall = Callable[[Callable[[], None]], Recalled]
InRunOf = Callable[[Record], InRun | None]
Told = Callable[[int], None]


def _says_nothing(record: Record) -> Output | None:
    return None


@dataclass(frozen=True)
class ByNumber:
    """The records that are read were numbered; the last number of a lane is counted as `passed`."""

    skipped: CountKey
    passed: Callable[[Lane], CountKey]
    told: Told

    def reach(self, mark: Mark, record: Record, scope: str) -> tuple[Mark, int, Mapping[CountKey, int]]:
        place = place_of(record.headers)
        if place is None or place.scope != scope:
            return mark, 0, {}
        after, skipped = mark.reach(place)
        if place.source not in after.passed:  # not believed
            return mark, 0, {}
        return after, skipped, {self.passed(Lane(place.source, record.partition)): after.passed[place.source]}

    def pass_over(self, mark: Mark, record: Record) -> tuple[Mark, int]:
        """A record that is not ours has no number of ours."""
        return mark, 0

    def copied(self, mark: Mark, record: Record, scope: str, runs: Runs) -> bool:
        """Whether its number was passed: a writer gives each once."""
        place = place_of(record.headers)
        return place is not None and place.scope == scope and place.number <= mark.passed.get(place.source, 0)

    def read(self, record: Record, runs: Runs) -> None:
        """Nothing but its number is remembered of it."""

    def tell(self, record: Record) -> Output | None:
        """Its lane's numbers tell of it."""
        return None


@dataclass(frozen=True)
class ByOffset:
    """The records that are read were written without transactions; `in_run` finds a record in its run.

    `tells` makes the record by which it is known, also after a restart, how far a run was read: for those that end
    before a handler sees them. None for what is in no run of ours.
    """

    skipped: CountKey
    in_run: InRunOf
    told: Told
    tells: Callable[[Record], Output | None] = _says_nothing

    def reach(self, mark: Mark, record: Record, scope: str) -> tuple[Mark, int, Mapping[CountKey, int]]:
        return *mark.step(record.offset, lambda: self._first(record)), {}

    def pass_over(self, mark: Mark, record: Record) -> tuple[Mark, int]:
        """A record that is not ours takes an offset all the same; its run is nobody's."""
        return mark.step(record.offset, lambda: None)

    def copied(self, mark: Mark, record: Record, scope: str, runs: Runs) -> bool:
        """Whether a record of its run with that sequence, or a later one, was read: a run is written in order."""
        found = self.in_run(record)
        return found is not None and found.sequence <= runs.last(found.run)

    def read(self, record: Record, runs: Runs) -> None:
        """Its run was read so far."""
        found = self.in_run(record)
        if found is not None:
            runs.take(found.run, found.sequence)

    def tell(self, record: Record) -> Output | None:
        return self.tells(record)

    def _first(self, record: Record) -> tuple[str, int] | None:
        found = self.in_run(record)
        return None if found is None else (found.run, found.number)


@dataclass(frozen=True)
class Giving:
    """The topic whose records are numbered, and the count of the last number by lane."""

    topic: str
    given: Callable[[Lane], CountKey]


def _nothing(moved: Callable[[], None]) -> Recalled:
    return Recalled()


@dataclass(frozen=True)
class Numbering:
    """How a loop numbers. `scope` is whose records count (a deployment).

    `kept` finds what lies beside the group's committed offsets, `recall` what the counts say where nothing does,
    and of runs always: there is no room for them beside an offset. Both block, and raise Transient; `recall` calls
    what it is given while it comes on.
    """

    scope: str
    kept: Kept
    recall: Recall = _nothing
    reads: ByNumber | ByOffset | None = None
    writes: Giving | None = None


class Draft:
    """The marks as one batch changes them; nothing is taken over before it is sent. The work thread's."""

    def __init__(
        self, numbering: Numbering | None, marks: Mapping[Partition, Mark], runs: Mapping[Partition, Runs]
    ) -> None:
        self._numbering = numbering
        self._before = runs
        self.marks = dict(marks)
        self.runs: dict[Partition, Runs] = {}
        self.gauges: dict[CountKey, int] = {}
        self._skipped = 0

    def reach(self, record: Record) -> Mapping[CountKey, int]:
        """This record is passed; what is counted of those before it that Kafka deleted unread."""
        numbering = self._numbering
        if numbering is None or numbering.reads is None:
            return {}
        mark, skipped, gauges = numbering.reads.reach(self._mark(record.home), record, numbering.scope)
        numbering.reads.read(record, self._runs(record.home))
        self.gauges.update(gauges)
        return self._moved(record, mark, skipped, numbering.reads.skipped)

    def pass_over(self, record: Record) -> Mapping[CountKey, int]:
        """The same of a record that anybody could have written: its place is not looked at."""
        numbering = self._numbering
        if numbering is None or numbering.reads is None:
            return {}
        mark, skipped = numbering.reads.pass_over(self._mark(record.home), record)
        return self._moved(record, mark, skipped, numbering.reads.skipped)

    def copied(self, record: Record) -> bool:
        """Whether a record of ours was read before: somebody has written it again."""
        numbering = self._numbering
        if numbering is None or numbering.reads is None:
            return False
        home = record.home
        return numbering.reads.copied(self._mark(home), record, numbering.scope, self._runs(home))

    def told(self, record: Record) -> tuple[Output, ...]:
        """What is to be written of a record that no handler sees, so that it is known as read."""
        numbering = self._numbering
        found = numbering.reads.tell(record) if numbering is not None and numbering.reads is not None else None
        return () if found is None else (found,)

    def give(self, outputs: Sequence[Output], at: Collection[Partition]) -> tuple[Output, ...]:
        """`outputs`, those of the numbered topic with their places: in the lane of one of the partitions whose
        offsets are committed with them."""
        return tuple(self._given(one, at) for one in outputs)

    def notes(self, partitions: Collection[Partition]) -> Mapping[Partition, str]:
        """What is kept beside the offsets of these."""
        return {one: self._mark(one).text() for one in partitions}

    def tell(self) -> None:
        """Of what was deleted unread, who shows it."""
        if self._skipped and self._numbering is not None and self._numbering.reads is not None:
            self._numbering.reads.told(self._skipped)

    def _moved(self, record: Record, mark: Mark, skipped: int, name: CountKey) -> Mapping[CountKey, int]:
        self.marks[record.home] = mark
        self._skipped += skipped
        return {name: skipped} if skipped else {}

    def _given(self, output: Output, at: Collection[Partition]) -> Output:
        numbering = self._numbering
        if numbering is None or numbering.writes is None or output.topic != numbering.writes.topic:
            return output
        if output.partition is None or not at:
            raise RuntimeError(f"a record of {output.topic} needs a partition, and an offset to go with")
        # The like-numbered one where it can be: the fewer lanes lead to a partition, the sooner a hole shows.
        source = next((one for one in at if one.number == output.partition), min(at))
        self.marks[source], number = self._mark(source).give(output.partition)
        self.gauges[numbering.writes.given(Lane(source.number, output.partition))] = number
        return placed(output, Place(numbering.scope, source.number, number))

    def _mark(self, partition: Partition) -> Mark:
        return self.marks.get(partition, _NONE)

    def _runs(self, partition: Partition) -> Runs:
        if partition not in self.runs:
            before = self._before.get(partition)
            self.runs[partition] = Runs(before.last if before is not None else _never)
        return self.runs[partition]


_NONE = Mark()


class Marks:
    """Of the partitions held. The work thread's; `load` blocks and raises Transient."""

    def __init__(self, numbering: Numbering | None) -> None:
        self._numbering = numbering
        self._marks: dict[Partition, Mark] = {}
        self._runs: dict[Partition, Runs] = {}

    def load(self, partitions: Collection[Partition], moved: Callable[[], None] = lambda: None) -> None:
        """As they were committed last. `moved` is called while what takes long comes on."""
        if self._numbering is None:
            return
        kept = self._numbering.kept(partitions)
        found = {one: parse(kept[one].note) if one in kept else None for one in partitions}
        bare = [one for one, mark in found.items() if mark is None or not (mark.passed or mark.given)]
        by_run = isinstance(self._numbering.reads, ByOffset)
        recalled = self._numbering.recall(moved) if bare or by_run else Recalled()
        before = recalled.sequences
        self._runs.update({one: Runs(lambda run: before.get(run, 0)) for one in partitions})
        marks = {one: recalled.mark(one.number) if one in bare else found[one] or _NONE for one in partitions}
        self._marks.update(
            {one: replace(mark, next=kept[one].offset if one in kept else None) for one, mark in marks.items()}
        )

    def drop(self, partitions: Collection[Partition]) -> None:
        """They are not ours any more, or come back as committed."""
        for one in partitions:
            self._marks.pop(one, None)
            self._runs.pop(one, None)

    def draft(self) -> Draft:
        return Draft(self._numbering, self._marks, self._runs)

    def take_over(self, draft: Draft) -> None:
        """Its batch is on its way."""
        self._marks = draft.marks
        for partition, runs in draft.runs.items():
            if partition in self._runs:
                self._runs[partition].take_over(runs)
        draft.tell()

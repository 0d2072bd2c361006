"""The words a service and the Kafka loop share: what comes in, what goes out, and the Handler between."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from services.contracts.errors import Foreign, Permanent

Item = TypeVar("Item")

# Whose count, and its name: both from the service, opaque to the loop.
CountKey = tuple[str, str]


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


class Next(NamedTuple):
    """Where a group goes on in a partition, and what it keeps with that (places.Mark)."""

    offset: int
    note: str = ""


class Position(NamedTuple):
    """Where a record stands: the id of a record that cannot be read."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the broker holds it; `timestamp_ms` is the broker's, since the Unix epoch."""

    topic: str
    partition: int
    offset: int
    key: bytes | None = field(repr=False)
    value: bytes = field(repr=False)
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int

    @property
    def home(self) -> Partition:
        """The partition that the record came from."""
        return Partition(self.topic, self.partition)

    @property
    def position(self) -> Position:
        """Topic, partition and offset."""
        return Position(self.topic, self.partition, self.offset)


@dataclass(frozen=True, slots=True)
class Output:
    """One record to write. `partition` None leaves the choice to the key."""

    topic: str
    key: bytes | None = field(repr=False)
    value: bytes = field(repr=False)
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Why one record can never be handled, and where it stands; never its payload.

    `reason` is from a closed set (a metric label); `ids` are what the service could read of its
    names (event, trace); `scope` is whose count it goes to, empty where nobody could tell. `foreign` where
    anybody could have written it: then it says nothing of ours, and no number of them stops us.
    """

    reason: str
    position: Position
    ids: Mapping[str, str] = field(default_factory=dict)
    scope: str = ""
    foreign: bool = False

    @classmethod
    def of(cls, refused: Permanent, position: Position) -> DeadLetter:
        """For what `refused` was raised about."""
        return cls(refused.reason, position, foreign=isinstance(refused, Foreign))


def _to_nobody() -> None:
    """Of an end that shows nowhere but in the counts."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """`prepare` has found a normal end for this record; `counts` say which, and the handler never sees it.

    `outputs` go out in the transaction that commits the record. `tell` is called by the work thread, where the
    record counts: a copy of one that was read before does not, and must show in no figure of a service's own.
    """

    counts: Mapping[CountKey, int]
    outputs: tuple[Output, ...] = ()
    tell: Callable[[], None] = field(default=_to_nobody, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Prepared(Generic[Item]):
    """A record that `prepare` made an item of."""

    record: Record = field(repr=False)
    item: Item = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one batch, or one tick, has led to. Published and committed as a whole, or not at all.

    `counts` are added to this incarnation's cumulative counts when the commit succeeds; `gauges` are
    absolute values as of this batch; `dead` are records that the handler itself refused.
    """

    outputs: tuple[Output, ...] = ()
    counts: Mapping[CountKey, int] = field(default_factory=dict)
    gauges: Mapping[CountKey, int] = field(default_factory=dict)
    dead: tuple[DeadLetter, ...] = ()


NOTHING = Outcome()


class Handler(Protocol[Item]):
    """What a service does with records.

    Errors say what the loop does, by type (services.contracts.errors): Permanent becomes a dead
    letter, or pauses the partition where nothing may be skipped, unless it is Foreign: that is passed
    over and counted everywhere; Transient is tried again; any other stops the process.
    """

    def prepare(self, record: Record) -> Item | Dropped:
        """Decrypt and decode one record. Several pool threads at once; touches no handler state."""
        ...

    def handle(self, items: Sequence[Prepared[Item]]) -> Outcome:
        """Do the work of one batch; each partition's items in order. Work thread.

        May be called again with the same records after a crash or an aborted transaction, then always
        after `revoked` and `assigned`. A Permanent for a batch makes the loop forget all state and come
        back with its records one at a time; raised for a single item it must leave the state as it was.
        A Transient must leave the state as it was too: the same items are handed in again. Where the
        handler knows which item is bad it says so in `Outcome.dead`, and nothing is forgotten.
        """
        ...

    def assigned(self, partitions: Collection[Partition]) -> None:
        """These partitions begin, from their committed offsets. Work thread, before their first item."""
        ...

    def revoked(self, partitions: Collection[Partition]) -> None:
        """Drop all state of these partitions: they end, or begin again. Work thread."""
        ...

    def delivered(self, outcome: Outcome) -> None:
        """The outcome is committed. Delivery thread. Missed in a crash, so nothing may depend on it."""
        ...

    def tick(self) -> Outcome:
        """Work that time brings, not a record. Work thread, between batches, about every `tick_s`."""
        ...

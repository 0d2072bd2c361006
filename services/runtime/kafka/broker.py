"""What the loop needs of a broker: the ports, and errors by what the loop must do about them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from services.contracts.errors import SignpostError
from services.runtime.kafka.types import Next, Output, Partition, Position, Record


class BrokerError(SignpostError):
    """Root of what a broker may answer; `code` is its name in the protocol, from a closed set.

    BrokerError
    ├── Retriable   the same call may be made again
    ├── TooLarge    this one record never fits: go on without it, and count it
    ├── Abortable   this transaction is lost: abort it and begin again at the committed offsets
    └── Fatal       this client is of no use any more: stop the process, a restart heals
        └── Fenced  another process has taken this one's name
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Retriable(BrokerError):
    """The same call may be made again; nothing has changed."""


class TooLarge(BrokerError):
    """The broker, or its table of topics, does not take this one record; the others go on."""


class Abortable(BrokerError):
    """This transaction is lost; the producer lives."""


class Fatal(BrokerError):
    """This client is of no use any more."""


class Fenced(Fatal):
    """Another process has taken this one's name: writing on would double."""


class Reset(StrEnum):
    """Where a group without a committed offset begins."""

    EARLIEST = "earliest"
    LATEST = "latest"
    # For topics of which nothing may be skipped: a lost offset stops the process and pages.
    ERROR = "error"


class GroupMetadata(Protocol):
    """Who commits, as the broker knows it; opaque."""


@dataclass(frozen=True, slots=True)
class RebalanceListener:
    """Called inside `poll` or `close`, on the consumer's thread, before the change takes effect."""

    assigned: Callable[[Collection[Partition]], None]
    revoked: Callable[[Collection[Partition]], None]
    lost: Callable[[Collection[Partition]], None]


class ConsumerPort(Protocol):
    """One member of a group. One thread owns it, and no other calls anything of it."""

    def subscribe(self, topics: Sequence[str], listener: RebalanceListener) -> None:
        """Join the group; partitions come later, through `poll`."""
        ...

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """Wait for one record, then take up to `max_records` of what is there; may return none.

        Raises Fatal when reading on is pointless (no offset to begin at, no permission).
        """
        ...

    def pause(self, partitions: Collection[Partition]) -> None:
        """Return no more records of these; polling goes on."""
        ...

    def resume(self, partitions: Collection[Partition]) -> None:
        """Undo `pause`."""
        ...

    def seek(self, position: Position) -> None:
        """Read this partition on from here. Raises Retriable while the partition is not ready for it."""
        ...

    def end_offset(self, partition: Partition) -> int | None:
        """The partition's end as of the last fetch; no network."""
        ...

    def group_metadata(self) -> GroupMetadata:
        """Who we are in the group now; its epoch ages with each rebalance."""
        ...

    def commit(self, offsets: Mapping[Partition, Next]) -> None:
        """Commit without a transaction; blocks. Raises Retriable, Abortable (no longer the owner), Fatal."""
        ...

    def close(self) -> None:
        """Leave the group; revokes first, so the listener is called."""
        ...


class ProducerPort(Protocol):
    """An idempotent producer. One thread owns it."""

    def send(self, output: Output, on_delivered: Callable[[BrokerError | None], None]) -> None:
        """Queue one record; the answer comes at once, or during a later `send`, `poll` or `flush`: exactly once.

        Raises Retriable when there is no room for it, Fatal; then there is no answer.
        """
        ...

    def poll(self) -> None:
        """Serve what has been answered; never blocks."""
        ...

    def flush(self, timeout_s: float) -> int:
        """Wait for all answers; returns how many are still missing."""
        ...

    def purge(self) -> None:
        """Give up all that is queued; each is answered with an error."""
        ...


class TransactionalProducerPort(Protocol):
    """A producer whose records and offsets become visible together. One thread owns it.

    Every call may raise Retriable, Abortable or Fatal.
    """

    def take_refused(self) -> list[Output]:
        """The records, since the last call, of which the broker said that they are too large: they alone are why
        the transaction failed, and it may be made without them."""
        ...

    def init(self, timeout_s: float) -> None:
        """Once, first: fences and completes the predecessor of this transactional id."""
        ...

    def begin(self) -> None:
        """Begin a transaction."""
        ...

    def send(self, output: Output) -> None:
        """Queue one record of this transaction; if it fails, `commit` does. Raises TooLarge, and nothing of the
        transaction is lost."""
        ...

    def send_offsets(self, offsets: Mapping[Partition, Next], group: GroupMetadata, timeout_s: float) -> None:
        """Make the group's next offsets part of this transaction."""
        ...

    def commit(self, timeout_s: float) -> None:
        """Flush, then make everything visible. On Retriable call again: the end is not known yet."""
        ...

    def abort(self, timeout_s: float) -> None:
        """Make nothing visible; the next `begin` starts afresh."""
        ...

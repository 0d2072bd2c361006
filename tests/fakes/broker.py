"""A broker in memory behind the loop's ports: logs, groups and transactions, as strict as the real one."""

from __future__ import annotations

import threading
import time
import zlib
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count

from services.runtime.kafka.broker import (
    Abortable,
    BrokerError,
    Fatal,
    Fenced,
    GroupMetadata,
    RebalanceListener,
    Reset,
    Retriable,
    TooLarge,
)
from services.runtime.kafka.sizes import check_fits, record_bytes
from services.runtime.kafka.types import Next, Output, Partition, Position, Record


class _End(Enum):
    OPEN = auto()
    COMMITTED = auto()
    ABORTED = auto()


@dataclass
class _Transaction:
    end: _End = _End.OPEN
    touched: set[Partition] = field(default_factory=set)
    offsets: dict[tuple[str, Partition], Next] = field(default_factory=dict)


@dataclass(frozen=True)
class _Entry:
    """A place in a log: a record, or (None) the marker that ends a transaction."""

    record: Record | None
    transaction: _Transaction | None


@dataclass
class _Member:
    topics: tuple[str, ...]
    epoch: int = 0
    owned: set[Partition] = field(default_factory=set)
    target: set[Partition] = field(default_factory=set)


@dataclass
class _Group:
    epoch: int = 0
    members: dict[str, _Member] = field(default_factory=dict)
    committed: dict[Partition, int] = field(default_factory=dict)
    notes: dict[Partition, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Metadata:
    group: str
    member: str
    epoch: int


class FakeBroker:
    """All state, under one lock; its clients may live on any threads. Nothing here takes time by itself."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._logs: dict[Partition, list[_Entry]] = {}
        self._groups: dict[str, _Group] = defaultdict(_Group)
        self._epochs: dict[str, int] = defaultdict(int)
        self._open: dict[str, _Transaction] = {}
        self._failures: dict[str, deque[BrokerError]] = defaultdict(deque)
        self._names = count(1)
        self._limits: dict[str, int] = {}
        # The offsets of each committed transaction, in order.
        self.transactions: list[dict[Partition, int]] = []

    # What tests do.

    def create_topic(self, name: str, *, partitions: int = 1, max_message_bytes: int = 1_000_000) -> None:
        with self.changed:
            self._limits[name] = max_message_bytes
            for number in range(partitions):
                self._logs[Partition(name, number)] = []

    def fail_next(self, call: str, error: BrokerError, *, times: int = 1) -> None:
        """The next calls named so (init, begin, send_offsets, commit, abort, commit_offsets, deliver) fail."""
        with self.changed:
            self._failures[call].extend([error] * times)

    def records(self, topic: str) -> list[Record]:
        """All committed records of a topic, partition by partition."""
        with self.changed:
            return [
                entry.record
                for partition, log in self._logs.items()
                if partition.topic == topic
                for entry in log
                if entry.record is not None and _committed(entry)
            ]

    def committed(self, group: str) -> dict[Partition, int]:
        """A group's committed offsets."""
        with self.changed:
            return dict(self._groups[group].committed)

    def kept(self, group: str, partitions: Collection[Partition]) -> dict[Partition, Next]:
        """A group's committed offsets, each with what is kept beside it."""
        with self.changed:
            found = self._groups[group]
            return {
                one: Next(found.committed[one], found.notes[one]) for one in partitions if one in found.committed
            }

    def expire(self, consumer: FakeConsumer) -> None:
        """The group goes on without this member, which finds out at its next poll."""
        self.leave(consumer.group, consumer.member)

    # What clients do.

    def consumer(self, group: str, reset: Reset = Reset.EARLIEST) -> FakeConsumer:
        return FakeConsumer(self, group, reset)

    def producer(self) -> FakeProducer:
        return FakeProducer(self)

    def transactional(self, transactional_id: str) -> FakeTransactionalProducer:
        return FakeTransactionalProducer(self, transactional_id)

    def raise_planned(self, call: str) -> None:
        with self.changed:
            if self._failures[call]:
                raise self._failures[call].popleft()

    def takes(self, output: Output) -> bool:
        """Whether a record is within what its topic was made for."""
        return record_bytes(output) <= self._limits.get(output.topic, 1_000_000)

    def append(self, output: Output, transaction: _Transaction | None = None) -> None:
        with self.changed:
            partition = Partition(output.topic, self._number(output))
            log = self._logs[partition]
            if transaction is not None:
                transaction.touched.add(partition)
            record = Record(
                topic=partition.topic,
                partition=partition.number,
                offset=len(log),
                key=output.key,
                value=output.value,
                headers=output.headers,
                timestamp_ms=int(time.time() * 1000),
            )
            log.append(_Entry(record, transaction))
            self.changed.notify_all()

    def read(self, partition: Partition, offset: int, most: int) -> tuple[list[Record], int]:
        """Committed records from `offset`, up to the first open transaction, and where to go on."""
        with self.changed:
            found: list[Record] = []
            log = self._logs.get(partition, [])
            while offset < len(log) and len(found) < most:
                entry = log[offset]
                if entry.transaction is not None and entry.transaction.end is _End.OPEN:
                    break
                if entry.record is not None and _committed(entry):
                    found.append(entry.record)
                offset += 1
            return found, offset

    def end(self, partition: Partition) -> int:
        with self.changed:
            return len(self._logs[partition])

    # Groups.

    def join(self, group: str, topics: Sequence[str]) -> str:
        with self.changed:
            name = f"member-{next(self._names)}"
            self._groups[group].members[name] = _Member(tuple(topics))
            self._target(group)
            return name

    def leave(self, group: str, member: str) -> None:
        with self.changed:
            self._groups[group].members.pop(member, None)
            self._target(group)

    def member(self, group: str, name: str) -> _Member | None:
        with self.changed:
            return self._groups[group].members.get(name)

    def free(self, group: str, wanted: Iterable[Partition]) -> set[Partition]:
        """Those of `wanted` that no member holds any more."""
        with self.changed:
            taken: set[Partition] = set()
            for member in self._groups[group].members.values():
                taken |= member.owned
            return set(wanted) - taken

    def settle(self, group: str, member: _Member) -> None:
        """The member has given up all it should: it stands at the group's epoch."""
        with self.changed:
            member.epoch = self._groups[group].epoch
            self.changed.notify_all()

    def starting_offset(self, group: str, partition: Partition, reset: Reset) -> int | None:
        """Where a new owner begins; None while a transaction still holds the committed offset."""
        with self.changed:
            if any((group, partition) in one.offsets for one in self._open.values()):
                return None
            if partition in self._groups[group].committed:
                return self._groups[group].committed[partition]
            if reset is Reset.ERROR:
                raise Fatal("_AUTO_OFFSET_RESET", f"no committed offset for {partition}")
            return 0 if reset is Reset.EARLIEST else self.end(partition)

    def commit_offsets(self, metadata: _Metadata, offsets: Mapping[Partition, Next]) -> None:
        with self.changed:
            self.check_member(metadata)
            for partition, one in offsets.items():
                self._keep(metadata.group, partition, one)

    def check_member(self, metadata: _Metadata) -> None:
        with self.changed:
            member = self._groups[metadata.group].members.get(metadata.member)
            if member is None:
                raise Abortable("UNKNOWN_MEMBER_ID", "the group has gone on without this member")
            if member.epoch != metadata.epoch:
                raise Abortable("STALE_MEMBER_EPOCH", "the member's epoch has moved on")

    # Transactions.

    def fence(self, transactional_id: str) -> int:
        with self.changed:
            self.end_transaction(transactional_id, _End.ABORTED)
            self._epochs[transactional_id] += 1
            return self._epochs[transactional_id]

    def check_epoch(self, transactional_id: str, epoch: int) -> None:
        with self.changed:
            if self._epochs[transactional_id] != epoch:
                raise Fenced("_FENCED", "another producer has this transactional id")

    def open_transaction(self, transactional_id: str) -> _Transaction:
        with self.changed:
            return self._open.setdefault(transactional_id, _Transaction())

    def end_transaction(self, transactional_id: str, end: _End) -> None:
        with self.changed:
            transaction = self._open.pop(transactional_id, None)
            if transaction is None:
                return
            transaction.end = end
            for partition in transaction.touched:
                self._logs[partition].append(_Entry(None, transaction))
            if end is _End.COMMITTED:
                self.transactions.append({one: kept.offset for (_, one), kept in transaction.offsets.items()})
                for (group, partition), kept in transaction.offsets.items():
                    self._keep(group, partition, kept)
            self.changed.notify_all()

    def _keep(self, group: str, partition: Partition, kept: Next) -> None:
        self._groups[group].committed[partition] = kept.offset
        self._groups[group].notes[partition] = kept.note

    def _number(self, output: Output) -> int:
        partitions = sum(1 for one in self._logs if one.topic == output.topic)
        if not partitions:
            raise Fatal("UNKNOWN_TOPIC_OR_PART", f"no topic {output.topic}")
        return zlib.crc32(output.key or b"") % partitions if output.partition is None else output.partition

    def _target(self, group: str) -> None:
        """Deal the partitions out anew; members reconcile at their next polls."""
        members = [self._groups[group].members[name] for name in sorted(self._groups[group].members)]
        self._groups[group].epoch += 1
        for member in members:
            member.target = set()
        for partition in sorted(self._logs):
            readers = [member for member in members if partition.topic in member.topics]
            if readers:
                readers[partition.number % len(readers)].target.add(partition)
        self.changed.notify_all()


class FakeConsumer:
    """One member. Its owner's thread calls everything: another waits for ever with the real one, here it fails."""

    def __init__(self, broker: FakeBroker, group: str, reset: Reset) -> None:
        self.group = group
        self.member = ""
        self._broker = broker
        self._reset = reset
        self._topics: tuple[str, ...] = ()
        self._listener: RebalanceListener | None = None
        self._positions: dict[Partition, int | None] = {}
        self._paused: set[Partition] = set()
        self._owner: int | None = None

    def subscribe(self, topics: Sequence[str], listener: RebalanceListener) -> None:
        self._owner = threading.get_ident()
        self._topics = tuple(topics)
        self._listener = listener
        self.member = self._broker.join(self.group, topics)

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        until = time.monotonic() + timeout_s
        while True:
            self._broker.raise_planned("poll")
            self._reconcile()
            with self._broker.changed:
                found = self._read(max_records)
                left_s = until - time.monotonic()
                if found or left_s <= 0:
                    return found
                self._broker.changed.wait(left_s)

    def pause(self, partitions: Collection[Partition]) -> None:
        self._paused.update(partitions)

    def resume(self, partitions: Collection[Partition]) -> None:
        self._paused.difference_update(partitions)

    def seek(self, position: Position) -> None:
        partition = Partition(position.topic, position.partition)
        if partition not in self._positions:
            raise Retriable("_STATE", f"{partition} is not assigned")
        self._positions[partition] = position.offset

    def position(self, partition: Partition) -> int | None:
        """For tests: what the next poll would return first."""
        return self._positions.get(partition)

    def end_offset(self, partition: Partition) -> int | None:
        return self._broker.end(partition)

    def close(self) -> None:
        if self._listener is not None and self._positions:
            self._give_up(set(self._positions), self._listener.revoked)
        self._broker.leave(self.group, self.member)

    def group_metadata(self) -> GroupMetadata:
        assert self._owner == threading.get_ident(), "confluent-kafka lets one thread at a time in"
        member = self._broker.member(self.group, self.member)
        return _Metadata(self.group, self.member, member.epoch if member else -1)

    def commit(self, offsets: Mapping[Partition, Next]) -> None:
        self._broker.raise_planned("commit_offsets")
        metadata = self.group_metadata()
        assert isinstance(metadata, _Metadata)
        self._broker.commit_offsets(metadata, offsets)

    def _reconcile(self) -> None:
        assert self._listener is not None, "subscribe first"
        member = self._broker.member(self.group, self.member)
        if member is None:
            self._give_up(set(self._positions), self._listener.lost)
            self.member = self._broker.join(self.group, self._topics)
            return
        if gone := set(self._positions) - member.target:
            # Without the lock: the listener waits for threads that commit.
            self._give_up(gone, self._listener.revoked)
        with self._broker.changed:
            new = self._broker.free(self.group, member.target - set(self._positions))
            member.owned |= new
            self._broker.settle(self.group, member)
        if new:
            self._listener.assigned(new)
            self._positions.update(dict.fromkeys(new))

    def _give_up(self, partitions: set[Partition], tell: Callable[[Collection[Partition]], None]) -> None:
        if partitions:
            tell(frozenset(partitions))
        member = self._broker.member(self.group, self.member)
        with self._broker.changed:
            if member is not None:
                member.owned -= partitions
            self._broker.changed.notify_all()
        for partition in partitions:
            del self._positions[partition]

    def _read(self, most: int) -> list[Record]:
        for partition, known in self._positions.items():
            position = known
            if position is None:
                position = self._broker.starting_offset(self.group, partition, self._reset)
            self._positions[partition] = position
            if position is None or partition in self._paused:
                continue
            found, self._positions[partition] = self._broker.read(partition, position, most)
            if found:
                # The next poll begins with another partition.
                self._positions[partition] = self._positions.pop(partition)
                return found
        return []


class FakeProducer:
    """Idempotent; answers wait for the next `send`, `poll` or `flush`, as with the real one."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker
        self._answers: list[tuple[Callable[[BrokerError | None], None], BrokerError | None]] = []

    def send(self, output: Output, on_delivered: Callable[[BrokerError | None], None]) -> None:
        self.poll()
        try:
            check_fits(output)
            self._broker.raise_planned("deliver")
            if not self._broker.takes(output):
                raise TooLarge("MSG_SIZE_TOO_LARGE", output.topic)
        except BrokerError as lost:
            self._answers.append((on_delivered, lost))
        else:
            self._broker.append(output)
            self._answers.append((on_delivered, None))

    def poll(self) -> None:
        answers, self._answers = self._answers, []
        for on_delivered, error in answers:
            on_delivered(error)

    def flush(self, timeout_s: float) -> int:
        self.poll()
        return 0

    def purge(self) -> None:
        self.poll()


class FakeTransactionalProducer:
    """Transactional; refuses what the real one would refuse."""

    def __init__(self, broker: FakeBroker, transactional_id: str) -> None:
        self._broker = broker
        self._id = transactional_id
        self._epoch = 0
        self._failed: BrokerError | None = None
        self._refused: list[Output] = []

    def take_refused(self) -> list[Output]:
        refused, self._refused = self._refused, []
        return refused

    def init(self, timeout_s: float) -> None:
        self._broker.raise_planned("init")
        self._epoch = self._broker.fence(self._id)

    def begin(self) -> None:
        self._call("begin")
        self._broker.open_transaction(self._id)

    def send(self, output: Output) -> None:
        check_fits(output)
        self._broker.check_epoch(self._id, self._epoch)
        try:
            self._broker.raise_planned("deliver")
        except BrokerError as lost:
            self._failed = lost
            return
        if not self._broker.takes(output):
            self._refused.append(output)
            self._failed = Abortable("MSG_SIZE_TOO_LARGE", output.topic)
        else:
            self._broker.append(output, self._broker.open_transaction(self._id))

    def send_offsets(self, offsets: Mapping[Partition, Next], group: GroupMetadata, timeout_s: float) -> None:
        self._call("send_offsets")
        assert isinstance(group, _Metadata)
        self._broker.check_member(group)
        transaction = self._broker.open_transaction(self._id)
        transaction.offsets.update({(group.group, partition): offset for partition, offset in offsets.items()})

    def commit(self, timeout_s: float) -> None:
        self._call("commit")
        if self._failed is not None:
            raise self._failed
        self._broker.end_transaction(self._id, _End.COMMITTED)

    def abort(self, timeout_s: float) -> None:
        self._call("abort")
        self._failed = None
        self._broker.end_transaction(self._id, _End.ABORTED)

    def _call(self, name: str) -> None:
        self._broker.check_epoch(self._id, self._epoch)
        self._broker.raise_planned(name)


def _committed(entry: _Entry) -> bool:
    return entry.transaction is None or entry.transaction.end is _End.COMMITTED

"""started = usable + unusable + cut short + pending, in committed counts, whatever is aborted or taken away.

The loop is played by hand: outcomes wait in order, are delivered, or become void when all begins again.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from services.embed.core.books import Books


@dataclass
class Loop:
    """A handler that only keeps books, and a loop that treats it as the Kafka loop does."""

    books: Books = field(default_factory=Books)
    pending: dict[int, int] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    waiting: deque[tuple[Counter[str], int]] = field(default_factory=deque)
    committed: Counter[str] = field(default_factory=Counter)
    standing: int = 0
    # How many of those waiting were made before the last revocation.
    before_revoked: int = 0

    def assign(self, partition: int) -> None:
        # A revocation has waited until all before it was settled; what was made since may still wait.
        self.deliver(self.before_revoked)
        self.held.add(partition)
        self.books.assigned()

    def revoke(self, partition: int) -> None:
        if partition not in self.held:
            return
        self.held.discard(partition)
        self.pending.pop(partition, None)
        self.books.revoked(holds_nothing=not self.held)
        self.before_revoked = len(self.waiting)

    def batch(self, partition: int, started: int, usable: int, unusable: int) -> None:
        if partition not in self.held:
            return
        before = self.pending.get(partition, 0) + started
        usable = min(usable, before)
        unusable = min(unusable, before - usable)
        self.pending[partition] = before - usable - unusable
        self._emit(started, usable, unusable)

    def tick(self) -> None:
        if self.books.open:
            self._emit(0, 0, 0)

    def deliver(self, number: int) -> None:
        for _ in range(min(number, len(self.waiting))):
            counts, standing = self.waiting.popleft()
            self.committed.update(counts)
            self.standing = standing
            self.books.delivered(standing)
            self.before_revoked = max(0, self.before_revoked - 1)

    def begin_again(self, *, one_was_being_committed: bool) -> None:
        partitions = set(self.held)
        for partition in partitions:
            self.held.discard(partition)
            self.pending.pop(partition, None)
        self.books.revoked(holds_nothing=not self.held)
        self.held |= partitions
        self.books.assigned()
        self.tick()
        # What had passed the point of no return is committed after the handler was told.
        self.deliver(1 if one_was_being_committed else 0)
        self.waiting.clear()
        self.before_revoked = 0

    def _emit(self, started: int, usable: int, unusable: int) -> None:
        pending = sum(self.pending.values())
        cut = self.books.cut_short(started=started, usable=usable, unusable=unusable, pending=pending)
        counts = Counter(started=started, usable=usable, unusable=unusable, cut=cut)
        self.waiting.append((counts, pending))


partitions = st.integers(0, 2)
few = st.integers(0, 3)
moves = st.one_of(
    st.tuples(st.just("assign"), partitions),
    st.tuples(st.just("revoke"), partitions),
    st.tuples(st.just("batch"), partitions, few, few, few),
    st.tuples(st.just("batch"), partitions, few, few, few),
    st.tuples(st.just("tick")),
    st.tuples(st.just("deliver"), st.integers(1, 3)),
    st.tuples(st.just("begin_again"), st.booleans()),
)


@settings(max_examples=400)
@given(st.lists(moves, max_size=40))
def test_committed_tracks_always_add_up(made: list[tuple[object, ...]]) -> None:
    loop = Loop()
    loop.assign(0)
    for name, *values in made:
        if name == "begin_again":
            loop.begin_again(one_was_being_committed=bool(values[0]))
        else:
            getattr(loop, str(name))(*values)
        seen = loop.committed
        assert seen["started"] == seen["usable"] + seen["unusable"] + seen["cut"] + loop.standing
        assert seen["cut"] >= 0
    loop.deliver(len(loop.waiting))
    loop.batch(0, 0, 0, 0)
    loop.deliver(1)
    seen = loop.committed
    assert seen["started"] == seen["usable"] + seen["unusable"] + seen["cut"] + loop.standing

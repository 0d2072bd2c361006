"""How many tracks were cut short: told from what is committed, so that aborts and rebalances keep the sum.

started = usable + unusable + cut short + pending        in committed counts, always
"""

from __future__ import annotations


class Books:
    """Remembers how many tracks were pending, as of the last outcome and as of the last committed one.

    Tracks vanish in two ways. A partition goes away: outcomes on their way stay good, so what vanished
    is told from the last outcome. Everything begins again after an abort: outcomes on their way are
    void, so it is told from the last committed one. The second looks like this: all partitions are
    revoked and some assigned with no outcome between; then the next batch comes only when nothing is on
    its way any more. The work thread's, but for `delivered`.
    """

    def __init__(self) -> None:
        self._last = 0
        self._committed = 0
        self._bare = False
        self._begins_again = False

    def revoked(self, *, holds_nothing: bool) -> None:
        """Partitions went; whether any are left."""
        self._bare = holds_nothing

    def assigned(self) -> None:
        """Partitions came."""
        self._begins_again = self._begins_again or self._bare
        self._bare = False

    @property
    def open(self) -> bool:
        """Whether an outcome may be made that no batch has led to."""
        return not self._begins_again

    def cut_short(self, *, started: int, usable: int, unusable: int, pending: int) -> int:
        """How many tracks have ended without a word, for the outcome that carries these counts."""
        before = self._committed if self._begins_again else self._last
        self._begins_again = self._bare = False
        self._last = pending
        return before + started - usable - unusable - pending

    def delivered(self, pending: int) -> None:
        """The outcome that said so many were pending is committed. The delivery thread's."""
        self._committed = pending

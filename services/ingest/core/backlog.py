"""How far a reader is behind in one partition."""

from __future__ import annotations


def unread(*, first: int, end: int, next_read: int) -> int:
    """Records that are there and that the reader has yet to read.

    All are offsets: of the oldest record there is, behind the newest, and of the one the reader asks for next.
    What Kafka deleted unread does not count: who comes back to an emptied partition has nothing to read, so
    nothing to commit, and would be waited for without end.
    """
    return max(0, end - max(first, next_read))

"""How far a reader is behind in one partition."""

from __future__ import annotations

import pytest

from services.ingest.core.backlog import unread


@pytest.mark.parametrize(
    ("first", "end", "next_read", "expected", "what"),
    [
        (0, 120, 100, 20, "what it has not committed"),
        (0, 120, 120, 0, "it is at the end"),
        (110, 120, 100, 10, "some were deleted unread"),
        (120, 120, 100, 0, "all were deleted unread: there is nothing left that it could commit"),
        (0, 90, 100, 0, "the end was asked for before the reader was"),
    ],
)
def test_only_what_is_there_and_unread_counts(
    first: int, end: int, next_read: int, expected: int, what: str
) -> None:
    assert unread(first=first, end=end, next_read=next_read) == expected, what

"""When bad records are too many."""

from __future__ import annotations

import pytest

from services.runtime.kafka.dead_letter import DeadLetterLimit, LimitGuard, TooManyDeadLetters
from services.runtime.kafka.types import DeadLetter, Position

A_LETTER = DeadLetter("undecodable", Position("frames", 0, 7))


def test_a_few_in_a_row_are_allowed_and_one_more_is_not() -> None:
    guard = LimitGuard(DeadLetterLimit(consecutive=3, ratio=1.0))
    for _ in range(3):
        guard.dead(A_LETTER)
    with pytest.raises(TooManyDeadLetters, match="4 records in a row"):
        guard.dead(A_LETTER)


def test_a_good_record_begins_a_new_row() -> None:
    guard = LimitGuard(DeadLetterLimit(consecutive=1, ratio=1.0))
    for _ in range(10):
        guard.dead(A_LETTER)
        guard.passed(1)


def test_a_batch_without_good_records_does_not() -> None:
    guard = LimitGuard(DeadLetterLimit(consecutive=1, ratio=1.0))
    guard.dead(A_LETTER)
    guard.passed(0)
    with pytest.raises(TooManyDeadLetters):
        guard.dead(A_LETTER)


def test_too_large_a_share_of_the_window_is_refused() -> None:
    guard = LimitGuard(DeadLetterLimit(consecutive=100, ratio=0.2, window=50))
    for _ in range(10):
        guard.passed(4)
        guard.dead(A_LETTER)
    guard.passed(3)
    with pytest.raises(TooManyDeadLetters, match="last 50 records"):
        guard.dead(A_LETTER)


def test_the_text_says_where_and_why_without_contents() -> None:
    guard = LimitGuard(DeadLetterLimit(consecutive=0))
    with pytest.raises(TooManyDeadLetters, match=r"undecodable.*frames.*offset=7"):
        guard.dead(A_LETTER)

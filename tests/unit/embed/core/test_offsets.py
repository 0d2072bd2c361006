"""Holes in a partition's offsets are records that Kafka deleted unread."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.embed.core.offsets import SeenOffsets


def seen(*offsets: int) -> SeenOffsets:
    found = SeenOffsets()
    for offset in offsets:
        found.saw("p", offset)
    return found


def test_no_hole_is_no_loss() -> None:
    assert seen(5, 6, 7).missing("p", 5, 8) == 0


def test_a_hole_counts_what_nobody_saw() -> None:
    assert seen(5, 6, 100).missing("p", 5, 101) == 93


def test_a_hole_before_the_first_record_counts_too() -> None:
    assert seen(50).missing("p", 10, 51) == 40


def test_what_is_settled_is_never_missing_again() -> None:
    found = seen(5, 6, 7, 20)
    found.settle("p", 8)
    assert found.missing("p", 5, 21) == 12


def test_a_record_read_again_after_a_reset_is_one_record() -> None:
    found = seen(5, 6, 7)
    for offset in (5, 6, 7):
        found.saw("p", offset)
    assert found.missing("p", 5, 8) == 0


def test_partitions_are_apart() -> None:
    assert seen(1, 2).missing("q", 0, 3) == 3


@given(st.sets(st.integers(0, 60)), st.randoms(use_true_random=False), st.integers(0, 60))
def test_in_whatever_order_they_come(offsets: set[int], order: object, settled: int) -> None:
    shuffled = sorted(offsets)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    found = seen(*shuffled)
    assert found.missing("p", 0, 61) == 61 - len(offsets)
    found.settle("p", settled)
    assert found.missing("p", 0, 61) == 61 - settled - len([o for o in offsets if o >= settled])

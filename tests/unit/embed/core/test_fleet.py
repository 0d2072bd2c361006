"""How many workers: from lag, between bounds, slow to change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.embed.core.fleet import Bounds, Scaling, decide

BOUNDS = Bounds(min_workers=1, max_workers=3, high_lag=20, low_lag=4, up_after_s=5, down_after_s=60)


@pytest.mark.parametrize(
    ("now", "lag", "alive", "at_s", "then"),
    [
        (Scaling(2), 10, 2, 0, Scaling(2)),
        (Scaling(2), 40, 2, 0, Scaling(2, high_since_s=0)),
        (Scaling(2, high_since_s=0), 40, 2, 4, Scaling(2, high_since_s=0)),
        (Scaling(2, high_since_s=0), 40, 2, 5, Scaling(3)),
        (Scaling(3, high_since_s=0), 90, 3, 9, Scaling(3, high_since_s=0)),
        (Scaling(2, high_since_s=0), 10, 2, 4, Scaling(2)),
        (Scaling(2), 8, 2, 0, Scaling(2, low_since_s=0)),
        (Scaling(2, low_since_s=0), 0, 2, 60, Scaling(1)),
        (Scaling(1, low_since_s=0), 0, 1, 99, Scaling(1, low_since_s=0)),
        (Scaling(2, high_since_s=0), 99, 1, 9, Scaling(2)),
        (Scaling(2, low_since_s=0), 0, 0, 99, Scaling(2)),
        (Scaling(7), 0, 7, 0, Scaling(3)),
        (Scaling(0), 0, 0, 0, Scaling(1)),
    ],
    ids=[
        "between the marks nothing changes",
        "a high lag is noticed",
        "and waited out",
        "then one more worker",
        "never above the most",
        "a burst that is over is forgotten",
        "a low lag is noticed",
        "and after long one worker fewer",
        "never below the least",
        "a fleet that is not complete is not judged by its lag",
        "nor one of which nobody is there",
        "lowered bounds hold at once",
        "raised bounds too",
    ],
)
def test_the_fleet_is_sized(now: Scaling, lag: int, alive: int, at_s: float, then: Scaling) -> None:
    assert decide(now, lag=lag, alive=alive, at_s=at_s, bounds=BOUNDS) == then


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0.1, 30)), max_size=60))
def test_whatever_the_lag_the_size_stays_in_bounds_and_changes_by_one(looks: list[tuple[int, float]]) -> None:
    now, at_s = Scaling(1), 0.0
    for lag, pause_s in looks:
        at_s += pause_s
        then = decide(now, lag=lag, alive=now.wanted, at_s=at_s, bounds=BOUNDS)
        assert 1 <= then.wanted <= 3
        assert abs(then.wanted - now.wanted) <= 1
        now = then


def test_bounds_that_would_swing_are_refused() -> None:
    with pytest.raises(ValueError, match="low_lag"):
        Bounds(min_workers=1, max_workers=1, high_lag=3, low_lag=3)
    with pytest.raises(ValueError, match="min_workers"):
        Bounds(min_workers=2, max_workers=1)

"""A holder stops before the store could give its camera away."""

from __future__ import annotations

import pytest

from services.contracts.ids import CameraId
from services.ingest.core.backoff import Backoff
from services.ingest.core.holding import Holding


def a_holding(*, asked_s: float = 100.0, ttl_s: float = 8.0) -> Holding:
    return Holding(CameraId("gate-1"), 5, asked_s=asked_s, ttl_s=ttl_s)


def test_it_ends_before_the_stores_ttl_counted_from_before_the_question() -> None:
    holding = a_holding()
    assert holding.holds(105.9)
    assert not holding.holds(106.0)


def test_a_renewal_counts_from_before_its_question() -> None:
    holding = a_holding()
    holding.renewed(104.0)
    assert holding.holds(109.9)
    assert not holding.holds(110.0)


def test_what_has_ended_is_not_held() -> None:
    holding = a_holding()
    holding.end()
    assert not holding.holds(100.0)


@pytest.mark.parametrize(("failures", "bound_s"), [(1, 0.5), (2, 1.0), (4, 4.0), (7, 30.0), (10_000, 30.0)])
def test_pauses_double_up_to_a_bound_and_are_jittered(failures: int, bound_s: float) -> None:
    backoff = Backoff(first_s=0.5, most_s=30.0)
    assert backoff.pause_s(failures, 0.0) == bound_s / 2
    assert backoff.pause_s(failures, 0.999) == pytest.approx(bound_s, rel=0.001)

"""A process is alive while its loop turns."""

from __future__ import annotations

from services.runtime.health import Heartbeat
from tests.fakes.clock import ManualClock


def test_a_loop_that_has_not_begun_counts_as_alive() -> None:
    clock = ManualClock()
    heartbeat = Heartbeat(clock, stale_after_s=10)
    clock.advance(600)
    assert heartbeat.is_fresh()


def test_a_loop_that_stops_turning_is_dead_after_the_limit() -> None:
    clock = ManualClock()
    heartbeat = Heartbeat(clock, stale_after_s=10)
    heartbeat.beat()
    clock.advance(9.9)
    assert heartbeat.is_fresh()
    clock.advance(0.2)
    assert not heartbeat.is_fresh()
    heartbeat.beat()
    assert heartbeat.is_fresh()

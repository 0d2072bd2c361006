"""How old a lease is, by three clocks, and when time itself is not believed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.authorisation.clock import SETTLE_S, TimeWatch
from services.contracts.authorisation.enums import State
from services.contracts.authorisation.lease import HeldLease, fresh, newer
from services.contracts.authorisation.statements import NOTHING, Lease
from tests.unit.contracts.authorisation.builders import NOON, a_document, a_reading

DIGEST = a_document().digest


def lease(at: datetime = NOON, *, sequence: int = 1, version: int = 1) -> Lease:
    return Lease(
        deployment="oxford-street-1",
        version=version,
        digest=DIGEST,
        signed_at=at,
        sequence=sequence,
        state=State.ACTIVE,
        state_sequence=3,
        registry_sequence=1,
        revocations=0,
        revocations_head=NOTHING,
    )


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize(("age_s", "young"), [(0, True), (9.999, True), (10, False), (-2, True), (-2.001, False)])
def test_a_lease_is_fresh_for_ten_seconds_and_not_before_it_was_issued(age_s: float, young: bool) -> None:
    assert fresh(lease(), NOON + seconds(age_s)) is young
    assert fresh(lease(), NOON + seconds(age_s), max_age_s=20) is (age_s >= -2)


@pytest.mark.parametrize(
    ("version", "sequence", "replaces"),
    [(1, 6, True), (1, 5, False), (1, 4, False), (2, 6, True), (2, 1, True), (1, 99, True)],
)
def test_a_lower_version_or_sequence_replaces_nothing(version: int, sequence: int, replaces: bool) -> None:
    assert newer(lease(version=version, sequence=sequence), lease(sequence=5)) is replaces
    assert not newer(lease(version=1, sequence=99), lease(version=2, sequence=1))


def held(*, received: datetime = NOON, before: HeldLease | None = None, at: datetime = NOON) -> HeldLease:
    return taken(lease(at), a_reading(received).monotonic_s, before)


def taken(new: Lease, at_s: float, before: HeldLease | None) -> HeldLease:
    return HeldLease.take(new, received_at_s=at_s, believed_at_s=at_s, before=before)


def test_setting_the_wall_clock_back_makes_no_lease_young() -> None:
    later = a_reading(NOON, monotonic_skew_s=11)  # eleven seconds have passed, the wall says none
    assert not held().fresh(later)


def test_a_lease_held_back_is_old_even_if_the_wall_clock_was_set_to_suit_it() -> None:
    """One lease came at once; the next is let through an hour late, and the clock set back an hour."""
    prompt = held()
    kept = taken(lease(NOON + seconds(2), sequence=2), prompt.received_at_s + 3600, prompt)
    set_back = a_reading(NOON + seconds(3), monotonic_skew_s=3597)
    assert fresh(kept.lease, set_back.wall)
    assert set_back.monotonic_s - kept.received_at_s < 10
    assert not kept.fresh(set_back)


def test_leases_that_keep_coming_stay_fresh() -> None:
    now, last = NOON, None
    for sequence in range(1, 50):
        last = taken(lease(now, sequence=sequence), a_reading(now + seconds(0.1)).monotonic_s, last)
        now += seconds(2)
        assert last.fresh(a_reading(now))


@given(st.lists(st.floats(0.001, 600), min_size=1, max_size=30))
def test_a_clock_that_runs_steadily_is_believed(pauses: list[float]) -> None:
    now, watch = NOON, TimeWatch()
    for pause in pauses:
        watch = watch.observe(a_reading(now))
        now += seconds(pause)
        assert not watch.unsettled(a_reading(now))


@pytest.mark.parametrize("step_s", [-3600.0, -1.5, 1.5, 3600.0])
def test_a_step_is_seen_at_once_and_for_the_life_of_a_lease_after(step_s: float) -> None:
    watch = TimeWatch().observe(a_reading(NOON))
    stepped = a_reading(NOON + seconds(5), monotonic_skew_s=step_s)
    assert watch.unsettled(stepped)
    watch = watch.observe(stepped)
    assert watch.unsettled(a_reading(NOON + seconds(5 + SETTLE_S), monotonic_skew_s=step_s))
    assert not watch.unsettled(a_reading(NOON + seconds(5.1 + SETTLE_S), monotonic_skew_s=step_s))


def test_a_step_is_seen_after_a_day_like_in_the_first_minute() -> None:
    """What a slewed clock may gain in a day would hide 40 s."""
    watch = TimeWatch().observe(a_reading(NOON)).observe(a_reading(NOON + timedelta(days=1)))
    assert not watch.unsettled(a_reading(NOON + timedelta(days=1)))
    assert watch.unsettled(a_reading(NOON + timedelta(days=1), monotonic_skew_s=2))


def test_oversights_clock_set_right_does_not_make_its_leases_old_for_ever() -> None:
    best = held()
    late = best.received_at_s + 12 * 3600
    again = taken(lease(NOON + seconds(12 * 3600 - 15), sequence=2), late, best)
    assert again.age_s(a_reading(NOON + seconds(12 * 3600 - 15), monotonic_skew_s=15)) < 1


def test_many_small_steps_are_seen_like_a_large_one() -> None:
    watch, seen = TimeWatch(), False
    for step in range(100):
        reading = a_reading(NOON + seconds(step * 0.1), monotonic_skew_s=-step * 0.05)
        seen = seen or watch.unsettled(reading)
        watch = watch.observe(reading)
    assert seen

"""What every lease store of ingest has to do. Subclass it beside the tests of a store and give it `bench`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.ports import Lease, Leases

A_FRAME_AT = datetime(2026, 3, 14, 9, 30, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Bench:
    """Two holders on one store, how to let a TTL pass, and how to lose all the store knows."""

    first: Leases
    second: Leases
    lapse: Callable[[], None]
    lose_all: Callable[[], None]


def granted(leases: Leases, camera: str = "gate-1", *, above: int = 0) -> Lease:
    lease = leases.acquire(camera, above=above)
    assert lease is not None
    return lease


class LeasesContract:
    """Run on the fake and on every real store, so that the fake cannot drift."""

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    def test_a_camera_has_one_holder(self, bench: Bench) -> None:
        granted(bench.first)
        assert bench.second.acquire("gate-1") is None
        assert bench.first.acquire("gate-1") is None
        assert bench.second.acquire("gate-2") is not None

    def test_numbers_rise_from_holder_to_holder(self, bench: Bench) -> None:
        one = granted(bench.first)
        bench.first.release(one)
        two = granted(bench.second)
        bench.second.release(two)
        assert one.number < two.number < granted(bench.first).number

    def test_a_lease_that_is_not_renewed_lapses(self, bench: Bench) -> None:
        one = granted(bench.first)
        bench.lapse()
        two = granted(bench.second)
        assert two.number > one.number
        assert bench.first.renew([one]) == set()

    def test_renewing_tells_which_are_still_ours(self, bench: Bench) -> None:
        ours = granted(bench.first)
        theirs = granted(bench.second, "gate-2")
        assert bench.first.renew([ours, replace(theirs)]) == {"gate-1"}
        assert bench.first.renew([]) == set()

    def test_an_old_lease_of_the_same_holder_is_not_the_new_one(self, bench: Bench) -> None:
        old = granted(bench.first)
        bench.lapse()
        new = granted(bench.first)
        assert bench.first.renew([old]) == set()
        bench.first.release(old)
        assert bench.first.renew([new]) == {"gate-1"}

    def test_who_lost_a_lease_cannot_give_it_away(self, bench: Bench) -> None:
        old = granted(bench.first)
        bench.lapse()
        granted(bench.second)
        bench.first.release(old)
        assert bench.first.acquire("gate-1") is None

    def test_numbers_do_not_go_back_when_the_store_forgets_everything(self, bench: Bench) -> None:
        numbers = [granted(bench.first).number]
        for holder in (bench.second, bench.first):
            bench.lapse()
            bench.lose_all()
            numbers.append(granted(holder).number)
        assert numbers == sorted(set(numbers))

    def test_a_number_is_above_what_its_holder_has_seen_whatever_the_stores_clock_says(self, bench: Bench) -> None:
        ahead = 10**14
        assert granted(bench.first, above=ahead).number == ahead + 1

    def test_the_next_holder_learns_when_the_last_frame_was(self, bench: Bench) -> None:
        first = granted(bench.first)
        assert first.last_frame_at is None
        bench.first.renew([replace(first, last_frame_at=A_FRAME_AT)])
        bench.first.renew([first])
        bench.lapse()
        assert granted(bench.second).last_frame_at == A_FRAME_AT

    def test_of_a_holder_that_died_having_said_nothing_the_next_knows_when_it_began(self, bench: Bench) -> None:
        assert granted(bench.first).unsure_since is None
        bench.lapse()
        second = granted(bench.second)
        assert second.lost_holder_from is not None
        bench.second.renew([replace(second, last_frame_at=second.lost_holder_from - timedelta(days=1))])
        bench.lapse()
        third = granted(bench.first)
        assert third.lost_holder_from is not None
        assert third.unsure_since == third.lost_holder_from > second.lost_holder_from

    def test_a_camera_that_was_given_up_has_no_lost_holder(self, bench: Bench) -> None:
        bench.first.release(granted(bench.first))
        assert granted(bench.second).lost_holder_from is None

    def test_the_next_holder_learns_where_in_the_source_it_was_unless_it_was_given_up(self, bench: Bench) -> None:
        first = granted(bench.first)
        bench.first.renew([replace(first, last_frame_at=A_FRAME_AT, position_s=12.5)])
        bench.lapse()
        heir = granted(bench.second)
        assert heir.position_s == 12.5
        bench.second.release(heir)
        assert granted(bench.first).position_s is None

    def test_a_source_that_had_ended_when_its_holder_died_is_not_played_again(self, bench: Bench) -> None:
        first = granted(bench.first)
        bench.first.renew([replace(first, finished=True)])
        bench.lapse()
        heir = granted(bench.second)
        assert heir.finished
        bench.second.release(heir)
        assert not granted(bench.first).finished, "given up on purpose, it may be played again"

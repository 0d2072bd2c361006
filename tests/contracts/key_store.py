"""What every key store has to do. Subclass it beside the tests of a store and give it `bench`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest

from services.runtime.clock import Clock
from services.runtime.keys.port import DeadlinePassed, KeyStore
from tests.support import eventually

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Bench:
    """A store under test, the clock of its deadlines, and how to let time pass (or begin to)."""

    store: KeyStore
    clock: Clock
    lapse: Callable[[float], None]


class KeyStoreContract:
    """Run on the fake and on every real store, so that the fake cannot drift."""

    threads = 1

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    def test_a_key_that_nobody_made_is_not_there(self, bench: Bench) -> None:
        assert bench.store.get("city/epoch/1") is None

    def test_the_first_writer_wins_and_all_read_it_back(self, bench: Bench) -> None:
        expires_at = bench.clock.now() + HOUR
        first = bench.store.get_or_create("city/epoch/1", expires_at=expires_at)
        assert len(first) == 32
        assert bench.store.get_or_create("city/epoch/1", expires_at=expires_at + HOUR) == first
        assert bench.store.get("city/epoch/1") == first

    def test_writers_at_the_same_time_get_the_same_key(self, bench: Bench) -> None:
        expires_at = bench.clock.now() + HOUR

        def make(_: int) -> bytes:
            return bench.store.get_or_create("city/epoch/2", expires_at=expires_at)

        with ThreadPoolExecutor(self.threads) as pool:
            assert len(set(pool.map(make, range(16)))) == 1

    def test_keys_of_different_ids_differ_and_come_in_the_order_asked(self, bench: Bench) -> None:
        expires_at = bench.clock.now() + HOUR
        made = [bench.store.get_or_create(one, expires_at=expires_at) for one in ("a/1", "a/2", "a/3")]
        assert len(set(made)) == 3
        assert [bench.store.get(one) for one in ("a/3", "none", "a/1")] == [made[2], None, made[0]]

    def test_several_at_once_are_as_each_alone(self, bench: Bench) -> None:
        """Who made one first wins there too; what would be dead at birth is left out, and not made."""
        store, now = bench.store, bench.clock.now()
        first = store.get_or_create("a/1", expires_at=now + HOUR)
        made = store.get_or_create_many({"a/1": now + HOUR, "a/2": now + HOUR, "a/3": now})
        assert made == {"a/1": first, "a/2": store.get("a/2")}
        assert len(made["a/2"]) == 32
        assert made["a/2"] != first
        assert store.get("a/3") is None

    def test_none_at_once_are_none(self, bench: Bench) -> None:
        assert bench.store.get_or_create_many({}) == {}
        assert bench.store.get_many([]) == {}

    def test_of_several_asked_for_at_once_those_come_that_are_there(self, bench: Bench) -> None:
        store, now = bench.store, bench.clock.now()
        made = store.get_or_create_many(
            {"a/1": now + HOUR, "a/2": now + HOUR, "a/3": now + timedelta(seconds=0.4)}
        )
        store.destroy("a/2")
        bench.lapse(0.4)
        eventually(lambda: store.get("a/3") is None, "the key to expire", within_s=3)
        assert store.get_many(["a/3", "a/2", "none", "a/1"]) == {"a/1": made["a/1"]}

    def test_of_several_at_once_each_has_its_own_deadline(self, bench: Bench) -> None:
        store, now = bench.store, bench.clock.now()
        made = store.get_or_create_many({"a/short": now + timedelta(seconds=0.4), "a/long": now + HOUR})
        bench.lapse(0.4)
        eventually(lambda: store.get("a/short") is None, "the key to expire", within_s=3)
        assert store.get("a/long") == made["a/long"]

    def test_destroying_nothing_answers_none(self, bench: Bench) -> None:
        assert bench.store.destroy() == 0

    def test_a_key_is_gone_at_its_deadline_without_anybody_doing_anything(self, bench: Bench) -> None:
        store = bench.store
        store.get_or_create("a/short", expires_at=bench.clock.now() + timedelta(seconds=0.4))
        kept = store.get_or_create("a/long", expires_at=bench.clock.now() + HOUR)
        assert store.get("a/short") is not None
        bench.lapse(0.4)
        eventually(lambda: store.get("a/short") is None, "the key to expire", within_s=3)
        assert store.get("a/long") == kept

    def test_an_id_whose_key_expired_gets_a_new_key(self, bench: Bench) -> None:
        store = bench.store
        old = store.get_or_create("a/1", expires_at=bench.clock.now() + timedelta(seconds=0.4))
        bench.lapse(0.4)
        eventually(lambda: store.get("a/1") is None, "the key to expire", within_s=3)
        assert store.get_or_create("a/1", expires_at=bench.clock.now() + HOUR) != old

    def test_no_key_is_made_after_its_deadline(self, bench: Bench) -> None:
        with pytest.raises(DeadlinePassed):
            bench.store.get_or_create("a/late", expires_at=bench.clock.now())
        assert bench.store.get("a/late") is None

    def test_destroying_counts_what_was_there(self, bench: Bench) -> None:
        expires_at = bench.clock.now() + HOUR
        made = [bench.store.get_or_create(one, expires_at=expires_at) for one in ("a/1", "a/2")]
        assert bench.store.destroy("a/1", "a/3") == 1
        assert bench.store.destroy("a/1") == 0
        assert [bench.store.get(one) for one in ("a/1", "a/2")] == [None, made[1]]

    def test_an_expired_key_does_not_count_as_destroyed(self, bench: Bench) -> None:
        bench.store.get_or_create("a/1", expires_at=bench.clock.now() + timedelta(seconds=0.4))
        bench.lapse(0.4)
        eventually(lambda: bench.store.get("a/1") is None, "the key to expire", within_s=3)
        assert bench.store.destroy("a/1") == 0

    @pytest.mark.parametrize("other", ["city-2/epoch/1", "cit", "xcity/1", "city*/1"])
    def test_destroying_a_prefix_leaves_every_other_key(self, bench: Bench, other: str) -> None:
        expires_at = bench.clock.now() + HOUR
        for one in ("city/epoch/1", "city/epoch/2", "city/x", other):
            bench.store.get_or_create(one, expires_at=expires_at)
        assert bench.store.destroy_prefix("city/") == 3
        assert [bench.store.get(one) for one in ("city/epoch/1", "city/x")] == [None, None]
        assert bench.store.get(other) is not None

    def test_how_long_keys_still_live_is_told_by_prefix(self, bench: Bench) -> None:
        store = bench.store
        store.get_or_create("a/short", expires_at=bench.clock.now() + timedelta(seconds=0.4))
        store.get_or_create("a/long", expires_at=bench.clock.now() + HOUR)
        store.get_or_create("b/long", expires_at=bench.clock.now() + HOUR)
        short, long = sorted(store.lives_s("a/"))
        assert 0 < short <= 0.4
        assert 3590 < long <= 3600
        bench.lapse(0.4)
        eventually(lambda: len(store.lives_s("a/")) == 1, "the key to expire", within_s=3)

    def test_a_prefix_is_taken_by_the_letter(self, bench: Bench) -> None:
        expires_at = bench.clock.now() + HOUR
        for one in ("c[i]ty*/1", "city/1"):
            bench.store.get_or_create(one, expires_at=expires_at)
        assert bench.store.destroy_prefix("c[i]ty*") == 1
        assert bench.store.get("city/1") is not None

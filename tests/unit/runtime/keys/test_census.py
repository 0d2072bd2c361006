"""How many keys of each kind there are, and how long the last of them lives, is told again and again."""

from __future__ import annotations

from datetime import timedelta

from services.contracts.authorisation.purging import What
from services.contracts.keys import KINDS, purged
from services.contracts.keyspec import Where
from services.runtime.keys.census import KeyCensus
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys


class Bench:
    """Both stores, and what was told last of each kind."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.volatile, self.store = FakeKeys(self.clock), FakeKeys(self.clock)
        self.told: dict[What, tuple[int, float]] = {}
        self.census = KeyCensus("city", {Where.VOLATILE: self.volatile, Where.STORE: self.store}, self._take)

    def mint(self, store: FakeKeys, key_id: str, *, lives_s: float) -> None:
        store.get_or_create(key_id, expires_at=self.clock.now() + timedelta(seconds=lives_s))

    def _take(self, kind: What, there_are: int, left_s: float) -> None:
        self.told[kind] = there_are, left_s


def test_every_kind_is_told_of_with_its_longest_life() -> None:
    bench = Bench()
    for _, where, prefix in purged("city"):
        store = bench.volatile if where is Where.VOLATILE else bench.store
        bench.mint(store, f"{prefix}1", lives_s=30)
        bench.mint(store, f"{prefix}2", lives_s=60)
    bench.mint(bench.volatile, "town/face/1", lives_s=900)
    bench.census.look()
    assert set(bench.told) == set(KINDS)
    assert bench.told[What.FACE_KEYS] == (2, 60.0)
    assert bench.told[What.OTHER_KEYS] == (8, 60.0), "of four prefixes"


def test_a_key_that_is_gone_is_told_of() -> None:
    bench = Bench()
    bench.mint(bench.volatile, "city/epoch/1", lives_s=75)
    bench.census.look()
    assert bench.told[What.EPOCH_KEYS] == (1, 75.0)
    bench.clock.advance(75)
    bench.census.look()
    assert bench.told[What.EPOCH_KEYS] == (0, 0.0)


def test_while_a_store_is_away_its_last_word_stands() -> None:
    bench = Bench()
    bench.mint(bench.store, "city/evidence", lives_s=60)
    bench.census.look()
    bench.store.away = True
    bench.clock.advance(10)
    bench.census.look()
    assert bench.told[What.EVIDENCE_KEYS] == (1, 60.0)

"""What review has said is told from whatever else may lie in its store: tried with many values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts import keys
from services.review.edges.past import Past, turn
from services.review.edges.tally import Tally, place
from services.review.edges.vault import HEAD_BYTES, Vault, begin
from services.review.metrics import Stored
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.ring import Keyring
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys
from tests.unit.match.rig import an_authority

AUTHORITY = an_authority()
NAME = "review:{oxford-street-1}:case:1"


@dataclass
class Bench:
    """A vault on a key store of its own; `refused` counts what was not believed."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(AUTHORITY.window.start))
    refused: Counter[Stored] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.store = FakeKeys(self.clock)

    def vault(self) -> Vault:
        """Another process's."""
        ring = Keyring(FakeKeys(self.clock), self.store, self.clock)
        return Vault(AUTHORITY, ring, AesGcm(), self.clock, refused=self._refuse)

    def past(self) -> Past:
        return Past(AUTHORITY, Keyring(FakeKeys(self.clock), self.store, self.clock))

    def _refuse(self, kind: Stored) -> None:
        self.refused[kind] += 1


def test_what_one_process_seals_another_opens() -> None:
    bench = Bench()
    until = bench.clock.now() + timedelta(hours=1)
    sealed = bench.vault().seal(NAME, b"what it says", version=7, until=until)
    opened = bench.vault().open(Stored.CASE, NAME, sealed)
    assert opened is not None
    assert (opened.version, opened.plain, opened.until) == (7, b"what it says", until)
    assert sealed.startswith(begin(7))
    assert b"what it says" not in sealed
    assert not bench.refused


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_nothing_but_what_was_sealed_to_a_name_opens_there(data: st.DataObject) -> None:
    """Bytes of any kind, and genuine ones cut, spliced, renumbered or turned in one bit."""
    bench = Bench()
    vault = bench.vault()
    genuine = vault.seal(NAME, data.draw(st.binary(max_size=40)), version=3, until=None)
    other = vault.seal(NAME + "2", b"another name's", version=3, until=None)
    at = data.draw(st.integers(0, len(genuine) - 1))
    raw = data.draw(
        st.one_of(
            st.binary(max_size=120),
            st.binary(max_size=120).map(lambda rest: b"3:" + rest),
            st.integers(0, 7).map(
                lambda bit: genuine[:at] + bytes([genuine[at] ^ (1 << bit)]) + genuine[at + 1 :]
            ),
            st.just(genuine[:at]),
            st.just(other),
            st.just(genuine[:at] + other[at:]),
            st.integers(0, 10**14).filter(lambda version: version != 3).map(lambda v: b"%d:" % v + genuine[2:]),
            st.just(b"03:" + genuine[2:]),
            st.binary(min_size=1, max_size=3).map(lambda more: genuine + more),
        ).filter(lambda made: made != genuine)
    )
    found = vault.open(Stored.CASE, NAME, raw)
    assert found is None, "believed"
    assert bench.refused[Stored.CASE] == 1


def test_what_lies_there_in_another_type_is_not_believed() -> None:
    bench = Bench()
    vault = bench.vault()
    vault.seal(NAME, b"", until=None)
    for raw in ("3:text", 3, [b"3:"], {b"version": b"3"}):
        assert vault.open(Stored.CASE, NAME, raw) is None
    assert bench.refused[Stored.CASE] == 4
    assert vault.open(Stored.CASE, NAME, None) is None
    assert bench.refused[Stored.CASE] == 4, "nothing is no forgery"


def test_no_two_values_begin_alike() -> None:
    """The script tells by it which value was read."""
    vault = Bench().vault()
    made = {vault.seal(NAME, b"the same", version=2, until=None)[:HEAD_BYTES] for _ in range(50)}
    assert len(made) == 50


def test_a_value_past_its_time_is_gone_and_no_forgery() -> None:
    bench = Bench()
    vault = bench.vault()
    sealed = vault.seal(NAME, b"", until=bench.clock.now() + timedelta(seconds=1))
    bench.clock.advance(1)
    assert vault.open(Stored.SESSION, NAME, sealed) is None
    assert not vault.holds(NAME, sealed)
    assert not bench.refused


def test_without_its_key_nothing_is_known_of_a_value() -> None:
    """Past a purge every value would else be told of as forged."""
    bench = Bench()
    sealed = bench.vault().seal(NAME, b"", until=None)
    bench.store.destroy_prefix(keys.review_store(AUTHORITY).id)
    assert bench.vault().open(Stored.CASE, NAME, sealed) is None
    assert not bench.refused


def test_names_are_told_apart_by_purpose_and_by_key() -> None:
    bench, other = Bench(), Bench()
    one = bench.vault()
    assert one.name("session", "token") == bench.vault().name("session", "token")
    assert len({one.name("session", "a"), one.name("session", "b"), one.name("ticket", "a")}) == 3
    assert one.name("session", "a") != other.vault().name("session", "a")


def test_what_is_over_is_over_for_every_process_until_its_value_has_ended() -> None:
    bench = Bench()
    one, other = bench.past(), bench.past()
    what = turn("case-1", 3)
    assert not other.over(what)
    one.mark(what, until=bench.clock.now() + timedelta(hours=1))
    one.mark(what, until=bench.clock.now() + timedelta(hours=1))
    assert other.over(what)
    assert other.remembers(what)
    assert not other.over(turn("case-1", 4))
    bench.clock.advance(3600)
    assert bench.store.lives_s("") == [], "a mark stays that nobody needs"


def test_what_has_ended_by_itself_needs_no_mark() -> None:
    bench = Bench()
    bench.past().mark("session/1", until=bench.clock.now())
    assert bench.store.lives_s("") == []


@pytest.mark.parametrize("lies_there", ["the step before", "the step taken", "an older one", "nothing", "rubbish"])
def test_where_an_answer_was_lost_only_the_step_itself_is_taken_for_taken(lies_there: str) -> None:
    """Whoever writes to the store could else set a process's counts back, at the moment it looks."""
    bench = Bench()
    vault = bench.vault()
    tally = Tally(vault, "counts")
    sums = []
    for _ in range(3):
        sums.append(tally.plus({"alerts": 1}, {}))
        if len(sums) < 3:
            tally.take(sums[-1])
    tally.unsure = True
    raw = {
        "the step before": tally.sealed(sums[1]),
        "the step taken": tally.sealed(sums[2]),
        "an older one": tally.sealed(sums[0]),
        "nothing": None,
        "rubbish": vault.seal(place("counts", "another"), b"{}", version=3, until=None),
    }[lies_there]
    tally.settle(raw)
    assert not tally.unsure
    assert tally.plus({}, {}).totals == {"alerts": 3 if lies_there == "the step taken" else 2}

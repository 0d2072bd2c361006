"""The keyring: one key for all, gone at its deadline, and lost told from expired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.contracts.errors import Transient
from services.contracts.keyspec import KeyPart, KeySpec, Where
from services.runtime.keys.port import DeadlinePassed
from services.runtime.keys.ring import Expired, Found, Keyring, Lost
from tests.fakes.clock import A_MORNING, ManualClock
from tests.fakes.keys import FakeKeys

SHORT = A_MORNING + timedelta(seconds=75)
LONG = A_MORNING + timedelta(days=1)


class Rig:
    """Two stores and any number of processes with a ring over them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.volatile = FakeKeys(self.clock)
        self.store = FakeKeys(self.clock)

    def ring(self, max_cached: int = 100) -> Keyring:
        return Keyring(self.volatile, self.store, self.clock, max_cached=max_cached)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def an_epoch_key(number: int = 7) -> KeySpec:
    epoch = KeyPart(f"city/epoch/{number}", Where.VOLATILE, SHORT)
    return KeySpec(f"city/frame/{number}", (epoch, KeyPart("city/deployment", Where.STORE, LONG)))


def a_face_key(name: str = "1") -> KeySpec:
    return KeySpec(f"city/face/{name}", (KeyPart(f"city/face/{name}", Where.VOLATILE, SHORT),))


def test_what_one_process_mints_another_finds(rig: Rig) -> None:
    spec = an_epoch_key()
    assert rig.ring().find(spec) == Lost(Where.VOLATILE)
    key = rig.ring().mint(spec)
    assert rig.ring().mint(spec) == key
    assert rig.ring().find(spec) == Found(key)


def test_keys_to_seal_with_once_are_found_by_others_and_not_kept_here(rig: Rig) -> None:
    ring, late = rig.ring(), an_epoch_key()
    rig.clock.advance(75)
    long = KeyPart("city/alert/9", Where.STORE, LONG)
    both = (long, KeyPart("city/9", Where.STORE, LONG))
    specs = [KeySpec("city/alert/9", (long,)), KeySpec("city/both/9", both)]
    minted = ring.mint_once([*specs, late])
    assert minted.keys() == {"city/alert/9", "city/both/9"}, "what is dead at birth is left out"
    assert [rig.ring().find(spec) for spec in specs] == [Found(minted[spec.id]) for spec in specs]
    ring.destroy(specs)
    assert ring.find(specs[0]) == Lost(Where.STORE)


def test_no_key_to_seal_or_open_with_once_asks_no_store(rig: Rig) -> None:
    rig.volatile.away = rig.store.away = True
    assert rig.ring().mint_once([]) == {}
    assert rig.ring().find_once([]) == {}


def test_keys_to_open_with_once_are_as_each_alone_and_not_kept(rig: Rig) -> None:
    there, lost, epoch = a_face_key("1"), a_face_key("2"), an_epoch_key()
    over = KeySpec("city/face/3", (KeyPart("city/face/3", Where.VOLATILE, A_MORNING),))
    specs, ring = [there, lost, epoch, over], rig.ring()
    for one in (there, lost, epoch):
        rig.ring().mint(one)
    rig.ring().destroy([lost])
    reads = rig.volatile.reads
    found = ring.find_once(specs)
    assert rig.volatile.reads == reads + 1
    assert found == {spec.id: rig.ring().find(spec) for spec in specs}
    assert [type(found[spec.id]) for spec in specs] == [Found, Lost, Found, Expired]
    assert not ring._held


def test_a_key_that_ends_while_it_is_asked_for_is_expired(rig: Rig) -> None:
    class Slow(FakeKeys):
        def get_many(self, key_ids: Sequence[str]) -> dict[str, bytes]:
            found = super().get_many(key_ids)
            rig.clock.advance(75)
            return found

    store = Slow(rig.clock)
    ring = Keyring(store, rig.store, rig.clock)
    ring.mint(a_face_key())
    assert ring.find_once([a_face_key()]) == {a_face_key().id: Expired()}


def test_a_store_that_is_away_is_no_lost_key_of_several(rig: Rig) -> None:
    rig.volatile.away = True
    with pytest.raises(Transient):
        rig.ring().find_once([a_face_key()])


def test_keys_that_share_a_part_differ(rig: Rig) -> None:
    ring = rig.ring()
    assert ring.mint(an_epoch_key(7)) != ring.mint(an_epoch_key(8))


def test_a_key_of_two_parts_is_neither_part(rig: Rig) -> None:
    key = rig.ring().mint(an_epoch_key())
    assert key not in (rig.volatile.get("city/epoch/7"), rig.store.get("city/deployment"))


@pytest.mark.parametrize("where", list(Where))
def test_the_loss_of_either_part_is_the_loss_of_the_key(rig: Rig, where: Where) -> None:
    rig.ring().mint(an_epoch_key())
    (rig.volatile if where is Where.VOLATILE else rig.store).lose_all()
    assert rig.ring().find(an_epoch_key()) == Lost(where)


def test_a_key_in_hand_is_dropped_at_its_deadline(rig: Rig) -> None:
    ring = rig.ring()
    ring.mint(an_epoch_key())
    rig.clock.advance(74.9)
    assert isinstance(ring.find(an_epoch_key()), Found)
    rig.clock.advance(0.2)
    assert ring.find(an_epoch_key()) == Expired()
    with pytest.raises(DeadlinePassed):
        ring.mint(an_epoch_key())


def test_an_idle_process_holds_no_key_past_its_deadline(rig: Rig) -> None:
    ring = rig.ring()
    ring.mint(a_face_key())
    assert ring._held
    rig.clock.advance(76)
    ring.drop_expired()
    assert not ring._held


def test_a_key_gone_before_its_deadline_is_lost_and_after_it_expired(rig: Rig) -> None:
    rig.ring().mint(a_face_key())
    rig.volatile.lose_all()
    assert rig.ring().find(a_face_key()) == Lost(Where.VOLATILE)
    rig.clock.advance(76)
    assert rig.ring().find(a_face_key()) == Expired()


def test_a_key_in_hand_costs_no_round_trip(rig: Rig) -> None:
    reader = rig.ring()
    rig.ring().mint(an_epoch_key())
    reader.find(an_epoch_key())
    reads = rig.volatile.reads
    for _ in range(20):
        reader.find(an_epoch_key())
    assert rig.volatile.reads == reads


def test_a_writer_learns_within_a_second_that_its_store_lost_the_key(rig: Rig) -> None:
    """Else everything it seals until the epoch ends is unreadable for everyone."""
    writer = rig.ring()
    old = writer.mint(an_epoch_key())
    rig.volatile.lose_all()
    assert writer.mint(an_epoch_key()) == old
    rig.clock.advance(1)
    new = writer.mint(an_epoch_key())
    assert new != old
    assert rig.ring().find(an_epoch_key()) == Found(new)


def test_a_destroyed_key_is_gone_for_all_and_shared_parts_stay(rig: Rig) -> None:
    ring = rig.ring()
    ring.mint(an_epoch_key(7))
    other = ring.mint(an_epoch_key(8))
    assert ring.destroy([an_epoch_key(7), a_face_key("never made")]) == 1
    assert ring.find(an_epoch_key(7)) == Lost(Where.VOLATILE)
    assert rig.ring().find(an_epoch_key(8)) == Found(other)


def test_a_ring_holds_no_more_keys_than_it_may(rig: Rig) -> None:
    ring = rig.ring(max_cached=3)
    for number in range(10):
        ring.mint(a_face_key(str(number)))
    assert list(ring._held) == ["city/face/7", "city/face/8", "city/face/9"]


def test_a_store_that_is_away_is_no_lost_key(rig: Rig) -> None:
    rig.ring().mint(a_face_key())
    rig.volatile.away = True
    with pytest.raises(Transient):
        rig.ring().find(a_face_key())


def test_no_key_is_in_the_repr_of_an_answer(rig: Rig) -> None:
    key = rig.ring().mint(a_face_key())
    assert repr(key) not in repr(rig.ring().find(a_face_key()))

"""Sealed lists are looked up beside the leader's work; what cannot be looked up is not there."""

from __future__ import annotations

from services.contracts.sealed.seal import Seal
from services.oversight.lists import ListWatch
from tests.fakes.oversight import FakeSealedLists

ONE, OTHER = ("north", "a" * 64), ("south", "b" * 64)


def test_of_the_lists_that_are_wanted_those_are_loaded_that_are_there() -> None:
    watch = ListWatch(FakeSealedLists(ONE), lambda: frozenset({ONE, OTHER}))
    watch.look()
    assert watch.loaded() == {ONE}


def test_nobody_asks_while_nothing_is_wanted() -> None:
    store = FakeSealedLists(ONE)
    ListWatch(store, frozenset).look()
    assert store.asked == []


def test_when_the_store_is_away_no_list_is_there() -> None:
    store = FakeSealedLists(ONE)
    watch = ListWatch(store, lambda: frozenset({ONE}))
    watch.look()
    store.away = True
    watch.look()
    assert watch.loaded() == frozenset()


def test_a_seal_is_read_once_and_told_with_its_list() -> None:
    store = FakeSealedLists(ONE, OTHER)
    store.seals[ONE] = Seal(deployment=ONE[0], name="wanted", digest=ONE[1], leaves=())
    watch = ListWatch(store, lambda: frozenset({ONE, OTHER}))
    watch.look()
    watch.look()
    assert watch.seals() == {ONE: store.seals[ONE]}
    assert sorted(store.read) == [ONE, OTHER]

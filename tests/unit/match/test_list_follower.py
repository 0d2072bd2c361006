"""Following the list: taken up whole, refused with a reason, let go when it is taken away, void or purged."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from services.contracts.errors import Permanent, Transient
from services.match.core.admission import ListRefusal, NotAdmitted
from services.match.core.matrix import ListMatrix
from services.match.edges.list_follower import ListFollower
from services.match.metrics import MatchMetrics
from tests.builders import NOON
from tests.conftest import ExpectedErrors
from tests.fakes.clock import ManualClock
from tests.unit.match.lists_builder import DIGEST, a_filler, a_matrix, a_subject
from tests.unit.match.rig import an_authority


class Store:
    """`ListStore` that a test fills."""

    def __init__(self) -> None:
        self.void: ListRefusal | None = None
        self.held: ListMatrix | None = None
        self.torn = False
        self.away = False
        self.loads = 0

    def there(self) -> bool:
        if self.away:
            raise Transient("the store is away")
        return self.held is not None

    def load(self) -> ListMatrix:
        self.loads += 1
        if self.held is None or self.torn:
            raise Permanent("list_gone", "not there")
        self.recheck()
        return self.held

    def recheck(self) -> None:
        if self.void is not None:
            raise NotAdmitted(self.void, "as the test says")


class Rig:
    def __init__(self, held: ListMatrix | None = None) -> None:
        self.registry = CollectorRegistry()
        self.clock = ManualClock(NOON)
        self.bounds = an_authority()
        self.store = Store()
        self.store.held = held
        metrics = MatchMetrics(self.registry)
        self.follower = ListFollower(self.store, self.bounds.purge_at, metrics, self.clock, poll_s=0.01)

    def searched(self) -> str | None:
        self.follower.look()
        current = self.follower.current()
        return current.digest if current else None

    def refused(self, reason: ListRefusal) -> float | None:
        return self.registry.get_sample_value("signpost_match_lists_refused_total", {"reason": reason.value})


def test_without_a_list_there_is_nothing_to_search_until_one_comes() -> None:
    rig = Rig()
    assert [rig.searched(), rig.searched()] == [None, None]
    assert rig.refused(ListRefusal.MISSING) == 1
    rig.store.held = a_matrix(a_subject(), a_filler(1))
    assert rig.searched() == DIGEST
    assert rig.registry.get_sample_value("signpost_match_list_subjects") == 1
    assert rig.registry.get_sample_value("signpost_match_list_fillers") == 1


def test_a_list_that_is_taken_away_is_searched_no_more() -> None:
    """The matrix in memory outlived its removal until the purge."""
    rig = Rig(a_matrix())
    assert rig.searched() == DIGEST
    rig.store.held = None
    assert rig.searched() is None
    assert rig.refused(ListRefusal.MISSING) == 1


def test_a_list_is_read_once_however_often_it_is_looked_at() -> None:
    rig = Rig(a_matrix())
    for _ in range(3):
        rig.searched()
    assert rig.store.loads == 1


def test_a_list_outside_its_authority_is_said_once_and_not_tried_again(expected_errors: ExpectedErrors) -> None:
    expected_errors.add("list refused")
    rig = Rig(a_matrix())
    rig.store.void = ListRefusal.OTHER_MODEL
    assert [rig.searched(), rig.searched()] == [None, None]
    assert rig.refused(ListRefusal.OTHER_MODEL) == 1
    assert rig.store.loads == 1


def test_an_unreadable_list_is_tried_again(expected_errors: ExpectedErrors) -> None:
    expected_errors.add("list refused")
    rig = Rig(a_matrix())
    rig.store.torn = True
    assert rig.searched() is None
    rig.store.torn = False
    assert rig.searched() == DIGEST


def test_a_list_whose_signatures_count_no_more_is_searched_no_more(
    expected_errors: ExpectedErrors,
) -> None:
    """A key that sealed it is revoked: what it signed is void, and with the next registry it may count again."""
    expected_errors.add("list refused")
    rig = Rig(a_matrix())
    assert rig.searched() == DIGEST
    rig.store.void = ListRefusal.NOT_SEALED
    assert [rig.searched(), rig.searched()] == [None, None]
    assert rig.refused(ListRefusal.NOT_SEALED) == 1
    rig.store.void = None
    assert rig.searched() == DIGEST


def test_while_the_store_is_away_the_list_goes_on_and_the_process_is_not_ready() -> None:
    rig = Rig(a_matrix())
    rig.searched()
    rig.store.away = True
    assert rig.searched() == DIGEST
    assert not rig.follower.answers()


def test_with_its_key_the_list_goes_from_memory_whether_or_not_the_store_answers() -> None:
    rig = Rig(a_matrix())
    rig.searched()
    held = rig.follower.current()
    assert held is not None
    rig.store.away = True
    rig.clock.advance((rig.bounds.purge_at - NOON).total_seconds() - 1)
    assert rig.searched() is not None
    rig.clock.advance(1)
    assert rig.searched() is None
    assert not held.rows.any()
    assert rig.registry.get_sample_value("signpost_match_list_subjects") == 0


def test_a_list_past_its_purge_is_not_taken_up() -> None:
    rig = Rig(a_matrix())
    rig.clock.advance((rig.bounds.purge_at - NOON).total_seconds())
    assert rig.searched() is None
    assert rig.store.loads == 0

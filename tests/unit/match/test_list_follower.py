"""Following the list: taken up whole, refused with a reason, the old one searched until then."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from services.contracts.authority import Authority
from services.contracts.errors import Permanent, Transient
from services.contracts.events import ScoreKind
from services.contracts.lists import Gallery
from services.match.core import matrix
from services.match.core.admission import ListRefusal, NotAdmitted, refuses_list
from services.match.core.matrix import ListMatrix
from services.match.edges.list_follower import ListFollower
from services.match.metrics import MatchMetrics
from tests.builders import NOON
from tests.conftest import ExpectedErrors
from tests.fakes.clock import ManualClock
from tests.unit.match.lists_builder import MODEL, a_filler, a_gallery, a_subject
from tests.unit.match.rig import an_authority


class Store:
    """`ListStore` that a test fills."""

    def __init__(self, bounds: Authority) -> None:
        self._bounds = bounds
        self.void: ListRefusal | None = None
        self.lists: dict[str, Gallery] = {}
        self.now: str | None = None
        self.away = False
        self.loads = 0

    def put(self, gallery: Gallery) -> None:
        self.lists[gallery.digest] = gallery
        self.now = gallery.digest

    def digest(self) -> str | None:
        if self.away:
            raise Transient("the store is away")
        return self.now

    def load(self, digest: str) -> ListMatrix:
        self.loads += 1
        if digest not in self.lists:
            raise Permanent("list_gone", "not there")
        refusal = self.void or refuses_list(self._bounds.watchlist, self.lists[digest])
        if refusal is not None:
            raise NotAdmitted(refusal, "as the test says")
        return matrix.of(self.lists[digest])

    def recheck(self, digest: str) -> None:
        if self.void is not None:
            raise NotAdmitted(self.void, "as the test says")


class Rig:
    def __init__(self, *, more: str = "") -> None:
        self.registry = CollectorRegistry()
        self.clock = ManualClock(NOON)
        self.bounds = an_authority(more=more)
        self.store = Store(self.bounds)
        metrics = MatchMetrics(self.registry)
        self.follower = ListFollower(self.store, self.bounds.purge_at, metrics, self.clock, poll_s=0.01)

    def searched(self) -> str | None:
        self.follower.look()
        current = self.follower.current()
        return current.digest if current else None

    def refused(self, reason: ListRefusal) -> float | None:
        return self.registry.get_sample_value("signpost_match_lists_refused_total", {"reason": reason.value})


def test_without_a_list_there_is_nothing_to_search() -> None:
    rig = Rig()
    assert rig.searched() is None
    assert rig.refused(ListRefusal.MISSING) == 1


def test_a_newer_list_replaces_the_one_in_use() -> None:
    rig = Rig()
    rig.store.put(a_gallery())
    first = rig.searched()
    newer = a_gallery(a_subject("ref-2"), a_filler(1))
    rig.store.put(newer)
    assert (first, rig.searched()) == (a_gallery().digest, newer.digest)
    assert rig.registry.get_sample_value("signpost_match_list_subjects") == 1
    assert rig.registry.get_sample_value("signpost_match_list_fillers") == 1


def test_a_list_that_is_taken_away_is_searched_no_more() -> None:
    """The matrix in memory outlived its removal until the purge."""
    rig = Rig()
    rig.store.put(a_gallery())
    assert rig.searched() == a_gallery().digest
    rig.store.now = None
    assert rig.searched() is None
    assert rig.refused(ListRefusal.MISSING) == 1


def test_a_list_is_read_once_however_often_it_is_looked_at() -> None:
    rig = Rig()
    rig.store.put(a_gallery())
    for _ in range(3):
        rig.searched()
    assert rig.store.loads == 1


def test_a_refused_list_is_said_once_and_the_old_one_goes_on(expected_errors: ExpectedErrors) -> None:
    expected_errors.add("list refused")
    rig = Rig(more=f"  model: {MODEL}\n")
    rig.store.put(a_gallery())
    old = rig.searched()
    rig.store.put(a_gallery(model_id="dlib-resnet-0123"))
    assert [rig.searched(), rig.searched()] == [old, old]
    assert rig.refused(ListRefusal.OTHER_MODEL) == 1


def test_an_unreadable_list_is_tried_again(expected_errors: ExpectedErrors) -> None:
    expected_errors.add("list refused")
    rig = Rig()
    gallery = a_gallery()
    rig.store.now = gallery.digest
    assert rig.searched() is None
    rig.store.put(gallery)
    assert rig.searched() == gallery.digest


def test_a_list_whose_signatures_count_no_more_is_searched_no_more(
    expected_errors: ExpectedErrors,
) -> None:
    """A key that sealed it is revoked: what it signed is void, and with the next registry it may count again."""
    expected_errors.add("list refused")
    rig = Rig()
    rig.store.put(a_gallery())
    digest = rig.searched()
    rig.store.void = ListRefusal.NOT_SEALED
    assert [rig.searched(), rig.searched()] == [None, None]
    assert rig.refused(ListRefusal.NOT_SEALED) == 1
    rig.store.void = None
    assert rig.searched() == digest


def test_while_the_store_is_away_the_list_goes_on_and_the_process_is_not_ready() -> None:
    rig = Rig()
    rig.store.put(a_gallery())
    digest = rig.searched()
    rig.store.away = True
    assert rig.searched() == digest
    assert not rig.follower.answers()


def test_with_its_key_the_list_goes_from_memory_whether_or_not_the_store_answers() -> None:
    rig = Rig()
    rig.store.put(a_gallery())
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
    rig = Rig()
    rig.store.put(a_gallery())
    rig.clock.advance((rig.bounds.purge_at - NOON).total_seconds())
    assert rig.searched() is None
    assert rig.store.loads == 0


@pytest.mark.parametrize(
    ("more", "gallery", "refusal"),
    [
        ("", a_gallery(), None),
        ("  digest: another\n", a_gallery(), ListRefusal.OTHER_DIGEST),
        ("  model: other\n", a_gallery(), ListRefusal.OTHER_MODEL),
        ("", a_gallery(name="red-list"), ListRefusal.OTHER_NAME),
        (
            "",
            a_gallery(a_subject(), a_filler(1), score_kind=ScoreKind.GALLERY_NORMALISED, cohort_size=1),
            ListRefusal.OTHER_SCORE_KIND,
        ),
        ("", a_gallery(*(a_subject(f"ref-{n}") for n in range(101))), ListRefusal.TOO_MANY_ENTRIES),
        ("", a_gallery(*(a_subject(f"ref-{n}") for n in range(100)), a_filler(1)), None),
    ],
    ids=["right", "digest", "model", "name", "score kind", "too many", "fillers do not count"],
)
def test_the_authority_says_which_list_is_searched(
    more: str, gallery: Gallery, refusal: ListRefusal | None
) -> None:
    assert refuses_list(an_authority(more=more).watchlist, gallery) is refusal

"""A threshold changes by a new document that a quorum signs, and the change is an entry of its own (C-12)."""

from __future__ import annotations

from services.contracts.audit.requests import Action
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import State
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.core.test_minutes import Minuted

DOCUMENT = b.a_document()
LOWER = {1: 0.1}


def lowered() -> Document:
    return b.a_document(
        version=2,
        supersedes=DOCUMENT.digest,
        watchlist=b.a_list(thresholds=LOWER),
        equity=b.some_evidence(thresholds=LOWER),
    )


def running() -> Minuted:
    desk = Minuted()
    desk.begun()
    desk.active(DOCUMENT)
    desk.at = b.NOON
    return desk


def test_its_author_alone_lowers_no_threshold() -> None:
    desk, lower = running(), lowered()
    desk.submitted(lower)
    desk.beat()
    assert (desk.state(lower), desk.state(DOCUMENT)) == (State.SUBMITTED, State.ACTIVE)
    current = desk.gate(DOCUMENT.id).current(b.a_reading(desk.at))
    assert current is not None
    assert current.document.watchlist.thresholds == DOCUMENT.watchlist.thresholds


def test_a_threshold_that_a_later_version_changes_is_told() -> None:
    desk = running()
    desk.submitted(lowered())
    assert [one.content.about for one in desk.asked if one.content.what is Action.THRESHOLD_CHANGED] == [
        f"{DOCUMENT.id}/2"
    ]


def test_a_later_version_with_the_same_thresholds_is_none() -> None:
    desk = running()
    desk.submitted(b.a_document(version=2, supersedes=DOCUMENT.digest))
    assert Action.THRESHOLD_CHANGED not in desk.told()

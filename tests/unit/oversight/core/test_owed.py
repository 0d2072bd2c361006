"""What is owed after an end is said while there is time to give it, and not before."""

from __future__ import annotations

from datetime import timedelta

from services.contracts.authorisation.enums import Move
from services.oversight.core import purging
from services.oversight.core.commands import Conclude
from services.oversight.core.owed import Owed, overdue
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import Desk

DOCUMENT = b.a_document()


def stopped() -> Desk:
    desk = Desk().begun().active(DOCUMENT)
    desk.give(DOCUMENT, Move.STOP, "sam")
    return desk


def owed(desk: Desk) -> list[Owed]:
    return list(overdue(desk.register, desk.at))


def test_while_it_runs_and_until_its_retention_ends_nothing_is_owed() -> None:
    assert owed(Desk().begun().active(DOCUMENT)) == []
    desk = stopped()
    desk.at = purging.purge_at(DOCUMENT)
    assert owed(desk) == []


def test_a_purge_that_a_holder_does_not_answer_is_said_after_a_while() -> None:
    desk = stopped()
    desk.give(DOCUMENT, Move.ORDER_PURGE, "sam")
    assert owed(desk) == []
    desk.at += timedelta(minutes=16)
    assert owed(desk) == [Owed.PURGE]


def test_a_purge_that_nobody_ordered_in_time_is_said_too() -> None:
    desk = stopped()
    desk.at = purging.purge_at(DOCUMENT) + timedelta(minutes=16)
    assert owed(desk) == [Owed.PURGE]


def test_a_version_is_purged_with_the_one_that_took_its_place() -> None:
    desk, second = Desk().begun().active(DOCUMENT), b.a_document(version=2, supersedes=DOCUMENT.digest)
    desk.at = b.NOON
    desk.authorised(second)
    desk.attested(second)
    desk.beat()
    desk.at = purging.purge_at(DOCUMENT) + timedelta(minutes=16)
    assert owed(desk) == []


def test_a_report_and_then_a_review_are_owed() -> None:
    desk = stopped()
    desk.tell(Conclude(DOCUMENT.id, 1, Move.PURGE, b.sha("certificate")))
    desk.at = DOCUMENT.window.end + timedelta(days=8)
    assert owed(desk) == [Owed.REPORT]
    desk.give(DOCUMENT, Move.REPORT, "sam", evidence=b.sha("report"))
    assert owed(desk) == []
    desk.at = DOCUMENT.window.end + timedelta(days=29)
    assert owed(desk) == [Owed.REVIEW]
    desk.give(DOCUMENT, Move.REVIEW, "aud", evidence=b.sha("review"))
    assert owed(desk) == []

"""One case's evidence is held past the purge by a signed word, in time and for a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.authorisation.statements import NotBelieved, Rejection, sign
from services.oversight.core.commands import Hold
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.core.test_recovery import recovered
from tests.unit.oversight.desk import BEAT, Desk

DOCUMENT = b.a_document()
CASE = "c0ffee"
LATEST = DOCUMENT.window.end + timedelta(days=DOCUMENT.retention.evidence_d)


def running() -> Desk:
    desk = Desk().begun().active(DOCUMENT)
    desk.at += BEAT
    return desk


def hold(desk: Desk, *, by: str = "sam", **changes: object) -> None:
    said = CaseHeld.model_validate(
        {
            "deployment": DOCUMENT.id,
            "signed_at": desk.at,
            "case": CASE,
            "reason": "a complaint was made",
            "until": LATEST,
        }
        | changes
    )
    desk.tell(Hold(sign(said, b.key(by))))


def holds(desk: Desk) -> list[str]:
    """As a service believes them."""
    return [held.case for held in desk.gate(DOCUMENT.id).beliefs.holds]


@pytest.mark.parametrize("by", ["sam", "olu"])
def test_a_hold_reaches_every_service(by: str) -> None:
    desk = running()
    hold(desk, by=by)
    hold(desk, by=by, case="other")
    assert holds(desk) == [CASE, "other"]


def test_a_hold_that_is_said_twice_is_recorded_once() -> None:
    desk = running()
    hold(desk)
    records = len(desk.records)
    hold(desk)
    assert len(desk.records) == records


def test_a_hold_may_be_said_after_the_end_but_not_once_the_purge_is_ordered() -> None:
    desk = running()
    desk.give(DOCUMENT, Move.STOP, "sam")
    hold(desk)
    desk.at += BEAT
    desk.give(DOCUMENT, Move.ORDER_PURGE, "sam")
    with pytest.raises(NotAuthorised, match="comes too late"):
        hold(desk, case="other")


def test_a_case_is_held_while_a_later_version_waits_or_was_called_off() -> None:
    desk, later = running(), b.a_document(version=2, supersedes=DOCUMENT.digest)
    desk.authorised(later)
    hold(desk)
    desk.give(later, Move.CANCEL, "olu")
    hold(desk, case="other")
    assert holds(desk) == [CASE, "other"]


@pytest.mark.parametrize("until", [LATEST + timedelta(seconds=1), DOCUMENT.window.start])
def test_nothing_is_held_for_longer_than_evidence_may_stay_or_until_what_is_past(until: object) -> None:
    with pytest.raises(NotAuthorised, match=r"hold\.until"):
        hold(running(), until=until)


def test_a_reviewer_holds_nothing() -> None:
    with pytest.raises(NotBelieved) as refused:
        hold(running(), by="rex")
    assert refused.value.why is Rejection.WRONG_ROLE


def test_holds_outlive_the_leader_that_recorded_them() -> None:
    desk = running()
    hold(desk)
    assert recovered(desk.records).register == desk.register

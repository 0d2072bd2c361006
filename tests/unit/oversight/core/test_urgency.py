"""Urgency gives one day, to a place and to people, and not to an id."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Role, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.rules import URGENCY_BINDS
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import Desk

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# Of the builders' people ann wrote the first, and uma approved it in urgency.
SECOND_AUTHOR, SECOND_OFFICER = "ann-2", "uma-2"


@pytest.fixture(autouse=True)
def _more_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second author and a second urgent officer."""
    monkeypatch.setitem(b.PEOPLE, SECOND_AUTHOR, Role.AUTHOR)
    monkeypatch.setitem(b.PEOPLE, SECOND_OFFICER, Role.URGENT_OFFICER)


def urgent(serial: int, *, days: float, **changes: object) -> Document:
    """One of twenty hours, so many days after the first."""
    start = b.START + days * DAY
    values: dict[str, object] = {
        "id": f"oxford-street-{serial}",
        "serial": serial,
        "created_at": start - HOUR,
        "urgent": {"reason": "imminent", "deadline": start + 22 * HOUR},
        "window": {"start": start, "end": start + 20 * HOUR, "max_hours": 24},
    }
    return b.a_document(**(values | changes))


def elsewhere(km: float) -> dict[str, object]:
    site = b.fields()["site"]
    assert isinstance(site, dict)
    return {
        "site": site | {"origin_latitude": site["origin_latitude"] + km / 111.32},
        "cameras": [b.a_camera(host=f"camera-{km}.example")],
    }


def played(desk: Desk, document: Document, *people: str) -> State:
    """Submitted, attested and begun, if it may."""
    desk.at = document.window.start - timedelta(minutes=30)
    desk.submitted(document, *people)
    desk.at = document.window.start
    desk.attested(document)
    desk.beat()
    return desk.state(document)


def over(desk: Desk, document: Document) -> None:
    assert document.urgent is not None
    desk.at = document.urgent.deadline + timedelta(minutes=5)
    desk.beat()


def a_used_day() -> Desk:
    desk = Desk().begun()
    first = urgent(1, days=0)
    assert played(desk, first, "ann", "uma") is State.ACTIVE
    over(desk, first)
    assert desk.state(first) is State.ENDED
    return desk


def refusal(desk: Desk, document: Document, *people: str) -> str:
    with pytest.raises(NotAuthorised) as refused:
        played(desk, document, *people)
    (finding,) = refused.value.findings
    assert (finding.field, finding.source) == ("urgent.deadline", "C-38, EU AI Act 5(3)")
    assert "used up by oxford-street-1" in finding.rule
    return finding.rule


def test_day_after_day_under_new_ids_is_one_day() -> None:
    """Six days in a row were searched on the word of an author and one officer: each had an id of its own."""
    desk = a_used_day()
    for day in range(1, 6):
        assert "for its place" in refusal(desk, urgent(2, days=day), "ann", "uma")


@pytest.mark.parametrize("km", [0.0, 0.05, 0.3])
def test_other_people_get_no_second_day_at_the_same_place(km: float) -> None:
    desk = a_used_day()
    document = urgent(2, days=1, author=SECOND_AUTHOR, **elsewhere(km))
    assert "for its place" in refusal(desk, document, SECOND_AUTHOR, SECOND_OFFICER)


def test_the_same_camera_is_the_same_place_wherever_the_document_says_it_is() -> None:
    desk = a_used_day()
    document = urgent(2, days=1, author=SECOND_AUTHOR, **(elsewhere(30) | {"cameras": [b.a_camera()]}))
    assert "for its place" in refusal(desk, document, SECOND_AUTHOR, SECOND_OFFICER)


@pytest.mark.parametrize(("author", "officer"), [("ann", SECOND_OFFICER), (SECOND_AUTHOR, "uma")])
def test_the_same_author_or_officer_gets_no_second_day_elsewhere(author: str, officer: str) -> None:
    desk = a_used_day()
    document = urgent(2, days=1, author=author, **elsewhere(30))
    assert "for its author or an approver" in refusal(desk, document, author, officer)


def test_an_officer_who_signs_later_is_bound_as_one_who_signed_at_once() -> None:
    desk = a_used_day()
    document = urgent(2, days=1, author=SECOND_AUTHOR, **elsewhere(30))
    desk.at = document.window.start - timedelta(minutes=30)
    desk.submitted(document, SECOND_AUTHOR)
    with pytest.raises(NotAuthorised, match="its author or an approver"):
        desk.approve(document, "uma")


def test_another_place_with_other_people_is_another_case() -> None:
    desk = a_used_day()
    document = urgent(2, days=1, author=SECOND_AUTHOR, **elsewhere(30))
    assert played(desk, document, SECOND_AUTHOR, SECOND_OFFICER) is State.ACTIVE


def test_with_full_approval_the_next_day_begins_at_once() -> None:
    desk = a_used_day()
    assert played(desk, urgent(2, days=1), "ann", "olu") is State.ACTIVE


def test_a_day_that_was_approved_in_full_in_time_binds_nobody() -> None:
    """That is what urgency is for: begun at once, and authorised within the day."""
    desk = Desk().begun()
    first = urgent(1, days=0)
    assert played(desk, first, "ann", "uma") is State.ACTIVE
    desk.approve(first, "olu")
    desk.at = first.window.end
    desk.beat()
    assert played(desk, urgent(2, days=1), "ann", "uma") is State.ACTIVE


def test_after_a_week_a_new_cause_may_begin_in_urgency() -> None:
    desk = a_used_day()
    ends = URGENCY_BINDS / DAY + 22 / 24
    early, late = urgent(2, days=ends - 1), urgent(2, days=ends + 1 / 24)
    assert "for its place" in refusal(desk, early, "ann", "uma")
    desk.at = late.window.start - timedelta(minutes=30)
    # Its report is owed meanwhile, and is told apart.
    with pytest.raises(NotAuthorised) as refused:
        desk.submitted(late, "ann", "uma")
    assert {finding.field for finding in refused.value.findings} == {"serial"}

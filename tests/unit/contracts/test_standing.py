"""What review may be told about an alert before all that was recorded up to its search is here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.gate import Gate
from services.contracts.authorisation.records import Record
from services.contracts.authorisation.refusals import Refusal
from services.contracts.errors import Transient
from services.contracts.standing import GateStanding
from tests.unit.contracts.authorisation.builders import (
    NOON,
    ROOT,
    TOKENS,
    a_change,
    a_document,
    a_lease,
    a_reading,
    changes_to_active,
    revocations,
    running,
)

DOCUMENT = a_document()
LATER = NOON + timedelta(seconds=3)
EARLIER = NOON - timedelta(seconds=3)
STOPPED = (a_change(DOCUMENT, 4, Move.STOP, NOON), a_lease(DOCUMENT, 2, state=State.ENDED, state_sequence=4))


class Clock:
    def __init__(self, now: ClockReading | None = None) -> None:
        self._now = now or a_reading(LATER)

    def reading(self) -> ClockReading:
        return self._now


def standing_on(*records: Record) -> GateStanding:
    gate = Gate.shut(DOCUMENT.id, root_fingerprint=ROOT.kid)
    for record in records:
        gate = gate.fold(record, a_reading()).gate
    return GateStanding(lambda: gate, Clock(), DOCUMENT.digest)


def asked(standing: GateStanding, searched_at: datetime, **changes: object) -> Refusal | None:
    about: dict[str, object] = {
        "deployment": DOCUMENT.id,
        "camera": "gate-1",
        "captured_at": searched_at,
        "searched_at": searched_at,
        "list_digest": DOCUMENT.watchlist.digest,
        "tokens": frozenset(TOKENS[:1]),
    }
    return standing.refusal_of_alert(**(about | changes))  # type: ignore[arg-type]


def test_an_alert_that_is_in_order_by_what_is_known_is_shown_at_once() -> None:
    assert asked(standing_on(*running(DOCUMENT)), LATER) is None


@pytest.mark.parametrize("known", [0, 2, 4])
def test_an_alert_is_not_refused_for_what_may_still_be_on_its_way(known: int) -> None:
    """Its activation, say: match has read it and we have not."""
    with pytest.raises(Transient):
        asked(standing_on(*running(DOCUMENT)[:known]), NOON)


def test_it_is_refused_once_a_lease_from_after_its_search_is_here() -> None:
    authorised = (*running(DOCUMENT)[:2], *changes_to_active(DOCUMENT)[:2])
    lease = a_lease(DOCUMENT, state=State.AUTHORISED, state_sequence=2)
    assert asked(standing_on(*authorised, lease), EARLIER) is Refusal.NOT_ACTIVE
    with pytest.raises(Transient):
        asked(standing_on(*authorised, lease), LATER)


def test_what_was_searched_after_the_end_is_refused_though_no_lease_will_come_any_more() -> None:
    assert asked(standing_on(*running(DOCUMENT), *STOPPED), LATER) is Refusal.NOT_ACTIVE
    assert asked(standing_on(*running(DOCUMENT), *STOPPED), EARLIER) is None


@pytest.mark.parametrize("move", [Move.STOP, Move.SUSPEND])
def test_what_is_known_to_have_ended_is_told_as_ended_though_its_lease_is_gone_too(move: Move) -> None:
    late = Clock(a_reading(NOON + timedelta(seconds=60)))
    active = standing_on(*running(DOCUMENT))
    ended = standing_on(*running(DOCUMENT), a_change(DOCUMENT, 4, move, NOON))
    assert replace(active, clock=late).standing() is Refusal.LEASE_STALE
    assert replace(ended, clock=late).standing() is Refusal.NOT_ACTIVE


def test_another_deployments_alert_and_a_revoked_subjects_are_refused_at_once() -> None:
    standing = standing_on(*running(DOCUMENT), *revocations(DOCUMENT, TOKENS[0])[0])
    assert asked(standing, LATER) is Refusal.ENTRY_REVOKED
    assert asked(standing, LATER, deployment="oxford-street-2") is Refusal.OTHER_DEPLOYMENT


def test_an_unknown_camera_is_refused_once_all_up_to_the_search_is_known() -> None:
    standing = standing_on(*running(DOCUMENT))
    assert asked(standing, NOON, camera="gate-9") is Refusal.UNKNOWN_CAMERA
    with pytest.raises(Transient):
        asked(standing, LATER, camera="gate-9")

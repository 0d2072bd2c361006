"""What happens by itself: beginnings, ends, lapses, later versions, and a lease every beat."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, Move, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.registry import sign_registry
from services.oversight.core.clockwork import lists_wanted
from services.oversight.core.commands import PutRegistry
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import BEAT, Desk

DOCUMENT = b.a_document()
HOUR = timedelta(hours=1)


def test_an_attested_authority_begins_at_its_windows_start_and_not_before() -> None:
    desk = Desk().begun().authorised(DOCUMENT)
    desk.at = b.START - BEAT
    desk.attested(DOCUMENT)
    desk.beat()
    assert desk.state(DOCUMENT) is State.AUTHORISED
    desk.at = b.START
    desk.beat()
    assert desk.state(DOCUMENT) is State.ACTIVE


@pytest.mark.parametrize("missing", ["attestation", "list", "clock"])
def test_an_authority_does_not_begin_while_something_is_missing(missing: str) -> None:
    desk = Desk().begun().authorised(DOCUMENT)
    desk.at = b.START
    if missing != "attestation":
        desk.attested(DOCUMENT)
    desk.lists = frozenset() if missing == "list" else None
    desk.clock = ClockState.UNKNOWN if missing == "clock" else ClockState.SYNCHRONISED
    desk.beat()
    assert desk.state(DOCUMENT) is State.AUTHORISED
    desk.lists, desk.clock = None, ClockState.SYNCHRONISED
    if missing == "attestation":
        desk.attested(DOCUMENT)
    desk.beat()
    assert desk.state(DOCUMENT) is State.ACTIVE


def test_an_authority_whose_approver_is_revoked_does_not_begin() -> None:
    desk = Desk().begun().authorised(DOCUMENT)
    desk.at = b.START
    desk.attested(DOCUMENT)
    gone = b.a_registered_key("olu", revoked_at=b.START)
    desk.tell(PutRegistry(sign_registry(b.a_registry(gone, without=["olu"], sequence=2), b.ROOT)))
    desk.beat()
    assert desk.state(DOCUMENT) is State.AUTHORISED


@pytest.mark.parametrize("reached", ["submitted", "authorised", "active", "suspended"])
def test_the_end_of_the_window_ends_whatever_state_it_is_in(reached: str) -> None:
    desk = Desk().begun()
    if reached == "submitted":
        desk.submitted(DOCUMENT)
    elif reached == "authorised":
        desk.authorised(DOCUMENT)
    else:
        desk.active(DOCUMENT)
    if reached == "suspended":
        desk.give(DOCUMENT, Move.SUSPEND, "sam")
    desk.at = b.END
    desk.beat()
    over = State.EXPIRED if reached in ("submitted", "authorised") else State.ENDED
    assert desk.state(DOCUMENT) is over
    assert all(lease.state is over for lease in desk.leases()[-1:])


def urgent(start: datetime = b.START) -> Document:
    """Begun on an urgent officer's word; a day, from its writing, to be approved in full."""
    return b.a_document(
        created_at=start - HOUR,
        urgent={"reason": "a child is missing", "deadline": start + 2 * HOUR},
    )


def an_urgent_desk() -> tuple[Desk, Document]:
    document = urgent()
    desk = Desk(at=b.START - HOUR).begun().submitted(document, "ann", "uma")
    desk.at = b.START
    desk.attested(document)
    desk.beat()
    return desk, document


def test_an_urgent_authority_begins_and_lapses_at_its_deadline() -> None:
    desk, document = an_urgent_desk()
    assert desk.state(document) is State.ACTIVE
    desk.at = b.START + 2 * HOUR
    desk.beat()
    assert desk.state(document) is State.ENDED
    assert desk.moves()[-1] is Move.LAPSE


def test_an_urgent_authority_that_is_suspended_lapses_too() -> None:
    desk, document = an_urgent_desk()
    desk.give(document, Move.SUSPEND, "sam")
    desk.at = b.START + 2 * HOUR
    desk.beat()
    assert (desk.state(document), desk.moves()[-1]) == (State.ENDED, Move.LAPSE)


def test_an_urgent_authority_that_is_approved_in_time_goes_on() -> None:
    desk, document = an_urgent_desk()
    desk.at = b.NOON
    desk.approve(document, "olu")
    assert desk.state(document) is State.ACTIVE
    desk.at = b.START + 2 * HOUR
    desk.beat()
    assert desk.state(document) is State.ACTIVE


def test_an_urgent_authority_that_never_began_expires_at_its_deadline() -> None:
    document = urgent()
    desk = Desk(at=b.START - HOUR).begun().submitted(document, "ann", "uma")
    desk.at = b.START + 2 * HOUR
    desk.beat()
    assert desk.state(document) is State.EXPIRED


def test_an_urgent_authority_gets_no_second_day_by_a_later_version() -> None:
    desk, document = an_urgent_desk()
    desk.at = b.START + HOUR
    again = b.a_document(
        version=2,
        supersedes=document.digest,
        created_at=desk.at,
        urgent={"reason": "the child is still missing", "deadline": b.START + 3 * HOUR},
    )
    with pytest.raises(NotAuthorised, match="later than an earlier version's"):
        desk.submitted(again, "ann", "uma")


def a_short_one() -> Document:
    """Over an hour before its day to be approved is."""
    return b.a_document(
        created_at=b.START - HOUR,
        window={"start": b.START, "end": b.START + HOUR},
        urgent={"reason": "a child is missing", "deadline": b.START + 2 * HOUR},
    )


@pytest.mark.parametrize("approved", [True, False])
def test_what_was_urgent_and_is_over_may_be_approved_to_the_deadline_and_is_else_purged_then(
    *, approved: bool
) -> None:
    document = a_short_one()
    desk = Desk(at=b.START - HOUR).begun().submitted(document, "ann", "uma")
    desk.at = b.START
    desk.attested(document)
    desk.beat()
    desk.at = b.START + HOUR
    desk.beat()
    assert desk.state(document) is State.ENDED
    desk.at += BEAT
    if approved:
        desk.approve(document, "olu")
    desk.at = b.START + 2 * HOUR - BEAT
    desk.beat()
    assert Move.ORDER_PURGE not in desk.moves()
    desk.at += BEAT
    desk.beat()
    assert (Move.ORDER_PURGE in desk.moves()) is not approved


def test_a_registry_past_its_time_has_nothing_purged_that_was_approved_in_time() -> None:
    document = a_short_one()
    desk = Desk(at=b.START - HOUR)
    desk.tell(PutRegistry(sign_registry(b.a_registry(valid_until=b.START + HOUR + BEAT), b.ROOT)))
    desk.submitted(document, "ann", "olu")
    desk.at = b.START
    desk.attested(document)
    desk.beat()
    for at in (b.START + HOUR, b.START + 2 * HOUR):
        desk.at = at
        desk.beat()
    assert desk.moves()[-1] is Move.END


# Leases.


def test_a_live_authority_gets_a_lease_every_beat_and_its_sequence_only_grows() -> None:
    desk = Desk().begun().active(DOCUMENT)
    for _ in range(3):
        desk.at += BEAT
        desk.beat()
    sequences = [lease.sequence for lease in desk.leases()]
    assert sequences == list(range(1, len(sequences) + 1))
    assert desk.leases()[-1].signed_at == desk.at


def test_a_service_that_reads_all_of_it_may_search_and_may_not_after_the_stop() -> None:
    desk = Desk().begun().active(DOCUMENT)
    assert desk.gate(DOCUMENT.id).standing(b.a_reading(desk.at)) is None
    desk.give(DOCUMENT, Move.STOP, "sam")
    assert desk.gate(DOCUMENT.id).standing(b.a_reading(desk.at)) is Refusal.NOT_ACTIVE


def test_what_is_over_gets_one_last_lease_and_no_more() -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.at = b.END
    desk.beat()
    assert desk.leases()[-1].state is State.ENDED
    desk.at += BEAT
    assert desk.beat().entries == ()


def test_what_is_only_submitted_gets_no_lease() -> None:
    desk = Desk().begun().submitted(DOCUMENT)
    assert desk.beat().entries == ()


def test_a_lease_names_the_registry_in_force() -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.tell(PutRegistry(sign_registry(b.a_registry(sequence=2), b.ROOT)))
    desk.beat()
    assert desk.leases()[-1].registry_sequence == 2


# A later version.


def second_version() -> Document:
    return b.a_document(version=2, supersedes=DOCUMENT.digest, fpir_budget=0.0005)


def test_a_later_version_takes_over_when_it_begins_and_the_earlier_one_is_stopped() -> None:
    desk, second = Desk().begun().active(DOCUMENT), second_version()
    desk.at = b.NOON
    desk.authorised(second)
    assert desk.leases()[-1].version == 1
    desk.attested(second)
    desk.beat()
    assert (desk.state(DOCUMENT), desk.state(second)) == (State.ENDED, State.ACTIVE)
    assert desk.leases()[-1].version == 2
    assert desk.gate(DOCUMENT.id).standing(b.a_reading(desk.at)) is None


def test_an_earlier_version_does_not_begin_once_a_later_one_is_authorised() -> None:
    desk, second = Desk().begun().authorised(DOCUMENT), second_version()
    desk.authorised(second)
    assert desk.leases()[-1].version == 2
    desk.at = b.START
    desk.attested(DOCUMENT)
    desk.beat()
    assert desk.state(DOCUMENT) is State.AUTHORISED


def test_no_lease_ever_names_a_lower_version_again() -> None:
    desk, second = Desk().begun().authorised(DOCUMENT), second_version()
    desk.authorised(second)
    desk.give(second, Move.CANCEL, "olu")
    desk.at = b.START
    desk.attested(DOCUMENT)
    desk.beat()
    assert desk.state(DOCUMENT) is State.AUTHORISED
    assert [lease.version for lease in desk.leases()] == [1, 2, 2]


@pytest.mark.parametrize("halt", [Move.STOP, Move.SUSPEND])
def test_a_later_version_that_waits_does_not_undo_a_stop_by_itself(halt: Move) -> None:
    desk, second = Desk().begun().active(DOCUMENT), second_version()
    desk.authorised(second)
    desk.at = b.NOON
    desk.give(DOCUMENT, halt, "sam")
    desk.at += BEAT
    desk.attested(second)
    desk.beat()
    assert desk.state(second) is State.AUTHORISED
    assert desk.gate(DOCUMENT.id).standing(b.a_reading(desk.at)) is Refusal.NOT_ACTIVE


def test_a_version_that_was_authorised_after_the_stop_begins() -> None:
    desk, second = Desk().begun().active(DOCUMENT), second_version()
    desk.at = b.NOON
    desk.give(DOCUMENT, Move.STOP, "sam")
    desk.at += BEAT
    desk.authorised(second)
    desk.attested(second)
    desk.beat()
    assert desk.state(second) is State.ACTIVE


def test_a_suspension_that_was_lifted_keeps_no_later_version_waiting() -> None:
    desk, second = Desk().begun().active(DOCUMENT), second_version()
    desk.authorised(second)
    for move, by in ((Move.SUSPEND, "sam"), (Move.RESUME, "olu")):
        desk.at += BEAT
        desk.give(DOCUMENT, move, by)
    desk.attested(second)
    desk.beat()
    assert desk.state(second) is State.ACTIVE


# Lists.


def test_lists_are_asked_for_only_when_they_may_matter() -> None:
    desk = Desk().begun().authorised(DOCUMENT)
    wanted = {(DOCUMENT.id, DOCUMENT.watchlist.digest)}
    assert lists_wanted(desk.register, desk.now) == frozenset()
    desk.at = b.START - HOUR
    assert lists_wanted(desk.register, desk.now) == wanted
    desk.at = b.START
    desk.attested(DOCUMENT)
    desk.beat()
    # Suspended and resumed within a second, it would wait for a look otherwise.
    assert desk.state(DOCUMENT) is State.ACTIVE
    assert lists_wanted(desk.register, desk.now) == wanted
    desk.at = b.END
    assert lists_wanted(desk.register, desk.now) == frozenset()

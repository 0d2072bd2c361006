"""From the order to the certificate: who is waited for, what is signed, what is recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.purging import SERVICES, Holder, PurgeAnswer, PurgeCertificate, What
from services.contracts.authorisation.signing import take_apart, unchecked_payload
from services.contracts.authorisation.statements import StateChanged
from services.oversight.core.owed import overdue
from services.oversight.core.purging import SETTLE, purge_at
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.core.test_clockwork import urgent
from tests.unit.oversight.core.test_recovery import recovered
from tests.unit.oversight.desk import BEAT, Desk

DOCUMENT = b.a_document()


def ended() -> Desk:
    desk = Desk().begun().active(DOCUMENT)
    desk.at += BEAT
    desk.give(DOCUMENT, Move.STOP, "sam")
    desk.at += BEAT
    return desk


def ordered(by: str | None = None) -> Desk:
    """By somebody, or by itself."""
    desk = ended()
    if by is None:
        desk.at = purge_at(DOCUMENT)
        desk.beat()
    else:
        desk.give(DOCUMENT, Move.ORDER_PURGE, by)
    return desk


def an_answer(desk: Desk, holder: Holder, *, instance: str = "one", **changes: object) -> PurgeAnswer:
    orders = [said for said in desk.said if isinstance(said, StateChanged) and said.move is Move.ORDER_PURGE]
    fields: dict[str, object] = {
        "deployment": DOCUMENT.id,
        "version": DOCUMENT.version,
        "order": orders[-1].sequence,
        "holder": holder,
        "instance": instance,
        "at": desk.at,
        "destroyed": {What.FACE_KEYS: 3},
        "left": {},
    }
    return PurgeAnswer.model_validate(fields | changes)


def answered(desk: Desk, *holders: Holder) -> Desk:
    desk.answers += tuple(an_answer(desk, holder) for holder in holders)
    desk.at += SETTLE
    desk.beat()
    return desk


def waits_for(desk: Desk) -> list[str]:
    return [finding.rule for finding in desk.clerk.waits_for(desk.register, desk.version(DOCUMENT), desk.now)]


def test_nothing_is_purged_that_still_runs() -> None:
    desk = Desk().begun().active(DOCUMENT)
    with pytest.raises(NotAuthorised, match="order_purge"):
        desk.give(DOCUMENT, Move.ORDER_PURGE, "sam")


def test_nothing_is_purged_while_a_later_version_has_use_for_the_keys() -> None:
    desk = Desk().begun().active(DOCUMENT)
    later = b.a_document(version=2, supersedes=DOCUMENT.digest)
    desk.authorised(later)
    desk.give(DOCUMENT, Move.STOP, "sam")
    with pytest.raises(NotAuthorised, match="another of the deployment"):
        desk.give(DOCUMENT, Move.ORDER_PURGE, "sam")


def test_a_purge_is_ordered_by_itself_when_retention_ends_and_not_before() -> None:
    desk = ended()
    desk.at = purge_at(DOCUMENT) - timedelta(seconds=1)
    desk.beat()
    assert Move.ORDER_PURGE not in desk.moves()
    desk.at = purge_at(DOCUMENT)
    desk.beat()
    desk.beat()
    assert desk.moves().count(Move.ORDER_PURGE) == 1


def test_what_was_urgent_and_never_approved_is_purged_at_once() -> None:
    document = urgent()
    desk = Desk(at=document.created_at + timedelta(minutes=1)).begun().submitted(document, "ann", "uma")
    desk.at = document.window.start
    desk.attested(document)
    desk.beat()
    assert desk.state(document) is State.ACTIVE
    assert document.urgent is not None
    desk.at = document.urgent.deadline
    desk.beat()
    desk.beat()
    assert desk.moves()[-2:] == [Move.LAPSE, Move.ORDER_PURGE]


def test_the_certificate_waits_for_every_service_and_names_who_is_missing() -> None:
    desk = ordered()
    answered(desk, Holder.INGEST, Holder.MATCH)
    assert desk.state(DOCUMENT) is State.ENDED
    assert waits_for(desk) == ["waits for embed", "waits for review"]
    answered(desk, Holder.EMBED, Holder.REVIEW)
    assert desk.state(DOCUMENT) is State.PURGED


def test_what_a_person_ordered_waits_for_the_operators_look_too() -> None:
    desk = answered(ordered("sam"), *SERVICES)
    assert waits_for(desk) == ["waits for console"]
    answered(desk, Holder.CONSOLE)
    assert desk.state(DOCUMENT) is State.PURGED


def test_nobody_is_done_who_has_something_left() -> None:
    desk = ordered()
    desk.answers = (an_answer(desk, Holder.REVIEW, instance="two", left={What.UNDELIVERED: 2}),)
    answered(desk, *SERVICES)
    assert waits_for(desk) == ["waits for review: 2 undelivered left"]
    assert desk.state(DOCUMENT) is State.ENDED


@pytest.mark.parametrize("change", [{"order": 3}, {"deployment": "elsewhere"}, {"version": 2}])
def test_an_answer_to_something_else_does_not_count(change: dict[str, Any]) -> None:
    desk = ordered()
    desk.answers = (an_answer(desk, Holder.REVIEW, **change),)
    answered(desk, Holder.INGEST, Holder.EMBED, Holder.MATCH)
    assert waits_for(desk) == ["waits for review"]


def test_an_order_may_be_given_again_and_then_all_answer_again() -> None:
    desk = ordered("sam")
    old = tuple(an_answer(desk, holder) for holder in Holder)
    desk.at += BEAT
    desk.give(DOCUMENT, Move.ORDER_PURGE, "sam")
    desk.answers = old
    assert len(waits_for(desk)) == len(Holder)


def test_instances_that_answer_a_moment_later_stand_in_the_certificate() -> None:
    desk = ordered()
    desk.answers = tuple(an_answer(desk, holder) for holder in SERVICES)
    desk.beat()
    assert desk.state(DOCUMENT) is State.ENDED, "the second matcher has not been heard"
    desk.answers += (an_answer(desk, Holder.MATCH, instance="two"),)
    desk.at += SETTLE
    desk.beat()
    assert len(certificate(desk).answers) == len(SERVICES) + 1


def certificate(desk: Desk) -> PurgeCertificate:
    token = desk.version(DOCUMENT).certificate
    return PurgeCertificate.from_canonical(unchecked_payload(take_apart(token)))


def test_the_certificate_is_the_evidence_of_the_move_and_says_what_was_destroyed() -> None:
    desk = answered(ordered(), *SERVICES)
    (moved,) = [said for said in desk.said if isinstance(said, StateChanged) and said.move is Move.PURGE]
    said = certificate(desk)
    assert moved.evidence == said.canonical_digest
    assert {answer.holder for answer in said.answers} == SERVICES
    assert said.list_digest == DOCUMENT.watchlist.digest
    assert all(answer.destroyed == {What.FACE_KEYS: 3} for answer in said.answers)


def test_the_certificate_outlives_the_leader_that_signed_it() -> None:
    desk = answered(ordered(), *SERVICES)
    found = recovered(desk.records)
    assert not found.rejected
    assert found.register == desk.register


def test_a_services_gate_believes_the_order_and_minds_no_certificate() -> None:
    desk = answered(ordered("sam"), *Holder)
    chain = desk.gate(DOCUMENT.id).beliefs.chains[DOCUMENT.version, DOCUMENT.digest]
    assert chain.state is State.PURGED
    assert [change.statement.move for _, change in sorted(chain.changes.items())][-2:] == [
        Move.ORDER_PURGE,
        Move.PURGE,
    ]


def test_a_listed_purge_needs_one_of_those_in_charge() -> None:
    desk = ended()
    with pytest.raises(NotAuthorised, match="may not order_purge"):
        desk.give(DOCUMENT, Move.ORDER_PURGE, "ann")


def test_a_purged_deployment_owes_its_report() -> None:
    desk = answered(ordered(), *SERVICES)
    (owed,) = replace(desk.register).others(b.a_document(id="next"))
    assert (
        owed.overdue(DOCUMENT.window.end + timedelta(days=DOCUMENT.follow_up.report_within_days + 1)) == "report"
    )


def test_the_purge_of_the_version_that_ran_last_is_that_of_the_versions_before_it() -> None:
    desk, later = Desk().begun().active(DOCUMENT), b.a_document(version=2, supersedes=DOCUMENT.digest)
    desk.authorised(later)
    desk.attested(later)
    desk.beat()
    assert (desk.state(DOCUMENT), desk.state(later)) == (State.ENDED, State.ACTIVE)
    desk.at = purge_at(later)
    desk.beat()
    desk.beat()
    ordered_by = [said for said in desk.said if isinstance(said, StateChanged) and said.move is Move.ORDER_PURGE]
    (order,) = (said for said in ordered_by if said.version == 2)
    desk.answers = tuple(an_answer(desk, holder, version=2, order=order.sequence) for holder in SERVICES)
    desk.at += SETTLE
    desk.beat()
    assert (desk.state(DOCUMENT), desk.state(later)) == (State.PURGED, State.PURGED)


@pytest.mark.parametrize("called_off", [State.CANCELLED, State.REFUSED, State.EXPIRED])
def test_what_ran_is_purged_and_reviewed_though_a_later_version_was_called_off(called_off: State) -> None:
    desk, later = Desk().begun().active(DOCUMENT), b.a_document(version=2, supersedes=DOCUMENT.digest)
    desk.submitted(later, *(["ann"] if called_off is State.REFUSED else ["ann", "olu"]))
    desk.at += BEAT
    desk.give(DOCUMENT, Move.STOP, "sam")
    if called_off is not State.REFUSED:
        assert desk.gate(DOCUMENT.id).works_for() == (2, later.digest)
    if called_off is State.CANCELLED:
        desk.give(later, Move.CANCEL, "olu")
    elif called_off is State.REFUSED:
        desk.give(later, Move.REFUSE, "olu")
    desk.at = purge_at(DOCUMENT)
    desk.beat()
    desk.beat()
    assert desk.state(later) is called_off
    # Services obey the order of what they work for, and of nothing else.
    assert desk.gate(DOCUMENT.id).works_for() == (1, DOCUMENT.digest)
    answered(desk, *SERVICES)
    assert desk.state(DOCUMENT) is State.PURGED
    desk.give(DOCUMENT, Move.REPORT, "sam", evidence="a" * 64)
    desk.give(DOCUMENT, Move.REVIEW, "aud", evidence="b" * 64)
    assert not list(overdue(desk.register, desk.at + timedelta(days=400)))

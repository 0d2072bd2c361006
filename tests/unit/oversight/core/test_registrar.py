"""What oversight records on whose word, and what it refuses: every move an order or a paper can ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.contracts.authorisation.canonical import digest_of
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, Move, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.registry import sign_registry
from services.contracts.authorisation.statements import (
    ORDER_LIVES,
    Approval,
    NotBelieved,
    Rejection,
    StateChanged,
    open_as,
    sign,
)
from services.oversight.core.commands import Approve, Attest, Command, Conclude, Give, PutRegistry, Submit
from services.oversight.core.reading import MOST_APPROVALS
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import BEAT, Desk, attestation

DOCUMENT = b.a_document()
HOUR = timedelta(hours=1)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(NotAuthorised) as raised:
        call()
    return str(raised.value)


def not_believed(call: Callable[[], object]) -> Rejection:
    with pytest.raises(NotBelieved) as raised:
        call()
    return raised.value.why


# The registry.


def test_nothing_is_recorded_before_the_root_has_named_the_keys() -> None:
    assert "the root's must be put first" in refused(lambda: Desk().submitted(DOCUMENT))


def test_a_registry_of_the_root_is_recorded_once() -> None:
    desk = Desk().begun().begun()
    assert [type(record).__name__ for record in desk.records] == ["RegistryIssued"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sequence": 1, "issued_at": b.APPROVED}, "must be greater than 1"),
        ({"sequence": 2, "organisation": "other-police"}, "another organisation"),
        ({"sequence": 2, "valid_until": b.APPROVED}, "must sign a new one"),
        ({"sequence": 2, "issued_at": b.APPROVED + HOUR}, "in the future"),
    ],
)
def test_a_registry_that_is_old_or_anothers_or_not_in_force_is_refused(changes: dict[str, Any], why: str) -> None:
    desk = Desk().begun()
    assert why in refused(lambda: desk.tell(PutRegistry(sign_registry(b.a_registry(**changes), b.ROOT))))


@pytest.mark.parametrize("person", ["oversight", "review"])
def test_a_registry_that_lacks_a_key_which_signed_for_the_audit_chain_is_refused(person: str) -> None:
    """What that key signed would be a stranger's from then on, and the chain would begin anew."""
    desk = Desk().begun()
    lacking = sign_registry(b.a_registry(without=[person], sequence=2), b.ROOT)
    assert f"must still have the key {b.key(person).kid}" in refused(lambda: desk.tell(PutRegistry(lacking)))
    revoked = b.a_registered_key(person, revoked_at=b.APPROVED)
    kept = b.a_registry(revoked, without=[person], sequence=2)
    desk.tell(PutRegistry(sign_registry(kept, b.ROOT)))
    assert desk.register.registry == kept


def test_a_registry_signed_by_another_root_is_refused() -> None:
    forged = sign_registry(b.a_registry(root=b.key("thief").public), b.key("thief"))
    assert "another root" in refused(lambda: Desk().tell(PutRegistry(forged)))


def test_oversight_without_a_key_in_the_registry_records_nothing_but_a_registry() -> None:
    desk = Desk()
    desk.tell(PutRegistry(sign_registry(b.a_registry(without=["oversight"]), b.ROOT)))
    assert "the root must enrol it" in refused(lambda: desk.submitted(DOCUMENT))
    assert desk.beat().entries == ()


# Submission and approval.


def test_an_author_submits_and_a_document_and_its_first_move_are_one_decision() -> None:
    desk = Desk().begun()
    decision = desk.tell(Submit(DOCUMENT.canonical_bytes(), b.approvals(DOCUMENT, "ann")))
    assert [type(entry.record).__name__ for entry in decision.entries] == ["DocumentPublished", "StateRecorded"]
    assert desk.state(DOCUMENT) is State.SUBMITTED


def test_a_submission_with_all_its_approvals_is_authorised_and_leased_at_once() -> None:
    desk = Desk().begun().authorised(DOCUMENT)
    assert desk.moves() == [Move.SUBMIT, Move.APPROVE]
    assert [lease.state for lease in desk.leases()] == [State.AUTHORISED]


@pytest.mark.parametrize(
    ("document", "people", "why"),
    [
        (DOCUMENT, ("olu",), "the author's own signature is missing"),
        (DOCUMENT, ("ann", "sam"), "may not sign"),
        (b.a_document(fpir_budget=0.01), ("ann",), "at most 1 in 1,000"),
        (b.a_document(serial=2), ("ann",), "must be 1, the next of the organisation"),
        (b.a_document(version=2, supersedes=b.sha("one")), ("ann",), "the first version is 1"),
        (b.a_document(organisation="other-police"), ("ann",), "not this register's"),
    ],
)
def test_a_submission_that_breaks_a_rule_is_refused(document: Document, people: tuple[str, ...], why: str) -> None:
    desk = Desk().begun()
    tokens = tuple(
        b.approval(document, person, role="authorising_officer" if person == "sam" else b.PEOPLE[person])
        for person in people
    )
    before = desk.register
    assert why in refused(lambda: desk.tell(Submit(document.canonical_bytes(), tokens)))
    assert desk.register is before


def test_bytes_that_are_not_a_canonical_document_are_refused() -> None:
    desk = Desk().begun()
    raw = DOCUMENT.canonical_bytes() + b" "
    ours = open_as(
        Approval, b.approvals(DOCUMENT, "ann", at=desk.at)[0], registry=b.a_registry(), now=desk.at
    ).statement
    token = sign(ours.model_copy(update={"digest": digest_of(raw)}), b.key("ann"))
    assert "canonical form" in refused(lambda: desk.tell(Submit(raw, (token,))))


def test_a_document_that_nobody_of_the_registry_signed_is_not_even_read() -> None:
    """Reading a large one takes a second, and whoever reached the door could have it done: 30 s for a comb."""
    desk = Desk().begun()
    signatures = b.approvals(DOCUMENT, "ann", at=desk.at)
    for raw in (b"[" * 1_000_000, b"not a document", DOCUMENT.canonical_bytes() + b" "):
        submitted = Submit(raw, signatures)
        assert "nobody of the registry has signed" in refused(lambda one=submitted: desk.tell(one))  # type: ignore[misc]


def test_more_approvals_than_an_organisation_has_signers_for_are_refused() -> None:
    """Each is checked again with every lease."""
    desk = Desk().begun()
    many = tuple(b.approval(DOCUMENT, "ann", desk.at - timedelta(seconds=n)) for n in range(MOST_APPROVALS + 1))
    assert "too many" in refused(lambda: desk.tell(Submit(DOCUMENT.canonical_bytes(), many)))
    desk.tell(Submit(DOCUMENT.canonical_bytes(), many[1:]))
    assert "too many" in refused(lambda: desk.tell(Approve(b.approvals(DOCUMENT, "olu", at=desk.at)[0])))


def test_the_same_submission_again_changes_nothing() -> None:
    desk = Desk().begun().submitted(DOCUMENT)
    again = desk.tell(Submit(DOCUMENT.canonical_bytes(), b.approvals(DOCUMENT, "ann")))
    assert again.entries == ()
    assert again.version == desk.version(DOCUMENT)


def test_a_second_document_takes_the_next_serial() -> None:
    second = b.a_document(id="oxford-street-2", serial=2)
    desk = Desk().begun().submitted(DOCUMENT).submitted(second)
    assert desk.state(second) is State.SUBMITTED


def test_a_refused_authority_keeps_its_serial() -> None:
    desk = Desk().begun().submitted(DOCUMENT)
    desk.give(DOCUMENT, Move.REFUSE, "olu")
    assert "must be 2" in refused(lambda: desk.submitted(b.a_document(id="oxford-street-2", serial=1)))


def test_one_officer_of_two_is_recorded_and_the_second_authorises() -> None:
    assembly = b.a_document(assembly=True)
    desk = Desk().begun().submitted(assembly)
    desk.approve(assembly, "olu")
    assert desk.state(assembly) is State.SUBMITTED
    assert len(desk.version(assembly).approvals) == 2
    desk.approve(assembly, "pat")
    assert desk.state(assembly) is State.AUTHORISED


def test_the_same_approval_again_changes_nothing() -> None:
    desk = Desk().begun().submitted(DOCUMENT)
    token = b.approval(DOCUMENT, "olu", desk.at)
    desk.tell(Approve(token))
    assert desk.tell(Approve(token)).entries == ()


def test_who_is_on_the_other_side_may_not_approve() -> None:
    both = b.a_registered_key("olu", b.PEOPLE["liz"], secret="olu's other key")
    desk = Desk()
    desk.tell(PutRegistry(sign_registry(b.a_registry(both), b.ROOT)))
    desk.submitted(DOCUMENT)
    assert "may not be a list manager" in refused(lambda: desk.approve(DOCUMENT, "olu"))
    assert len(desk.version(DOCUMENT).approvals) == 1


def test_an_approval_of_an_altered_document_is_refused() -> None:
    desk = Desk().begun().submitted(DOCUMENT)
    altered = b.a_document(fpir_budget=0.0005)
    assert "of another document" in refused(lambda: desk.approve(altered, "olu"))


def test_an_approval_of_an_unknown_authority_is_refused() -> None:
    assert "no such version" in refused(lambda: Desk().begun().approve(DOCUMENT, "olu"))


def test_an_approval_by_a_key_the_root_does_not_know_is_not_believed() -> None:
    desk = Desk()
    desk.tell(PutRegistry(sign_registry(b.a_registry(without=["pat"]), b.ROOT)))
    desk.submitted(DOCUMENT)
    assert not_believed(lambda: desk.approve(DOCUMENT, "pat")) is Rejection.UNKNOWN_KEY


def test_an_approval_after_the_end_comes_too_late() -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.give(DOCUMENT, Move.STOP, "sam")
    assert "too late" in refused(lambda: desk.approve(DOCUMENT, "pat"))


def test_a_new_authority_is_refused_while_an_earlier_report_is_overdue() -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.at = b.END + timedelta(days=8)
    desk.beat()
    later = {"start": desk.at + HOUR, "end": desk.at + 2 * HOUR}
    second = b.a_document(id="oxford-street-2", serial=2, created_at=desk.at, window=later)
    assert "the report of oxford-street-1 is overdue" in refused(lambda: desk.submitted(second))
    desk.tell(Conclude(DOCUMENT.id, 1, Move.PURGE, b.sha("certificate")))
    desk.give(DOCUMENT, Move.REPORT, "sam", evidence=b.sha("report"))
    desk.submitted(second)
    assert desk.state(second) is State.SUBMITTED


def test_more_signatures_than_a_record_holds_are_refused() -> None:
    desk = Desk().begun()
    junk = tuple(f"{number}" + "x" * 100_000 for number in range(30))
    tokens = (*b.approvals(DOCUMENT, at=desk.at), *junk)
    assert "too many" in refused(lambda: desk.tell(Submit(DOCUMENT.canonical_bytes(), tokens)))


# Attestation.


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"signs_up_at": b.APPROVED - timedelta(hours=1)}, "since a day ahead at most"),
        ({"notice_published_at": b.START}, "the notice must be out"),
    ],
)
def test_an_attestation_that_would_not_count_is_refused(changes: dict[str, Any], why: str) -> None:
    desk = Desk().begun().authorised(DOCUMENT)
    desk.at = b.START - HOUR
    token = attestation(DOCUMENT, desk.at, **changes)
    assert why in refused(lambda: desk.tell(Attest(token)))


def test_an_attestation_by_who_may_not_give_one_is_not_believed() -> None:
    desk = Desk().begun().authorised(DOCUMENT)
    desk.at = b.START
    token = attestation(DOCUMENT, desk.at, by="rex")
    assert not_believed(lambda: desk.tell(Attest(token))) is Rejection.WRONG_ROLE


def test_an_attestation_is_recorded_once_and_not_waited_for_after_the_beginning() -> None:
    desk = Desk().begun().active(DOCUMENT)
    assert "is not waited for" in refused(lambda: desk.attested(DOCUMENT))


# Orders.


@pytest.mark.parametrize(
    ("move", "by", "after"),
    [
        (Move.REFUSE, "olu", State.REFUSED),
        (Move.CANCEL, "ann", State.CANCELLED),
        (Move.CANCEL, "olu", State.CANCELLED),
    ],
)
def test_what_is_submitted_can_be_refused_and_cancelled(move: Move, by: str, after: State) -> None:
    desk = Desk().begun().submitted(DOCUMENT)
    desk.give(DOCUMENT, move, by)
    assert desk.state(DOCUMENT) is after
    assert desk.leases() == []


def test_a_cancelled_authority_gets_one_last_lease_that_says_so() -> None:
    desk = Desk().begun().authorised(DOCUMENT)
    desk.give(DOCUMENT, Move.CANCEL, "olu")
    assert desk.leases()[-1].state is State.CANCELLED
    assert desk.beat().entries == ()


@pytest.mark.parametrize("by", ["sam", "olu", "uma"])
def test_whoever_is_in_charge_can_stop_it_and_the_order_goes_into_the_record(by: str) -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.at = b.NOON
    desk.give(DOCUMENT, Move.STOP, by)
    assert desk.state(DOCUMENT) is State.ENDED
    last = [said for said in desk.said if isinstance(said, StateChanged)][-1]
    assert last.order is not None
    assert desk.leases()[-1].state is State.ENDED


def test_who_approved_can_set_a_suspended_one_going_again() -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.at = b.NOON
    desk.give(DOCUMENT, Move.SUSPEND, "sam")
    assert desk.state(DOCUMENT) is State.SUSPENDED
    assert "only who approved it" in refused(lambda: desk.give(DOCUMENT, Move.RESUME, "pat"))
    desk.give(DOCUMENT, Move.RESUME, "olu")
    assert desk.state(DOCUMENT) is State.ACTIVE
    desk.beat()
    assert desk.gate(DOCUMENT.id).standing(b.a_reading(desk.at)) is None


def test_a_suspended_one_can_be_stopped() -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.give(DOCUMENT, Move.SUSPEND, "sam")
    desk.give(DOCUMENT, Move.STOP, "sam")
    assert desk.state(DOCUMENT) is State.ENDED


@pytest.mark.parametrize(
    ("move", "by", "why"),
    [
        (Move.STOP, "rex", "may not stop"),
        (Move.SUSPEND, "aud", "may not suspend"),
        (Move.RESUME, "olu", "leads nowhere from `active`"),
        (Move.END, "olu", "not done by an order"),
        (Move.ACTIVATE, "olu", "not done by an order"),
        (Move.PURGE, "olu", "not done by an order"),
        (Move.CANCEL, "olu", "leads nowhere from `active`"),
    ],
)
def test_an_order_that_leads_nowhere_or_by_the_wrong_role_is_refused(move: Move, by: str, why: str) -> None:
    desk = Desk().begun().active(DOCUMENT)
    before = desk.register
    assert why in refused(lambda: desk.give(DOCUMENT, move, by))
    assert desk.register is before


def test_an_order_is_valid_once() -> None:
    desk = Desk().begun().active(DOCUMENT)
    order = b.an_order(DOCUMENT, 4, Move.SUSPEND, "sam", desk.at)
    desk.tell(Give(order))
    desk.give(DOCUMENT, Move.RESUME, "olu")
    assert "valid once" in refused(lambda: desk.tell(Give(order)))


def test_an_order_to_set_it_going_that_was_refused_cannot_be_played_later() -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.at = b.NOON
    desk.give(DOCUMENT, Move.SUSPEND, "sam")
    order = b.an_order(DOCUMENT, len(desk.version(DOCUMENT).moves) + 1, Move.RESUME, "olu", desk.at)
    desk.clock = ClockState.UNSYNCHRONISED
    with pytest.raises(NotAuthorised, match="unsynchronised"):
        desk.tell(Give(order))
    desk.clock = ClockState.SYNCHRONISED
    desk.at += ORDER_LIVES + BEAT
    with pytest.raises(NotAuthorised, match=r"order\.signed_at"):
        desk.tell(Give(order))
    assert desk.state(DOCUMENT) is State.SUSPENDED


def test_a_stop_is_not_lost_to_a_move_that_was_recorded_first() -> None:
    desk = Desk().begun().active(DOCUMENT)
    order = b.an_order(DOCUMENT, len(desk.version(DOCUMENT).moves) + 1, Move.STOP, "sam", desk.at)
    for move, by in ((Move.SUSPEND, "sam"), (Move.RESUME, "olu")):
        desk.at += BEAT
        desk.give(DOCUMENT, move, by)
    desk.tell(Give(order))
    assert desk.state(DOCUMENT) is State.ENDED
    assert desk.gate(DOCUMENT.id).standing(b.a_reading(desk.at)) is Refusal.NOT_ACTIVE


def test_an_order_to_stop_is_never_too_old() -> None:
    desk = Desk().begun().active(DOCUMENT)
    order = b.an_order(DOCUMENT, len(desk.version(DOCUMENT).moves) + 1, Move.STOP, "sam", desk.at)
    desk.at += ORDER_LIVES + BEAT
    desk.tell(Give(order))
    assert desk.state(DOCUMENT) is State.ENDED


def test_an_order_about_another_deployments_document_is_refused() -> None:
    desk = Desk().begun().active(DOCUMENT)
    stolen = b.an_order(DOCUMENT, 4, Move.STOP, "sam", desk.at, digest=b.sha("another"))
    assert "of another document" in refused(lambda: desk.tell(Give(stolen)))


def test_a_person_on_a_revoked_key_orders_nothing() -> None:
    desk = Desk().begun().active(DOCUMENT)
    gone = b.a_registered_key("sam", revoked_at=desk.at)
    desk.tell(PutRegistry(sign_registry(b.a_registry(gone, without=["sam"], sequence=2), b.ROOT)))
    assert not_believed(lambda: desk.give(DOCUMENT, Move.STOP, "sam")) is Rejection.KEY_REVOKED


def test_a_clock_that_was_set_back_keeps_nobody_from_stopping() -> None:
    desk = Desk().begun().active(DOCUMENT)
    began = desk.at
    order = b.an_order(DOCUMENT, 4, Move.STOP, "sam", began - HOUR)
    desk.at = began - HOUR
    desk.tell(Give(order))
    stopped = [said for said in desk.said if isinstance(said, StateChanged)][-1]
    assert (stopped.after, stopped.signed_at) == (State.ENDED, began)


def test_a_review_is_an_auditors_order_with_evidence() -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.give(DOCUMENT, Move.STOP, "sam")
    desk.tell(Conclude(DOCUMENT.id, 1, Move.PURGE, b.sha("certificate")))
    desk.give(DOCUMENT, Move.REPORT, "sam", evidence=b.sha("report"))
    assert "digest of certificate" in refused(lambda: desk.give(DOCUMENT, Move.REVIEW, "aud"))
    desk.give(DOCUMENT, Move.REVIEW, "aud", evidence=b.sha("review"))
    assert desk.state(DOCUMENT) is State.REVIEWED


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (Conclude(DOCUMENT.id, 1, Move.PURGE, b.sha("c")), "leads nowhere from `active`"),
        (Conclude(DOCUMENT.id, 1, Move.STOP, b.sha("c")), "not concluded by oversight"),
        (Conclude(DOCUMENT.id, 1, Move.REPORT, b.sha("c")), "not concluded by oversight"),
        (Conclude(DOCUMENT.id, 9, Move.PURGE, b.sha("c")), "no such version"),
    ],
)
def test_what_is_not_over_is_not_concluded(command: Command, why: str) -> None:
    desk = Desk().begun().active(DOCUMENT)
    assert why in refused(lambda: desk.tell(command))


# Revocations.


def test_entries_are_revoked_in_a_gapless_chain_that_the_next_lease_names() -> None:
    desk = Desk().begun().active(DOCUMENT)
    desk.revoke(DOCUMENT, b.TOKENS[0])
    desk.revoke(DOCUMENT, b.TOKENS[1], by="olu")
    assert desk.leases()[-1].revocations == 2
    assert desk.leases()[-1].revocations_head == desk.register.deployment(DOCUMENT.id).revocations.heads[-1]
    assert desk.gate(DOCUMENT.id).revoked(DOCUMENT.watchlist.digest) == frozenset(b.TOKENS[:2])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"list_digest": b.sha("another list")}, "of no list of this deployment"),
        ({"sequence": 2}, "must be number 1"),
        ({"previous": b.sha("another head")}, "must be number 1"),
        ({"deployment": "elsewhere"}, "no such version"),
    ],
)
def test_a_revocation_that_does_not_follow_is_refused(changes: dict[str, Any], why: str) -> None:
    desk = Desk().begun().active(DOCUMENT)
    assert why in refused(lambda: desk.revoke(DOCUMENT, b.TOKENS[0], **changes))


def test_a_reviewer_takes_nobody_off_a_list() -> None:
    desk = Desk().begun().active(DOCUMENT)
    assert not_believed(lambda: desk.revoke(DOCUMENT, b.TOKENS[0], by="rex")) is Rejection.WRONG_ROLE


# What Show tells.


def test_what_an_authorised_one_waits_for_is_told() -> None:
    desk = Desk(clock=ClockState.UNKNOWN, lists=frozenset()).begun().authorised(DOCUMENT)
    waits = desk.clerk.waits_for(desk.register, desk.version(DOCUMENT), desk.now)
    assert {finding.field for finding in waits} == {"attestation", "watchlist.digest", "window", "clock"}


def test_what_a_submitted_one_waits_for_are_its_approvers() -> None:
    desk = Desk().begun().submitted(DOCUMENT)
    waits = desk.clerk.waits_for(desk.register, desk.version(DOCUMENT), desk.now)
    assert [finding.rule for finding in waits] == ["0 of 1 authorising officers have signed"]


def test_an_active_one_waits_for_nothing() -> None:
    desk = Desk().begun().active(DOCUMENT)
    assert desk.clerk.waits_for(desk.register, desk.version(DOCUMENT), desk.now) == ()


def test_a_decision_leaves_the_register_it_was_given_as_it_was() -> None:
    desk = Desk().begun()
    before = replace(desk.register)
    kept = desk.register
    desk.authorised(DOCUMENT)
    desk.at += BEAT
    desk.beat()
    assert kept == before

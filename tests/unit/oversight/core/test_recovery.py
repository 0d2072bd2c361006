"""A leader begins with what its predecessors recorded, and with nothing that anybody else wrote."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.records import DocumentPublished, LeaseRenewed, Record, RegistryIssued
from services.contracts.authorisation.registry import sign_registry
from services.contracts.authorisation.statements import Rejection
from services.oversight.core.commands import PutRegistry
from services.oversight.core.recovery import Recovered, recover
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import BEAT, Desk

DOCUMENT = b.a_document()


def recovered(records: Sequence[Record]) -> Recovered:
    return recover(records, organisation="city-police", root_fingerprint=b.ROOT.kid)


def a_full_desk() -> Desk:
    desk = Desk().begun().active(DOCUMENT)
    desk.revoke(DOCUMENT, b.TOKENS[0])
    desk.revoke(DOCUMENT, b.TOKENS[1])
    desk.give(DOCUMENT, Move.SUSPEND, "sam")
    desk.beat()
    return desk


def test_the_records_give_back_the_register() -> None:
    desk = a_full_desk()
    found = recovered(desk.records)
    assert found.register == desk.register
    assert not found.rejected


def test_compacted_records_give_back_the_register_in_any_order() -> None:
    desk = a_full_desk()
    newest: dict[object, Record] = {}
    for record in desk.records:
        keyed = isinstance(record, LeaseRenewed | RegistryIssued | DocumentPublished)
        newest[type(record) if keyed else record] = record
    assert recovered([*reversed(newest.values())]).register == desk.register


def test_an_attestation_outlives_the_leader_that_took_it() -> None:
    desk = Desk().begun().authorised(DOCUMENT)
    desk.at = b.START - BEAT
    desk.attested(DOCUMENT)
    desk.register = recovered(desk.records).register
    desk.at = b.START
    desk.beat()
    assert desk.state(DOCUMENT) is State.ACTIVE


def test_leases_go_on_where_the_predecessor_ended() -> None:
    desk = a_full_desk()
    last = desk.leases()[-1].sequence
    desk.register = recovered(desk.records).register
    desk.beat()
    assert desk.leases()[-1].sequence == last + 1


def test_an_old_lease_written_again_changes_nothing() -> None:
    desk = a_full_desk()
    first = next(record for record in desk.records if isinstance(record, LeaseRenewed))
    assert recovered([*desk.records, first]).register == desk.register


def test_without_a_registry_nothing_is_known() -> None:
    desk = a_full_desk()
    others = [record for record in desk.records if not isinstance(record, RegistryIssued)]
    assert recovered(others).register.deployments == {}


def test_a_registry_of_another_root_is_passed_over_and_counted() -> None:
    forged = RegistryIssued(sign_registry(b.a_registry(root=b.key("thief").public, sequence=9), b.key("thief")))
    desk = a_full_desk()
    found = recovered([*desk.records, forged])
    assert found.register == desk.register
    assert found.rejected == {Rejection.BAD_SIGNATURE: 1}


def test_a_registry_of_another_organisation_under_the_same_root_is_not_ours() -> None:
    other = RegistryIssued(sign_registry(b.a_registry(organisation="other-police", sequence=9), b.ROOT))
    desk = a_full_desk()
    assert recovered([other, *desk.records]).register == desk.register


def test_an_old_registry_written_over_the_newest_brings_no_revoked_key_back() -> None:
    desk, old = a_full_desk(), b.a_registry_record()
    gone = b.a_registered_key("olu", revoked_at=desk.at)
    newest = sign_registry(b.a_registry(gone, without=["olu"], sequence=2), b.ROOT)
    desk.tell(PutRegistry(newest))
    desk.beat()
    assert desk.leases()[-1].registry_sequence == 2
    kept = [record for record in desk.records if not isinstance(record, RegistryIssued)]
    successor = Desk(at=desk.at, register=recovered([*kept, old]).register)
    assert successor.beat().entries == ()
    with pytest.raises(NotAuthorised, match="must be at least 2"):
        successor.tell(PutRegistry(old.token))
    successor.tell(PutRegistry(newest))
    assert successor.beat().entries


def test_moves_that_others_than_oversight_signed_are_passed_over_and_counted() -> None:
    desk = a_full_desk()
    forged = b.a_change(DOCUMENT, 5, Move.STOP, b.NOON, by="sam")
    found = recovered([*desk.records, forged])
    assert found.register == desk.register
    assert found.rejected == {Rejection.WRONG_ROLE: 1}


def test_a_move_that_does_not_follow_is_passed_over() -> None:
    desk = Desk().begun().active(DOCUMENT)
    out_of_order = b.a_change(DOCUMENT, 5, Move.RESUME, b.NOON)
    found = recovered([*desk.records, out_of_order])
    assert found.register == desk.register
    assert found.rejected == {Rejection.ILLEGAL_MOVE: 1}


def test_of_two_moves_under_one_number_the_first_holds_and_the_second_is_counted() -> None:
    desk = a_full_desk()
    second = b.a_change(DOCUMENT, 3, Move.ACTIVATE, b.NOON)
    found = recovered([*desk.records, second])
    assert found.register == desk.register
    assert found.rejected == {Rejection.ILLEGAL_MOVE: 1}


def test_records_that_come_twice_are_nothing_new() -> None:
    desk = a_full_desk()
    found = recovered([*desk.records, *desk.records])
    assert found.register == desk.register
    assert not found.rejected


def test_an_altered_document_under_the_same_number_does_not_hide_the_real_one() -> None:
    desk = a_full_desk()
    altered = b.a_document(fpir_budget=0.0005)
    found = recovered([*desk.records, b.published(altered)])
    assert found.register == desk.register


def test_papers_that_were_never_submitted_take_no_number_and_no_name() -> None:
    desk = a_full_desk()
    nobodys = [b.published(b.a_document(id="market-2", serial=2)), b.published(b.a_document(id="far", serial=99))]
    assert recovered([*desk.records, *nobodys]).register == desk.register


def test_a_document_that_is_none_is_passed_over_and_counted() -> None:
    desk = a_full_desk()
    found = recovered([*desk.records, DocumentPublished(b"{}", ())])
    assert found.register == desk.register
    assert found.rejected == {Rejection.NOT_APPROVED: 1}


def test_a_document_of_another_organisation_is_passed_over() -> None:
    desk = a_full_desk()
    other = b.published(b.a_document(organisation="other-police", id="elsewhere"))
    assert recovered([*desk.records, other]).register == desk.register


def test_a_serial_number_outlives_the_key_of_who_approved_it() -> None:
    desk = a_full_desk()
    gone = b.a_registered_key("ann", revoked_at=desk.at)
    desk.tell(PutRegistry(sign_registry(b.a_registry(gone, without=["ann"], sequence=2), b.ROOT)))
    found = recovered(desk.records).register
    assert [version.document.serial for version in found.versions()] == [1]
    assert found.version(DOCUMENT.id, 1) == desk.version(DOCUMENT)

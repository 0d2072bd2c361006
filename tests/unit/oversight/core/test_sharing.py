"""The sharing register on oversight: signed by the one role, recorded, chained, and given back on takeover."""

from __future__ import annotations

from typing import Any

import pytest

from services.contracts.audit.requests import SYSTEM, Action
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.gate import Gate
from services.contracts.authorisation.records import SharingRecorded
from services.contracts.authorisation.registry import sign_registry
from services.contracts.authorisation.statements import NotBelieved, Rejection, sign
from services.contracts.sharing.statements import KINDS, SharingStatement
from services.oversight.core.commands import EnterSharing, PutRegistry
from services.oversight.core.recovery import Recovered, recover
from tests.unit.contracts.authorisation import builders as b
from tests.unit.contracts.sharing.builders import NORTH, Clerk
from tests.unit.oversight.core.test_minutes import Minuted

CENTRAL = b.a_registered_key("cen", Role.SHARING_APPROVER)
WHO = {"cen": Role.SHARING_APPROVER} | b.PEOPLE


class Office(Minuted):
    """Minuted, and with the register's next line at hand."""

    def begun(self) -> Office:
        self.tell(PutRegistry(sign_registry(b.a_registry(CENTRAL), b.ROOT)))
        return self

    @property
    def lines(self) -> Clerk:
        return Clerk(self.at, self.register.sharing)

    def enter(self, said: SharingStatement, by: str) -> str:
        token = sign(said, b.key(by))
        self.tell(EnterSharing(token))
        return token

    def agreed(self) -> Office:
        self.enter(self.lines.agreement(begins_at=self.at), "cen")
        return self


def an_office() -> Office:
    return Office().begun()


def a_full_office() -> Office:
    office = an_office().agreed()
    office.enter(office.lines.share(), "liz")
    office.enter(office.lines.legacy(), "liz")
    office.enter(office.lines.heard(1, "deletion"), "cen")
    office.enter(office.lines.answer(NORTH, office.at.date()), "aud")
    office.enter(office.lines.end(), "cen")
    return office


def recovered(office: Office, **changes: Any) -> Recovered:
    records = changes.get("records", office.records)
    return recover(records, organisation="city-police", root_fingerprint=b.ROOT.kid)


@pytest.mark.parametrize("by", sorted(WHO))
def test_only_a_list_manager_shares(by: str) -> None:
    office = an_office().agreed()
    if WHO[by] is Role.LIST_MANAGER:
        office.enter(office.lines.share(), by)
        assert len(office.register.sharing.shares) == 1
        return
    with pytest.raises(NotBelieved) as refused:
        office.enter(office.lines.share(), by)
    assert refused.value.why is Rejection.WRONG_ROLE
    assert office.register.sharing.shares == ()


@pytest.mark.parametrize("by", sorted(set(WHO) - {"cen"}))
def test_only_the_central_approver_agrees(by: str) -> None:
    office = an_office()
    with pytest.raises(NotBelieved):
        office.enter(office.lines.agreement(begins_at=office.at), by)
    assert office.register.sharing.agreements == {}


def test_a_refused_line_names_field_rule_and_source() -> None:
    office = an_office()
    with pytest.raises(NotAuthorised) as refused:
        office.enter(office.lines.share(), "liz")
    assert [str(one) for one in refused.value.findings] == [
        "agreement: is not in the register: nothing is shared without one [C-20]"
    ]
    assert Action.SHARED not in office.told()


def test_every_line_is_asked_into_the_audit_chain_with_its_record() -> None:
    office = a_full_office()
    mine = [
        one.content for one in office.asked if one.content.about.startswith(("share/", "agreement/", "answer/"))
    ]
    assert [(one.what, one.about, one.chain) for one in mine] == [
        (Action.SHARING_AGREED, "agreement/robbery-2026", SYSTEM),
        (Action.SHARED, "share/1", "oxford-street-1"),
        (Action.SHARED, "share/2", SYSTEM),
        (Action.SHARE_FOLLOWED_UP, "share/1/deletion", SYSTEM),
        (Action.ANSWER_PUBLISHED, "answer/1", SYSTEM),
        (Action.SHARING_ENDED, "agreement/robbery-2026", SYSTEM),
    ]
    assert all(one.seen_sha256 for one in mine)


def test_what_comes_in_is_told_as_such() -> None:
    office = an_office().agreed()
    changes = {"direction": "in", "deployment": None, "list_digest": None, "mark": None}
    office.enter(office.lines.share(**changes), "liz")
    assert office.told()[-1] is Action.SHARE_RECEIVED


def test_the_same_line_again_is_harmless() -> None:
    office = an_office().agreed()
    token = office.enter(office.lines.share(), "liz")
    before = len(office.records)
    office.tell(EnterSharing(token))
    assert len(office.records) == before


def test_every_kind_comes_back_on_takeover_in_any_order() -> None:
    office = a_full_office()
    said = {type(one) for one in office.said if isinstance(one, SharingStatement)}
    assert said == set(KINDS)
    for records in (office.records, office.records[::-1]):
        found = recovered(office, records=records)
        assert found.register == office.register
        assert not found.rejected


def test_a_line_that_was_taken_out_of_the_topic_stops_all_sharing() -> None:
    """Somebody who can write to Kafka deletes one share: the next one must not get its number."""
    office = a_full_office()
    lines = [one for one in office.records if isinstance(one, SharingRecorded)]
    found = recovered(office, records=[one for one in office.records if one is not lines[1]])
    assert found.register.sharing.broken
    assert found.rejected == {Rejection.BREAKS_RULES: 4}
    office.register = found.register
    with pytest.raises(NotAuthorised, match="number"):
        office.enter(Clerk(office.at, found.register.sharing).end(), "cen")


def test_without_its_registry_a_register_that_is_not_empty_is_not_begun_anew() -> None:
    office = a_full_office()
    found = recovered(office, records=[one for one in office.records if isinstance(one, SharingRecorded)])
    assert found.register.sharing.broken
    assert not recovered(office, records=[]).register.sharing.broken
    other = SharingRecorded(sign(Clerk(office.at).agreement(organisation="north-police", party="x"), b.key("cen")))
    assert not recovered(office, records=[other, SharingRecorded("no token")]).register.sharing.broken


def test_a_line_that_another_role_wrote_past_oversight_is_passed_over() -> None:
    office = an_office().agreed()
    forged = SharingRecorded(sign(office.lines.share(), b.key("sam")))
    found = recovered(office, records=[*office.records, forged])
    assert found.register == office.register
    assert found.rejected == {Rejection.WRONG_ROLE: 1}


def test_another_organisations_line_is_passed_over() -> None:
    office = an_office().agreed()
    other = SharingRecorded(sign(Clerk(office.at).agreement(organisation="north-police", party="x"), b.key("cen")))
    found = recovered(office, records=[*office.records, other])
    assert found.register == office.register
    assert found.rejected == {Rejection.OTHER_DEPLOYMENT: 1}


def test_a_line_that_no_rule_admits_is_not_believed_on_takeover() -> None:
    office = an_office().agreed()
    forged = SharingRecorded(sign(office.lines.share(agreement="no-such"), b.key("liz")))
    found = recovered(office, records=[*office.records, forged])
    assert found.register.sharing.broken
    assert found.register.sharing.shares == ()


def test_no_gate_keeps_a_line_or_complains_of_it() -> None:
    office = a_full_office()
    gate = Gate.shut("oxford-street-1", root_fingerprint=b.ROOT.kid)
    for record in office.records:
        folded = gate.fold(record, b.a_reading(office.at))
        if isinstance(record, SharingRecorded):
            assert folded.gate.beliefs.believed == gate.beliefs.believed
            assert folded.rejected in (None, Rejection.OTHER_DEPLOYMENT)
        gate = folded.gate

"""What may be asked to be recorded, and what its bytes keep."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import codec_audit
from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.commitments import NOBODY, Commitment, commit, opens
from services.contracts.audit.requests import SYSTEM, Action, AuditRequested
from services.contracts.audit.signing import fingerprint
from services.contracts.audit.terms import TermBegun
from services.contracts.errors import Undecodable
from services.contracts.events import CaseOutcome, Invalid
from signpost.v1 import audit_pb2
from tests.unit.contracts.audit.builders import (
    NOON,
    SEQUENCER,
    SERVICES,
    STRANGER,
    a_commitment,
    a_request,
    a_row,
    a_sequencer,
    entered,
    keys,
    requests,
    sequenced,
    signed,
    verify,
)

SALT = bytes(range(32))
digests = st.binary(min_size=32, max_size=32)
times = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds, gives aware values
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(
    what=st.sampled_from([action for action in Action if action is not Action.ALERT_RECORDED]),
    at=times,
    sequence=st.integers(1, 2**63),
    who=st.one_of(st.just(b""), digests),
    seen=st.one_of(st.just(b""), digests),
    chain=st.sampled_from(["oxford-street-1", SYSTEM]),
)
def test_a_request_comes_out_as_it_went_in(
    what: Action, at: datetime, sequence: int, who: bytes, seen: bytes, chain: str
) -> None:
    content = a_request(what=what, at=at, sequence=sequence, who=who, seen_sha256=seen, chain=chain)
    sent = signed(content)
    read = codec_audit.read_request(sent.raw)
    assert read == sent
    assert read.content == content
    assert read.is_signed(keys(), verify)


@given(outcome=st.sampled_from(CaseOutcome), probe=digests, people=st.sets(digests, min_size=1, max_size=3))
def test_a_row_for_an_alert_comes_out_as_it_went_in(
    outcome: CaseOutcome, probe: bytes, people: set[bytes]
) -> None:
    verified_by = tuple(Commitment(person) for person in sorted(people))
    row = a_row(outcome=outcome, probe_sha256=probe, verified_by=verified_by)
    content = a_request(what=Action.ALERT_RECORDED, alert_row=row)
    assert codec_audit.read_request(signed(content).raw).content == content


def test_the_same_request_is_the_same_bytes_and_has_the_same_id() -> None:
    assert signed(a_request()).raw == signed(a_request()).raw
    assert a_request().id == a_request(at=NOON + timedelta(hours=1)).id
    assert len({a_request(sequence=number).id for number in (1, 2)}) == 2
    assert a_request(producer="match/a").id != a_request(producer="match/b").id
    assert a_request(chain=SYSTEM).id != a_request().id


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"chain": "Oxford Street"}, "chain is a name"),
        ({"producer": "review"}, "producer is service/instance"),
        ({"sequence": 0}, "start at 1"),
        ({"at": datetime(2026, 6, 1, 12)}, "at must be"),  # noqa: DTZ001 - what is refused
        ({"who": b"Jane Doe"}, "who is a commitment"),
        ({"subject": b"4711"}, "subject is a commitment"),
        ({"about": "Jane Doe"}, "about is an id"),
        ({"authority": ""}, "authority is the id"),
        ({"authority_version": 0}, "authority_version starts at 1"),
        ({"chain": SYSTEM, "authority": "oxford-street-1"}, "under no authority"),
        ({"seen_sha256": b"short"}, "seen_sha256 has 32 bytes"),
        ({"what": Action.ALERT_RECORDED}, r"AI Act 12\(3\)"),
        ({"alert_row": a_row()}, r"AI Act 12\(3\)"),
    ],
)
def test_a_request_that_cannot_be_true_is_refused_by_the_name_of_its_field(
    changes: dict[str, Any], rule: str
) -> None:
    with pytest.raises(Invalid, match=rule):
        a_request(**changes)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"period_ends_at": NOON - timedelta(days=1)}, "ends after it began"),
        ({"list_sha256": b""}, "list_sha256"),
        ({"probe_sha256": b""}, "probe_sha256"),
        ({"verified_by": ()}, r"14\(5\)"),
        ({"verified_by": (a_commitment(), a_commitment())}, "twice"),
        ({"verified_by": (NOBODY,)}, "nobody verifies"),
        ({"verified_by": (Commitment(b"Jane Doe"),)}, "verified_by is a commitment"),
        ({"alert": "Jane Doe"}, "alert is an id"),
    ],
)
def test_a_row_without_what_the_ai_act_wants_is_refused(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(Invalid, match=rule):
        a_row(**changes)


@given(st.binary(max_size=200))
def test_bytes_of_nobody_s_making_are_undecodable(raw: bytes) -> None:
    for read in (codec_audit.read_request, codec_audit.read_record):
        with pytest.raises(Undecodable):
            read(raw)


def test_an_action_outside_the_closed_set_is_undecodable() -> None:
    inner = audit_pb2.AuditRequested()
    inner.ParseFromString(signed(a_request()).signed)
    inner.what = "looked_around"
    raw = audit_pb2.SignedAuditRequest(request=inner.SerializeToString(), key="k", signature=bytes(64))
    with pytest.raises(Undecodable, match="cannot be true"):
        codec_audit.read_request(raw.SerializeToString())


def test_a_request_is_only_its_own_service_s_to_sign() -> None:
    assert signed(a_request()).is_signed(keys(), verify)
    assert not signed(a_request(), STRANGER).is_signed(keys(), verify)
    assert not signed(a_request(), SERVICES["match"]).is_signed(keys(), verify)


def test_what_was_signed_is_not_what_stands_there_after_a_change() -> None:
    sent = signed(a_request())
    for position in range(0, len(sent.signed), 7):
        altered = bytearray(sent.signed)
        altered[position] ^= 1
        raw = audit_pb2.SignedAuditRequest(request=bytes(altered), key=sent.key, signature=sent.signature)
        try:
            read = codec_audit.read_request(raw.SerializeToString())
        except Undecodable:
            continue
        assert not read.is_signed(keys(), verify)


def test_the_chain_s_records_come_out_as_they_went_in() -> None:
    sequencer = a_sequencer()
    records = [*sequenced(requests(5), by=sequencer), sequencer.begin(SEQUENCER, now=NOON)]
    assert [codec_audit.read_record(codec_audit.encode_record(record)) for record in records] == records
    assert {type(record) for record in records} == {Audited, SignedTreeHead, TermBegun}


@pytest.mark.parametrize("field", ["chain", "request_id", "request_sha256"])
def test_an_entry_that_contradicts_its_request_is_undecodable(field: str) -> None:
    (entry,) = [record for record in sequenced(requests(1)) if isinstance(record, Audited)]
    message = audit_pb2.AuditRecord()
    message.ParseFromString(codec_audit.encode_record(entry))
    setattr(message.audited, field, bytes(32) if field == "request_sha256" else "other")
    with pytest.raises(Undecodable, match="an entry"):
        codec_audit.read_record(message.SerializeToString())


def test_an_entry_s_hash_is_what_the_rule_says() -> None:
    """Spelled out by hand: who checks a chain without our code builds it so."""

    def part(raw: bytes) -> bytes:
        return len(raw).to_bytes(4, "big") + raw

    request = signed(a_request())
    entry = entered(request, term=bytes(range(16)))
    expected = hashlib.sha256(
        part(b"signpost-audit-entry-1")
        + part(b"oxford-street-1")
        + part((1).to_bytes(8, "big"))
        + part(bytes(32))
        + part(request.content.id.encode())
        + part(hashlib.sha256(request.raw).digest())
    )
    assert entry.hash == expected.digest()
    assert entry.leaf == hashlib.sha256(b"\x00" + entry.hash).digest()
    said = part(b"signpost-audit-entered-1") + part(bytes(range(16))) + part(entry.hash)
    assert verify(SEQUENCER.public_key, entry.signature, said)
    assert entry.key == fingerprint(SEQUENCER.public_key)


def test_a_key_s_fingerprint_is_its_rfc_7638_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    x = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert fingerprint(x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@given(name=st.text(min_size=1), other=st.text(min_size=1))
def test_a_commitment_opens_to_what_was_committed_and_to_nothing_else(name: str, other: str) -> None:
    made = commit(SALT, name)
    assert opens(made, SALT, name)
    assert opens(made, SALT, other) == (name == other)
    assert not opens(made, bytes(32), name)
    assert bytes(made).find(name.encode()) < 0 or len(name.encode()) < 4


def test_a_salt_that_is_too_short_to_hide_a_name_is_refused() -> None:
    with pytest.raises(Invalid, match="32 bytes"):
        commit(b"pepper", "Jane Doe")


def test_requests_hold_no_more_than_is_declared() -> None:
    """A field that is added here is one more that may hold a person: think first, then change this test."""
    assert set(AuditRequested.__dataclass_fields__) == {
        "chain",
        "producer",
        "sequence",
        "at",
        "what",
        "who",
        "subject",
        "authority",
        "authority_version",
        "about",
        "seen_sha256",
        "alert_row",
    }

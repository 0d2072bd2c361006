"""Records of `authority` come back as they were written, and compaction keeps what a reader needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import codec_authority
from services.contracts.authorisation.enums import Move, RevocationReason, State
from services.contracts.authorisation.records import (
    DocumentPublished,
    LeaseRenewed,
    Record,
    RegistryIssued,
    RevocationRecorded,
    StateRecorded,
)
from services.contracts.authorisation.statements import NOTHING, EntriesRevoked, Lease, StateChanged
from services.contracts.errors import Undecodable
from signpost.v1 import authority_pb2
from tests.unit.contracts.authorisation.builders import (
    NOON,
    TOKENS,
    a_document,
    a_registry,
    revocations,
    running,
    sha,
)

DOCUMENT = a_document()
ABOUT = {"deployment": DOCUMENT.id, "version": 2, "digest": DOCUMENT.digest, "signed_at": NOON}


@pytest.mark.parametrize("record", [*running(DOCUMENT), *revocations(DOCUMENT, TOKENS[0])[0]], ids=repr)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    assert codec_authority.decode(codec_authority.encode(record)) == record


@given(st.text(max_size=50), st.binary(max_size=50), st.lists(st.text(max_size=20), max_size=3))
def test_any_text_comes_back_as_it_was(token: str, document: bytes, approvals: list[str]) -> None:
    for record in (
        RegistryIssued(token),
        DocumentPublished(document, tuple(approvals)),
        StateRecorded(token),
        LeaseRenewed(token),
        RevocationRecorded(token),
    ):
        assert codec_authority.decode(codec_authority.encode(record)) == record


@pytest.mark.parametrize("raw", [b"", b"\xff\xff", b"\x0a\x02\xff\xfe", b"\x7a\x01x"])
def test_what_is_no_record_is_refused(raw: bytes) -> None:
    """Nothing, no protobuf, no UTF-8, a kind nobody knows."""
    with pytest.raises(Undecodable):
        codec_authority.decode(raw)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_decode_or_be_refused(raw: bytes) -> None:
    try:
        record = codec_authority.decode(raw)
    except Undecodable:
        return
    assert isinstance(record, Record)


def test_the_schema_has_a_field_for_each_kind_of_record() -> None:
    fields = authority_pb2.AuthorityRecord.DESCRIPTOR.fields
    assert [field.name for field in fields] == [
        *("registry", "document", "state", "lease", "revocation", "certificate", "hold", "sharing")
    ]


def test_keys_keep_every_state_and_revocation_and_the_newest_lease() -> None:
    change = StateChanged.model_validate(
        ABOUT | {"sequence": 3, "move": Move.ACTIVATE, "before": State.AUTHORISED, "after": State.ACTIVE}
    )
    lease = Lease.model_validate(
        ABOUT
        | {"sequence": 7, "state": State.ACTIVE, "state_sequence": 3, "registry_sequence": 1}
        | {"revocations": 0, "revocations_head": NOTHING}
    )
    revoked = EntriesRevoked(
        deployment=DOCUMENT.id,
        signed_at=NOON,
        list_digest=sha("list"),
        sequence=4,
        previous=NOTHING,
        reason=RevocationReason.LOCATED,
        tokens=TOKENS[:1],
    )
    said = (a_registry(), DOCUMENT, change, lease, revoked)
    assert [codec_authority.key_of(one, organisation="city-police").decode() for one in said] == [
        "city-police/registry",
        "city-police/oxford-street-1/document/1",
        "city-police/oxford-street-1/state/2/3",
        "city-police/oxford-street-1/lease",
        f"city-police/oxford-street-1/revocation/{sha('list')}/4",
    ]

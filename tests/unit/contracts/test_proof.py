"""A record counts where the service that may write it has signed it, as it lies there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.contracts import proof
from services.contracts.audit.registry import keys_of
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.registry import Registry
from services.contracts.errors import Unproven
from services.contracts.places import Place
from services.contracts.proof import Proof, Written
from services.runtime.kafka.types import Output
from services.runtime.keys.ed25519 import verify
from services.runtime.proofs import Proven, only_by
from tests.builders import DEPLOYMENT, NOON
from tests.fakes.clock import ManualClock
from tests.proofs import a_record, a_written, proven, registry
from tests.unit.contracts.authorisation.builders import a_registered_key, a_registry

OUTPUT = Output("counts", b"a key", b"a value", 0, (Place(DEPLOYMENT, 1, 7).header(),))


def believed(written: Written, *, service: str = "embed", known: Registry | None = None) -> Proof | None:
    return proof.proven(written, service=service, keys=keys_of(known or registry()), verify=verify)


def test_what_a_service_signed_is_proven_and_when() -> None:
    found = believed(a_written(OUTPUT, by="embed"))
    assert found is not None
    assert found.at == NOON


@pytest.mark.parametrize(
    "changes",
    [
        {"topic": "alerts"},
        {"home": 1},
        {"key": b"another"},
        {"key": None},
        {"value": b"a value!"},
        {"value": b""},
    ],
    ids=str,
)
def test_what_was_moved_or_altered_is_not(changes: dict[str, object]) -> None:
    assert believed(a_written(OUTPUT, by="embed")._replace(**changes)) is None  # type: ignore[arg-type]


def test_no_place_can_be_changed_added_or_taken_away() -> None:
    genuine = a_written(OUTPUT, by="embed")
    place, header = genuine.headers
    other = Place(DEPLOYMENT, 1, 8).header()
    for headers in ((other, header), (other, place, header), (place, other, header), (header,)):
        assert believed(genuine._replace(headers=headers)) is None


def test_what_other_headers_say_is_nobodys_business() -> None:
    genuine = a_written(OUTPUT, by="embed")
    assert believed(genuine._replace(headers=(("traceparent", b"x"), *genuine.headers))) is not None


def test_two_proofs_are_none() -> None:
    genuine = a_written(OUTPUT, by="embed")
    again = a_written(OUTPUT, by="match").headers[-1]
    assert believed(genuine._replace(headers=(again, *genuine.headers))) is None
    assert believed(genuine._replace(headers=(*genuine.headers, genuine.headers[-1]))) is None


@pytest.mark.parametrize("raw", [b"", b"x" * 115, b"\xff" * 115, b"A" * 43 + b"\xff" * 72, b"A" * 114], ids=len)
def test_what_is_no_proof_is_none(raw: bytes) -> None:
    assert believed(a_written(OUTPUT, by=None)._replace(headers=((proof.HEADER, raw),))) is None


def test_the_key_of_another_service_proves_nothing() -> None:
    assert believed(a_written(OUTPUT, by="match")) is None
    assert believed(a_written(OUTPUT, by="ann")) is None
    assert believed(a_written(OUTPUT, by="oversight")) is None


def test_a_key_that_no_registry_names_proves_nothing() -> None:
    assert believed(a_written(OUTPUT, by="stranger")) is None
    assert Proven(lambda: None)(a_written(OUTPUT, by="embed"), "embed") is None


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changes", "at", "holds"),
    [
        ({"valid_from": NOON}, NOON - MINUTE, False),
        ({"valid_from": NOON}, NOON + MINUTE, True),
        ({"valid_to": NOON}, NOON - MINUTE, True),
        ({"valid_to": NOON}, NOON + MINUTE, False),
        ({"revoked_at": NOON}, NOON - MINUTE, True),
        ({"revoked_at": NOON}, NOON, False),
    ],
)
def test_a_key_proves_what_it_signed_while_it_was_in_force(
    changes: dict[str, object], at: datetime, holds: bool
) -> None:
    """A statement is read years later: keys have ended by then, and what they signed has not."""
    known = a_registry(a_registered_key("embed", role=Role.SERVICE, **changes))
    assert (believed(a_written(OUTPUT, by="embed", at=at), known=known) is not None) is holds


def test_where_nothing_is_kept_for_long_a_revoked_key_soon_proves_nothing_whatever_the_date() -> None:
    """Who has stolen it may date what it signs; and what its owner signed is not all read when it is revoked."""
    known = a_registry(a_registered_key("embed", role=Role.SERVICE, revoked_at=NOON))
    before, after = (a_record(OUTPUT, by="embed", at=NOON + ahead) for ahead in (-MINUTE, timedelta(0)))
    still = only_by("embed", Proven(lambda: known), ManualClock(NOON + MINUTE))
    still(before)
    with pytest.raises(Unproven):
        still(after)
    with pytest.raises(Unproven):
        only_by("embed", Proven(lambda: known), ManualClock(NOON + 2 * MINUTE))(before)


def test_a_reader_takes_what_its_writer_signed_and_nothing_else() -> None:
    check = only_by("embed", proven(), ManualClock(NOON))
    check(a_record(OUTPUT, by="embed"))
    for by in (None, "match", "stranger"):
        with pytest.raises(Unproven):
            check(a_record(OUTPUT, by=by))


def test_the_newest_registry_is_asked_each_time() -> None:
    known = [registry()]
    believes = Proven(lambda: known[-1])
    signed = a_written(OUTPUT, by="embed")
    assert believes(signed, "embed") is not None
    known.append(a_registry(a_registered_key("embed", role=Role.SERVICE, revoked_at=NOON - MINUTE), sequence=2))
    assert believes(signed, "embed") is None


def test_a_topic_without_proofs_is_left_as_it_is() -> None:
    output = replace(OUTPUT, topic="decisions")
    assert a_written(output, by="embed").headers == output.headers
    assert proven()(a_written(output, by="embed"), "embed") is None

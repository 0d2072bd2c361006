"""What a document may cost who reads it is bounded by its shape, and what was worked out once is remembered."""

from __future__ import annotations

import json
import math
import time

import pytest

from services.contracts.authorisation import rules
from services.contracts.authorisation.canonical import canonical
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.findings import NotAuthorised
from tests.unit.contracts.authorisation import builders as b


def a_ring(radius: float, corners: int) -> list[list[float]]:
    turns = (2 * math.pi * corner / corners for corner in range(corners))
    return [[round(radius * math.cos(turn), 3), round(radius * math.sin(turn), 3)] for turn in turns]


def the_dearest() -> Document:
    """As many cameras as may be, each with as many corners as may be."""
    site = b.fields()["site"]
    assert isinstance(site, dict)
    cameras = [b.a_camera(f"gate-{number}", zone=a_ring(100, 32)) for number in range(1024)]
    return b.a_document(site=site | {"polygon": a_ring(400, 64)}, cameras=cameras)


def test_the_dearest_document_is_read_and_judged_in_seconds_and_costs_nothing_the_second_time() -> None:
    """Oversight asks of each live version every two seconds, and holds a lease that lives ten."""
    raw = the_dearest().canonical_bytes()
    began_s = time.thread_time()
    document = Document.from_canonical(raw)
    assert rules.broken(document) == ()
    assert time.thread_time() - began_s < 8.0
    began_s = time.thread_time()
    for _ in range(100):
        assert rules.broken(document) == ()
        assert document.canonical_bytes() == raw
        assert len(document.digest) == 64
    assert time.thread_time() - began_s < 0.2


def test_a_copy_with_another_field_is_another_document() -> None:
    document = b.a_document()
    assert document.digest and document.canonical_bytes()
    other = document.model_copy(update={"grounds": "other grounds"})
    assert other.digest != document.digest
    assert b"other grounds" in other.canonical_bytes()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"[" * 1_000_000, "must be JSON"),
        (b'{"id":' * 100_000, "must be JSON"),
        (b"9" * 1_000_000, "must be JSON"),
        (b" " * (1024 * 1024 + 1), "must be at most 1 MiB"),
        (json.dumps(["a" * 1000] * 900).encode(), "document"),
    ],
    ids=["brackets", "braces", "a huge number", "too many bytes", "a list"],
)
def test_what_is_no_document_is_refused_at_once(raw: bytes, why: str) -> None:
    began_s = time.thread_time()
    with pytest.raises(NotAuthorised, match=why):
        Document.from_canonical(raw)
    assert time.thread_time() - began_s < 1.0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cameras", [b.a_camera(f"gate-{number}") for number in range(1025)]),
        ("cameras", [b.a_camera(zone=a_ring(10, 33))]),
        ("site", {**b.fields()["site"], "polygon": a_ring(10, 65)}),  # type: ignore[dict-item]
        ("documents", b.some_papers() * 17),
        ("watchlist", b.a_list(thresholds={number: 0.5 for number in range(1, 66)})),
    ],
    ids=["cameras", "zone", "polygon", "documents", "thresholds"],
)
def test_every_list_of_a_document_has_its_bound(field: str, value: object) -> None:
    with pytest.raises(NotAuthorised) as refused:
        Document.from_canonical(canonical(json.loads(json.dumps(b.fields() | {field: value}, default=str))))
    assert any(finding.field.startswith(field) and "at most" in finding.rule for finding in refused.value.findings)

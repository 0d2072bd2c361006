"""A copy leaves only once that is recorded; its entries are told to programs, a row an alert."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.audit.leaving import write_recorded
from console.commands import audit
from services.contracts.audit.lines import encode_line
from services.contracts.audit.requests import Action
from services.contracts.errors import Misconfigured, Transient
from tests.unit.contracts.audit.builders import (
    a_file,
    a_request,
    a_row,
    root_fingerprint,
    sequenced,
    signed,
)


def test_what_is_not_recorded_does_not_leave(tmp_path: Path) -> None:
    file = tmp_path / "chain.jsonl"

    def away() -> None:
        raise Transient("oversight is away")

    with pytest.raises(Transient):
        write_recorded(file, b"entries", away)
    assert not file.exists()


def test_a_file_that_is_there_is_left_alone_and_nothing_is_recorded(tmp_path: Path) -> None:
    file, recorded = tmp_path / "chain.jsonl", list[None]()
    file.write_bytes(b"another's")
    with pytest.raises(Misconfigured):
        write_recorded(file, b"entries", lambda: recorded.append(None))
    assert (file.read_bytes(), recorded) == (b"another's", [])


def chain(tmp_path: Path) -> Path:
    row = a_request(what=Action.ALERT_RECORDED, sequence=2, alert_row=a_row())
    records = sequenced([signed(a_request(sequence=1)), signed(row)])
    file = tmp_path / "chain.jsonl"
    file.write_bytes(b"".join(encode_line(line) for line in a_file(records)))
    return file


def test_a_row_an_alert_says_what_the_ai_act_wants_logged(tmp_path: Path) -> None:
    said = CliRunner().invoke(
        audit.app, ["entries", str(chain(tmp_path)), "--root", root_fingerprint(), "--alerts"]
    )
    assert said.exit_code == 0, said.output
    (line,) = said.output.splitlines()
    for wanted in (
        "period_began_at",
        "period_ends_at",
        "reference_database_sha256",
        "input_sha256",
        "verified_by",
    ):
        assert f'"{wanted}": ' in line
    assert a_row().probe_sha256.hex() in line


def test_of_a_chain_that_is_not_whole_nothing_is_told(tmp_path: Path) -> None:
    file = chain(tmp_path)
    file.write_bytes(file.read_bytes().replace(b'"number":2', b'"number":3'))
    said = CliRunner().invoke(audit.app, ["entries", str(file), "--root", root_fingerprint()])
    assert said.exit_code == 1
    assert "NOT WHOLE" in said.output
    assert '"what"' not in said.output

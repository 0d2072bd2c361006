"""The failure table names tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.architecture.imports import ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
TABLE = (ROOT / "docs/reliability.md").read_text("utf-8")


@pytest.mark.parametrize(("path", "name"), sorted(set(_NAMED.findall(TABLE))))
def test_a_test_that_the_failure_table_names_is_there(path: str, name: str) -> None:
    text = (ROOT / path).read_text("utf-8")
    assert not name or f"def {name}(" in text


def test_every_row_of_the_failure_table_is_proved() -> None:
    rows = [
        line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| ---"))
    ]
    assert len(rows) > 15
    assert not [row for row in rows if "::test_" not in row]

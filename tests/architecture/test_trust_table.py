"""Everybody of whom docs/architecture.md says what they cannot do is attacked by tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.architecture.imports import ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
_SECTION = (ROOT / "docs/architecture.md").read_text("utf-8").partition("## Who is trusted with what")[2]
_TRUST, _, _ATTACKS = _SECTION.partition("### What attacks each of these")


def _rows(text: str) -> dict[str, str]:
    """Each row by its first cell, without the head."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return {line.split("|")[1].strip(): line for line in lines[1:]}


def test_everybody_in_the_table_is_attacked() -> None:
    assert len(_rows(_TRUST)) >= 10
    assert _rows(_TRUST).keys() == _rows(_ATTACKS).keys()
    assert not [who for who, row in _rows(_ATTACKS).items() if not _NAMED.search(row)]


@pytest.mark.parametrize(("path", "name"), sorted(set(_NAMED.findall(_ATTACKS))))
def test_a_test_that_the_table_names_is_there(path: str, name: str) -> None:
    text = (ROOT / path).read_text("utf-8")
    assert f"def {name}(" in text if name else "def test_" in text

"""Heads go to one file a chain, and are what the verifier takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.audit.verify import read_head
from services.contracts.errors import Misconfigured
from services.oversight.edges.heads_folder import HeadsFolder
from services.oversight.ports import Unanchored
from tests.unit.contracts.audit.builders import CHAIN, heads


def test_the_newest_head_of_a_chain_is_the_last_line_of_its_file(tmp_path: Path) -> None:
    sink = HeadsFolder(tmp_path)
    first, second, third = heads(3)
    for head in (first, second, third, third):
        sink.take(head)
    file = tmp_path / f"{CHAIN}.heads"
    assert read_head(file) == third
    assert len(file.read_bytes().splitlines()) == 3


def test_a_folder_that_is_away_takes_nothing_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "away"
    folder.mkdir()
    sink = HeadsFolder(folder)
    folder.rmdir()
    with pytest.raises(Unanchored, match="FileNotFoundError"):
        sink.take(heads(1)[0])


def test_what_is_no_folder_is_refused_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="AUDIT_HEADS_DIR"):
        HeadsFolder(tmp_path / "none")

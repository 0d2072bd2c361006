"""Heads go to one file a chain, and are what the verifier takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.audit.verify import read_head
from services.contracts.audit.chain import SignedTreeHead
from services.contracts.errors import Misconfigured
from services.oversight.edges.heads_folder import HeadsFolder
from tests.unit.contracts.audit.builders import CHAIN, NOON, SEQUENCER, a_sequencer, appended, requests


def heads(count: int) -> list[SignedTreeHead]:
    sequencer, found = a_sequencer(), []
    for request in requests(count):
        appended(sequencer, request)
        found.append(sequencer.head(CHAIN, SEQUENCER, now=NOON))
    return found


def test_the_newest_head_of_a_chain_is_the_last_line_of_its_file(tmp_path: Path) -> None:
    sink = HeadsFolder(tmp_path, on_failed=lambda: None)
    first, second, third = heads(3)
    sink([first])
    sink([second, third])
    file = tmp_path / f"{CHAIN}.heads"
    assert read_head(file) == third
    assert len(file.read_bytes().splitlines()) == 3


def test_a_sink_that_is_away_is_counted_and_made_good_by_the_next_head(tmp_path: Path) -> None:
    folder, failed = tmp_path / "away", list[None]()
    folder.mkdir()
    sink = HeadsFolder(folder, on_failed=lambda: failed.append(None))
    first, second = heads(2)
    folder.rmdir()
    sink([first])
    assert len(failed) == 1
    folder.mkdir()
    sink([second])
    assert read_head(folder / f"{CHAIN}.heads") == second


def test_what_is_no_folder_is_refused_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="AUDIT_HEADS_DIR"):
        HeadsFolder(tmp_path / "none", on_failed=lambda: None)

"""Cards to begin with."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from console.watchlist import folder
from console.watchlist.cards import Common, write_missing
from console.watchlist.folder import Enrolled
from services.contracts.errors import Misconfigured
from services.contracts.sealed.rules import Bounds, entry_faults
from tests.builders import NOON

COMMON = Common("p-1", "p-2", checked_at=NOON, expires_at=NOON + timedelta(days=1))
SHAS = ("a" * 64, "b" * 64, "c" * 64)


def test_a_folder_of_pictures_becomes_one_that_a_list_can_be_built_from(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "one.jpg").write_bytes(b"x")
    os.utime(tmp_path / "ada" / "one.jpg", (NOON.timestamp(), NOON.timestamp()))
    assert write_missing(tmp_path, COMMON) == [tmp_path / "ada" / "subject.yaml"]
    (subject,) = folder.read(tmp_path)
    entry = subject.entry([Enrolled("one.jpg", *SHAS, 0.5)])
    assert (entry.subject_ref, entry.expires_at) == ("ada", COMMON.expires_at)
    assert not list(entry_faults(entry, Bounds(max_entries=1, max_templates=1), at=NOON + timedelta(days=0.9)))


def test_an_entrys_id_says_nothing_of_the_subject(tmp_path: Path) -> None:
    for name in ("ada", "bea"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.jpg").write_bytes(b"x")
    write_missing(tmp_path, COMMON)
    ids = [str(one.card["entry_id"]) for one in folder.read(tmp_path)]
    assert len(set(ids)) == 2
    assert not any("ada" in one or "bea" in one for one in ids)


def test_a_card_somebody_wrote_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    card = tmp_path / "ada" / "subject.yaml"
    card.write_text("subject_ref: REF-1\n")
    assert write_missing(tmp_path, COMMON) == []
    assert card.read_text() == "subject_ref: REF-1\n"


def test_a_folder_without_folders_says_what_to_make(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="make one a person"):
        write_missing(tmp_path, COMMON)

"""Cards to begin with."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from console.watchlist import folder
from console.watchlist.cards import Common, write_missing
from services.contracts.errors import Misconfigured

COMMON = Common("exercise", "own pictures", "consenting test subject", date(2026, 12, 1))


def test_a_folder_of_pictures_becomes_one_that_a_list_can_be_built_from(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "one.jpg").write_bytes(b"x")
    assert write_missing(tmp_path, COMMON) == [tmp_path / "ada" / "subject.yaml"]
    (subject,) = folder.read(tmp_path)
    assert subject.card.reference == "ada"
    assert subject.card.expires_on == date(2026, 12, 1)
    assert [picture.path.name for picture in subject.pictures] == ["one.jpg"]


def test_a_card_somebody_wrote_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    card = tmp_path / "ada" / "subject.yaml"
    card.write_text("reference: REF-1\n")
    assert write_missing(tmp_path, COMMON) == []
    assert card.read_text() == "reference: REF-1\n"


def test_a_folder_without_folders_says_what_to_make(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="make one a person"):
        write_missing(tmp_path, COMMON)

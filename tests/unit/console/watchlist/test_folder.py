"""Reading a folder of subjects: each mistake is named by file, field and rule, all at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from console.watchlist import folder
from services.contracts.errors import Misconfigured
from tests.unit.console.watchlist.toy import CARD, write_subject

GOOD = CARD.format(reference="ref-7731")


def message_of(root: Path) -> str:
    with pytest.raises(Misconfigured) as refused:
        folder.read(root)
    return str(refused.value)


def test_subjects_are_read_with_their_pictures_and_dates(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["a", "b"])
    (found,) = folder.read(tmp_path)
    assert found.name == "anna"
    assert found.card.category == "wanted"
    assert [(one.path.name, one.taken_on) for one in found.pictures] == [
        ("1.jpg", date(2024, 5, 1)),
        ("2.jpg", date(2024, 5, 1)),
    ]


def test_each_picture_may_have_its_own_date(tmp_path: Path) -> None:
    card = GOOD.replace("taken_on: 2024-05-01", "taken_on: {1.jpg: 2020-01-02, 2.jpg: 2021-03-04}")
    write_subject(tmp_path, "anna", ["a", "b"], card=card)
    assert [one.taken_on for one in folder.read(tmp_path)[0].pictures] == [date(2020, 1, 2), date(2021, 3, 4)]


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (GOOD.replace("category: wanted\n", ""), "subject.yaml: category: Field required"),
        (GOOD.replace("wanted", '" "'), "subject.yaml: category: String should have at least 1 character"),
        (GOOD.replace("2026-12-31", "soon"), "subject.yaml: expires_on: Input should be a valid date"),
        (GOOD + "colour: red\n", "subject.yaml: colour: Extra inputs are not permitted"),
        (GOOD.replace("taken_on: 2024-05-01", "taken_on: {2.jpg: 2020-01-02}"), "taken_on: has no date for 1.jpg"),
        ("reference: [", "subject.yaml: not YAML at line"),
        (GOOD.replace("2026-12-31", "2026-02-30"), "subject.yaml: not YAML"),
        ("- a list", "subject.yaml: must be a mapping of fields"),
    ],
    ids=["missing", "blank", "no date", "unknown", "no date of a picture", "not YAML", "no day", "not a mapping"],
)
def test_a_mistake_in_a_card_is_named_by_file_field_and_rule(tmp_path: Path, card: str, message: str) -> None:
    write_subject(tmp_path, "anna", ["a"], card=card)
    found = message_of(tmp_path)
    assert str(tmp_path / "anna") in found
    assert message in found


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["a"], card="reference: a")
    write_subject(tmp_path, "berta", [])
    (tmp_path / "cleo").mkdir()
    assert [line.split(":")[0].rpartition("/")[2] for line in message_of(tmp_path).splitlines()] == [
        "subject.yaml",
        "berta",
        "subject.yaml",
    ]


def test_no_message_repeats_a_reference(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["a"], card=CARD.format(reference="ref-secret"))
    write_subject(tmp_path, "berta", ["b"], card=CARD.format(reference="ref-secret"))
    found = message_of(tmp_path)
    assert "reference: the same as in anna" in found
    assert "ref-secret" not in found


def test_a_folder_without_subjects_is_refused(tmp_path: Path) -> None:
    assert "holds no folder of a subject" in message_of(tmp_path)
    assert "is no folder" in message_of(tmp_path / "nowhere")

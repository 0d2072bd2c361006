"""Reading a folder of subjects: each mistake is named by file, field and rule, all at once."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from console.watchlist import contents, folder
from console.watchlist.folder import Enrolled
from services.contracts.errors import Misconfigured
from services.contracts.sealed.manifest import Pair, Verdict
from tests.unit.console.watchlist.toy import TAKEN, a_card, entry_of, write_subject

SHA = "a" * 64
Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, Form] = ("NFC", "NFD")


def message_of(root: Path) -> str:
    with pytest.raises(Misconfigured) as refused:
        folder.read(root)
    return str(refused.value)


def enrolled(file: str) -> Enrolled:
    return Enrolled(file, SHA, SHA, SHA, 0.5)


def test_a_card_and_what_enrolment_found_are_an_entry(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["a", "b"])
    (found,) = folder.read(tmp_path)
    assert [one.name for one in found.pictures] == ["1.jpg", "2.jpg"]
    entry = found.entry([enrolled("2.jpg")])
    assert (found.name, entry.entry_id, entry.subject_ref) == ("anna", entry_of("anna"), "ref-anna")
    (picture,) = entry.pictures
    assert (picture.captured_on, picture.quality, picture.image_sha256) == (TAKEN, 0.5, SHA)
    assert picture.identity_assured_by == "p-1"


def test_what_a_picture_says_of_itself_goes_before_what_all_share(tmp_path: Path) -> None:
    own = {"1.jpg": {"captured_on": date(2020, 1, 2), "source_reference": "r", "source_system": "elsewhere"}}
    write_subject(tmp_path, "anna", ["a"], card=yaml.safe_dump(a_card("anna", [], pictures=own)))
    (picture,) = folder.read(tmp_path)[0].entry([enrolled("1.jpg")]).pictures
    assert (picture.captured_on, picture.source_system) == (date(2020, 1, 2), "elsewhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category": "other"}, "subject.yaml: category: must be one of wanted_on_warrant"),
        ({"expires_at": "soon"}, "subject.yaml: expires_at: must be a time"),
        ({"colour": "red"}, "subject.yaml: document: has a field that is none"),
        ({"pictures": {"1.jpg": {}}}, "subject.yaml: pictures.1.jpg.captured_on: is missing [C-24]"),
        (
            {"pictures": {}},
            "subject.yaml: pictures.1.jpg.captured_on (the card does not name this file): is missing [C-24]",
        ),
        ({"pictures": {"9.jpg": {}}}, "subject.yaml: pictures: names 9.jpg, which is not there"),
        ({"pictures": ["1.jpg"]}, "subject.yaml: pictures: must be a mapping of fields"),
        ({"all_pictures": "no"}, "subject.yaml: all_pictures: must be a mapping of fields"),
        ({"added_by": 7}, "subject.yaml: added_by: must be text [C-24]"),
    ],
    ids=str,
)
def test_a_mistake_in_a_card_is_named_by_file_field_and_rule(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    write_subject(tmp_path, "anna", ["a"], card=yaml.safe_dump(a_card("anna", ["1.jpg"]) | change))
    found = message_of(tmp_path)
    assert str(tmp_path / "anna") in found
    assert message in found


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("reference: [", "subject.yaml: not YAML at line"),
        ("expires_at: 2026-02-30", "subject.yaml: not YAML"),
        ("- a list", "subject.yaml: card: must be a mapping of fields"),
        ("reference: a", "subject.yaml: document: has a field that is none"),
    ],
)
def test_what_is_no_card_is_said(tmp_path: Path, card: str, message: str) -> None:
    write_subject(tmp_path, "anna", ["a"], card=card)
    assert message in message_of(tmp_path)


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
    write_subject(tmp_path, "anna", ["a"], subject_ref="ref-secret")
    write_subject(tmp_path, "berta", ["b"], subject_ref="ref-secret")
    found = message_of(tmp_path)
    assert "subject_ref: the same as in anna" in found
    assert "ref-secret" not in found


def test_an_entry_id_is_for_one(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["a"])
    write_subject(tmp_path, "berta", ["b"], entry_id=entry_of("anna"))
    assert "entry_id: the same as in anna" in message_of(tmp_path)


def test_a_folder_without_subjects_is_refused(tmp_path: Path) -> None:
    assert "holds no folder of a subject" in message_of(tmp_path)
    assert "is no folder" in message_of(tmp_path / "nowhere")


def test_resolutions_are_read_beside_the_folders(tmp_path: Path) -> None:
    assert folder.read_resolutions(tmp_path) == ()
    said = {
        "pair": {"one": "e-1", "other": "e-2"},
        "verdict": "distinct_persons",
        "by": "p-3",
        "at": "2026-06-01T10:00:00Z",
        "grounds": "two birth certificates",
    }
    (tmp_path / "resolutions.yaml").write_text(yaml.safe_dump([said]))
    (found,) = folder.read_resolutions(tmp_path)
    assert (found.pair, found.verdict) == (Pair("e-1", "e-2"), Verdict.DISTINCT_PERSONS)
    (tmp_path / "resolutions.yaml").write_text(yaml.safe_dump([said | {"verdict": "unsure"}]))
    with pytest.raises(Misconfigured, match=r"resolutions\.yaml: 0\.verdict: must be one of"):
        folder.read_resolutions(tmp_path)


def test_a_card_of_the_toy_is_what_the_command_writes() -> None:
    assert a_card("anna", ["1.jpg"])["category"] == "consenting_volunteer"


SYSTEM = (".DS_Store", "._1.jpg", ".nfs000000000001", "Thumbs.db", "desktop.ini", "subject.yaml~")


def test_what_systems_leave_is_no_picture_and_no_person(tmp_path: Path) -> None:
    """For every folder from a Mac `cards` listed what `build` then refused."""
    anna = write_subject(tmp_path, "anna", ["a"])
    for name in SYSTEM:
        (anna / name).write_bytes(b"\0\0\0\1Bud1")
        (tmp_path / name).write_bytes(b"\0\0\0\1Bud1")
    for name in ("@eaDir", "__MACOSX", "lost+found", ".Spotlight-V100"):
        (anna / name).mkdir()
        (tmp_path / name).mkdir()
    (found,) = folder.read(tmp_path)
    assert [one.name for one in found.pictures] == ["1.jpg"]
    assert list(contents.told(tmp_path)) == ["left out: 20 hidden and system files (.DS_Store and its like)"]


def test_what_is_left_out_is_said_with_what_to_do(tmp_path: Path) -> None:
    """Nested folders and loose pictures were ignored without a word."""
    anna = write_subject(tmp_path, "anna", ["a"])
    (tmp_path / "loose.jpg").write_bytes(b"x")
    (anna / "holiday").mkdir()
    (anna / "notes.txt").write_text("met at the fair")
    (anna / "IMG_1.MOV").write_bytes(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ")
    (anna / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (found,) = folder.read(tmp_path)
    assert [one.name for one in found.pictures] == ["1.jpg"]
    assert sorted(contents.told(tmp_path)) == [
        f"left out: {anna}/IMG_1.MOV: the file is a video: take a still of it, or leave it out",
        f"left out: {anna}/gone.jpg: a link that leads nowhere: put the picture itself here",
        f"left out: {anna}/holiday: a folder within a person's: move its pictures up, beside subject.yaml",
        f"left out: {anna}/notes.txt: the file is text: leave it out",
        f"left out: {tmp_path}/loose.jpg: lies beside the people's folders: "
        "move it into the folder of whoever it shows",
    ]


def test_a_folder_whose_pictures_all_lie_deeper_says_where_they_are(tmp_path: Path) -> None:
    anna = write_subject(tmp_path, "anna", [])
    (anna / "2024").mkdir()
    assert f"{anna}: holds no picture\nleft out: {anna}/2024: a folder within a person's" in message_of(tmp_path)


@pytest.mark.parametrize(("card", "disk"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFC", "NFC")])
def test_a_name_is_one_in_whichever_form_it_is_written(tmp_path: Path, card: Form, disk: Form) -> None:
    """A Mac writes the e and its dots apart: `names Zoë.jpg, which is not there`, and it was."""
    on_disk, in_card = (unicodedata.normalize(form, "Zo\u00eb.jpg") for form in (disk, card))
    (tmp_path / "zoe").mkdir()
    (tmp_path / "zoe" / on_disk).write_bytes(b"x")
    text = yaml.safe_dump(a_card("zoe", [in_card]), allow_unicode=True)
    (tmp_path / "zoe" / "subject.yaml").write_text(text)
    (found,) = folder.read(tmp_path)
    (picture,) = found.entry([enrolled(on_disk)]).pictures
    assert picture.source_reference == "Zo\u00eb.jpg"


def test_two_people_whose_references_differ_in_their_form_alone_are_one(tmp_path: Path) -> None:
    for number, form in enumerate(FORMS):
        reference = unicodedata.normalize(form, "Zo\u00eb")
        card = yaml.safe_dump(a_card(f"zoe-{number}", ["1.jpg"], subject_ref=reference), allow_unicode=True)
        write_subject(tmp_path, f"zoe-{number}", ["a"], card=card)
    assert "subject_ref: the same as in zoe-0" in message_of(tmp_path)


def test_two_files_of_one_name_in_two_forms_are_told_apart_by_nobody(tmp_path: Path) -> None:
    zoe = write_subject(tmp_path, "zoe", ["a"])
    for form in FORMS:
        (zoe / unicodedata.normalize(form, "Zo\u00eb.jpg")).write_bytes(b"x")
    assert "two files are called Zo\u00eb.jpg, in two spellings of one name: rename one" in message_of(tmp_path)

"""Cards to begin with."""

from __future__ import annotations

import os
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from console.watchlist import folder
from console.watchlist.cards import Common, write_missing
from console.watchlist.folder import Enrolled
from services.contracts.errors import Misconfigured
from services.contracts.sealed.rules import Bounds, entry_faults, tells_of
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


# What is short, what YAML takes for something else than text, and what stands in every id.
NAMES = (
    *("e", "E", "-", "e-", "0", "a", "y", "n", "no", "null", "Null", "true", "1e3", "0x1", "12:30", "1_000"),
    *(
        "2024-01-01",
        "~x",
        "=",
        "<<",
        "!x",
        "&x",
        "*x",
        "%x",
        "@x",
        "#x",
        "- x",
        "x: y",
        "[x]",
        "{x}",
        "'x'",
        '"x"',
    ),
    *(
        "12.45\u202fPM",
        "a\u00a0b",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\U0001f468\u200d\U0001f467",
        "|",
        ">",
        "\\",
        "Zo\u00eb",
        "\u674e\u5c0f\u9f99",
        "\u0639\u0645\u0631",
        "with blanks in it",
        "x" * 200,
        "+49",
        "1.",
    ),
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_folder_and_its_picture_are_called_there_is_a_card_that_can_be_sealed(
    tmp_path: Path, name: str
) -> None:
    """For a folder called `e`, `E` or `-` the command never ended: each stands in every id."""
    (tmp_path / name).mkdir()
    picture = tmp_path / name / name
    picture.write_bytes(b"\xff\xd8\xff\xe0")
    os.utime(picture, (NOON.timestamp(), NOON.timestamp()))
    write_missing(tmp_path, COMMON)
    (subject,) = folder.read(tmp_path)
    entry = subject.entry([Enrolled(picture.name, *SHAS, 0.5)])
    assert (entry.subject_ref, entry.pictures[0].source_reference) == (name, name)
    assert not list(entry_faults(entry, Bounds(max_entries=1, max_templates=1), at=NOON + timedelta(days=0.5)))


@pytest.mark.parametrize(
    ("reference", "entry_id", "tells"),
    [
        ("e", "e-3f9a01bc", False),
        ("-", "e-3f9a01bc", False),
        ("3f", "e-3f9a01bc", False),
        ("7", "e-7", True),
        ("ada", "e-ada", True),
        ("ADA", "ada-1", True),
        ("ad", "ad", True),
        ("", "e-1", False),
    ],
)
def test_an_id_tells_of_a_reference_that_is_in_it_and_not_by_chance(
    reference: str, entry_id: str, tells: bool
) -> None:
    assert tells_of(reference, entry_id) is tells


def test_a_card_names_pictures_and_nothing_else(tmp_path: Path) -> None:
    """A folder from a Mac or a network drive: what was listed beside the pictures could not be built."""
    ada = tmp_path / "ada"
    (ada / "@eaDir").mkdir(parents=True)
    for name in ("1.jpg", "._1.jpg", ".DS_Store", "Thumbs.db", ".nfs01", "IMG_2.AAE"):
        (ada / name).write_bytes(b"\xff\xd8\xff" if name == "1.jpg" else b"some text")
    (ada / "photo").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "__MACOSX").mkdir()
    assert write_missing(tmp_path, COMMON) == [ada / "subject.yaml"]
    assert list(yaml.safe_load((ada / "subject.yaml").read_text())["pictures"]) == ["1.jpg", "photo"]


def test_a_card_is_written_in_one_form_of_a_name(tmp_path: Path) -> None:
    zoe = tmp_path / unicodedata.normalize("NFD", "Zo\u00eb")
    zoe.mkdir()
    (zoe / unicodedata.normalize("NFD", "\u00fc.jpg")).write_bytes(b"x")
    (path,) = write_missing(tmp_path, COMMON)
    card = yaml.safe_load(path.read_text())
    assert (card["subject_ref"], list(card["pictures"])) == ("Zo\u00eb", ["\u00fc.jpg"])

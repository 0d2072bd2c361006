"""The command's front door: help names every word, and a word that is not one gets an answer and no traceback."""

from __future__ import annotations

import errno
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from console import __main__ as command_line
from console import commands
from console.refusals import by_system

WORDS = sorted(path.stem for path in Path(commands.__path__[0]).glob("*.py") if path.stem != "__init__")


def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *typed: str) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["signpost", *typed])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    output = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, output.out + output.err


def test_help_names_every_word_and_says_what_it_is_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = said(capsys, monkeypatch, "--help")
    told = {cells[0]: cells[1:] for line in text.splitlines() if (cells := line.strip("│ ").split())}
    assert code == 0
    assert [word for word in WORDS if not told.get(word)] == []


@pytest.mark.parametrize("word", WORDS)
def test_each_word_has_help_of_its_own(
    word: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = said(capsys, monkeypatch, word, "--help")
    assert code == 0
    assert f"signpost {word} " in text


def test_a_word_that_is_not_one_is_said_to_be_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = said(capsys, monkeypatch, "serach")
    assert code == 2
    assert "No such command 'serach'" in text


def test_the_version_is_said_as_the_package_has_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`signpost --version` was no such option: who reports a fault could not say of which version."""
    code, text = said(capsys, monkeypatch, "--version")
    assert (code, text) == (0, f"signpost {version('signpost')}\n")
    assert re.fullmatch(r"\d+\.\d+\.\d+", version("signpost"))


def a_faulty_list(folder: Path) -> Path:
    """One subject, whose card is a folder."""
    (folder / "faces" / "ada" / "subject.yaml").mkdir(parents=True)
    (folder / "faces" / "ada" / "1.jpg").write_bytes(b"\xff\xd8\xff")
    return folder / "faces"


def test_a_file_that_the_system_refuses_is_named_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A card that could not be read ended `run` in Python's own words; a folder's root was named for its file."""
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    new = ("authority", "new", "try-1", "--camera", "front", "--source", f"file:{film}")
    code, _ = said(capsys, monkeypatch, *new, "--out", str(tmp_path / "try.yaml"))
    assert code == 0
    code, text = said(capsys, monkeypatch, *new, "--out", str(tmp_path / ("x" * 254)))
    assert (code, "File name too long" in text) == (2, True)
    faces = a_faulty_list(tmp_path)
    code, text = said(capsys, monkeypatch, "run", str(tmp_path / "try.yaml"), str(faces))
    assert code == 2
    assert "subject.yaml: Is a directory" in text.replace("\n", "")
    (faces / "ada" / "subject.yaml").rmdir()
    (faces / "ada" / "subject.yaml").symlink_to(tmp_path / "nowhere" / "subject.yaml")
    code, text = said(capsys, monkeypatch, "watchlist", "cards", str(faces))
    assert (code, text) == (2, f"{faces}/ada/subject.yaml: No such file or directory\n")


def test_a_full_disk_names_no_file_and_is_said_all_the_same() -> None:
    assert by_system(OSError(errno.ENOSPC, "No space left on device")) == (
        "a file cannot be read or written: No space left on device"
    )
    assert by_system(OSError(errno.EACCES, "Permission denied", "a\nb")) == "'a\\nb': Permission denied"

"""The command's front door: help names every word, and a word that is not one gets an answer and no traceback."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from console import __main__ as command_line
from console import commands

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

"""Names that people's computers leave beside their pictures, and one name in two forms."""

from __future__ import annotations

import unicodedata

import pytest

from services.contracts.file_names import is_one_line, is_system, one_form


@pytest.mark.parametrize(
    "name",
    [
        *(".DS_Store", "._1.jpg", ".nfs000000000001", ".hidden.jpg", ".git", ".picasa.ini", ".Spotlight-V100"),
        *("Thumbs.db", "thumbs.db", "THUMBS.DB", "desktop.ini", "Desktop.ini", "ehthumbs.db", "Picasa.ini"),
        *("@eaDir", "#recycle", "@Recycle", "__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found"),
        *("subject.yaml~", "1.jpg~", "~$faces.docx", "Icon\r"),
    ],
)
def test_a_systems_own_file_is_nobodys_picture(name: str) -> None:
    assert is_system(name)


@pytest.mark.parametrize(
    "name", ["1.jpg", "ada", "e", "-", "no", "Zo\u00eb.jpg", "eadir", "thumbs.jpg", "~ada", "#1.jpg", "my.ini"]
)
def test_a_persons_own_file_is_none_of_them(name: str) -> None:
    assert not is_system(name)


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot at 3.45.12\u202fPM.png",
        "a\u00a0b",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\U0001f468\u200d\U0001f467",
    ],
)
def test_what_a_name_is_written_with_is_text(name: str) -> None:
    """A Mac's screenshot has a narrow blank in its name, and was left out as one that cannot be written down."""
    assert is_one_line(name)


@pytest.mark.parametrize(
    "name", ["a\nb", "a\tb", "\u202egpj.exe", "a\u2066b", "a\u2028b", "a\udcffb", "a\x1b[2Jb", "a\u200bb"]
)
def test_what_breaks_or_turns_a_line_is_none(name: str) -> None:
    assert not is_one_line(name)


def test_one_name_in_two_forms_is_one() -> None:
    typed, of_a_mac = "Zo\u00eb.jpg", unicodedata.normalize("NFD", "Zo\u00eb.jpg")
    assert typed != of_a_mac
    assert one_form(typed) == one_form(of_a_mac) == typed

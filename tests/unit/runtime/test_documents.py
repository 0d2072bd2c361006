"""A document that cannot be read is refused by its setting and its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.contracts.errors import Misconfigured
from services.runtime.documents import read_text


def test_a_documents_text_is_read_as_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_bytes("Zoë".encode())
    assert read_text(file, variable="PEOPLE_FILE") == "Zoë"


def test_a_document_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(
        Misconfigured, match=rf"^PEOPLE_FILE: {tmp_path}/none cannot be read \(FileNotFoundError\)$"
    ):
        read_text(tmp_path / "none", variable="PEOPLE_FILE")


def test_a_document_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match="UnicodeDecodeError"):
        read_text(file, variable="PEOPLE_FILE")

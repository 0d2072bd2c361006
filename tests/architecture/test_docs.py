"""What the documents point at exists: links, and paths and make targets named in code style."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("services/*/README.md"))
    if path.name != "CHANGELOG.md"
)
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
_CODE = re.compile(r"`([^`\n]+)`")
# Folders whose files a document may name by their path from the root.
_ROOTS = ("services/", "console/", "tests/", "docs/", "helm/", "proto/", "scripts/", "evaluation/", "adr/")
_TARGET = re.compile(r"^([a-z][a-z0-9-]*):", re.MULTILINE)


def named_paths(text: str) -> set[str]:
    """Paths in code style: one word, from a folder of ours, without a pattern in it."""
    words = {code.split("::")[0].rstrip("/") for code in _CODE.findall(text) if " " not in code}
    return {word for word in words if word.startswith(_ROOTS) and not set(word) & set("*{}<>$")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = [link for link in _LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_is_named_exists(document: Path) -> None:
    missing = [
        path
        for path in sorted(named_paths(document.read_text()))
        if not any((base / path).exists() or list(base.glob(f"{path}*")) for base in (ROOT, document.parent))
    ]
    assert missing == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text()))
    named = {
        word
        for document in DOCUMENTS
        for code in _CODE.findall(document.read_text())
        if code.startswith("make ")
        for word in code.split()[1:]
        if "=" not in word
    }
    assert named - targets == set()


def test_a_path_that_is_not_there_is_noticed() -> None:
    assert named_paths("see `services/no/such.py::test` and `make demo`") == {"services/no/such.py"}


def test_each_decision_has_a_number_of_its_own() -> None:
    """Two that were written side by side had one number, and `adr/0010` named either."""
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        assert path.read_text().startswith(f"# {int(path.name[:4])}. "), path.name

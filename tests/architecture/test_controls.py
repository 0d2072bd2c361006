"""The table of controls tells of code and tests that exist, and of every control it has to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT

PAGE = ROOT / "docs/controls.md"
_NUMBERS = (*range(1, 7), 8, *range(11, 16), 18, 20, 24, *range(26, 39), 42)
LISTED = {"G1", "G2", "G3", "G9", "G10", "G11"} | {f"C-{number:02}" for number in _NUMBERS}
_ROW = re.compile(r"^\| *([A-Z]-?\d+) *\|")
_NAMED = re.compile(r"`([^`]+)`")
_HOW_FAR = re.compile(r"whole(: .+)?|in part: .+")


@dataclass(frozen=True)
class Row:
    """One control of the page, as it is written."""

    control: str
    asks: str
    code: str
    tests: str
    how_far: str


def rows(text: str) -> list[Row]:
    """Every row that begins with a control's number. Raises ValueError for one without its five columns."""
    found = []
    for line in text.splitlines():
        if _ROW.match(line):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) != 5:
                raise ValueError(f"{cells[0]} has {len(cells)} columns")
            found.append(Row(*cells))
    return found


def faults(row: Row) -> Iterator[str]:
    """What is not so on a row."""
    code, tests = _NAMED.findall(row.code), _NAMED.findall(row.tests)
    if not row.asks:
        yield f"{row.control}: does not say what is asked"
    if not code:
        yield f"{row.control}: no code"
    if not tests:
        yield f"{row.control}: no test"
    for named in code:
        if named.startswith("tests/") or not exists(named):
            yield f"{row.control}: no such code: {named}"
    for named in tests:
        path, _, test = named.partition("::")
        if not (path.startswith("tests/") and test.startswith("test_") and exists(named)):
            yield f"{row.control}: no such test: {named}"
    if not _HOW_FAR.fullmatch(row.how_far):
        yield f"{row.control}: says neither `whole` nor `in part: ...`"


def exists(named: str) -> bool:
    """Whether `path.py::Name` or `path.py::Name.member` is there, by what the file says and without running it."""
    path, _, name = named.partition("::")
    if not name or not (ROOT / path).is_file():
        return False
    inside: ast.AST = _tree(ROOT / path)
    for part in name.split("."):
        found = next((node for node in ast.iter_child_nodes(inside) if part in _names(node)), None)
        if found is None:
            return False
        inside = found
    return True


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _names(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return (name,)
        case ast.AnnAssign(target=ast.Name(id=name)):
            return (name,)
        case ast.Assign(targets=targets):
            return tuple(target.id for target in targets if isinstance(target, ast.Name))
    return ()


ROWS = rows(PAGE.read_text("utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.control)
def test_what_a_row_names_is_there(row: Row) -> None:
    assert list(faults(row)) == []


def test_every_control_is_there_once() -> None:
    assert sorted(row.control for row in ROWS) == sorted(LISTED)


GOOD = Row(
    "C-01",
    "Nothing is kept.",
    "`services/match/pipeline.py::Matcher.delivered`, `services/contracts/topics.py::FRAMES`",
    "`tests/architecture/test_controls.py::test_a_good_row_has_no_fault`",
    "in part: not yet",
)


def test_a_good_row_has_no_fault() -> None:
    assert list(faults(GOOD)) == []


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("asks", ""),
        ("code", ""),
        ("code", "`services/match/pipeline.py`"),
        ("code", "`services/match/pipeline.py::Matcher.forgets`"),
        ("code", "`services/match/pipeline.py::delivered`"),
        ("code", "`services/match/gone.py::Matcher`"),
        ("code", "`tests/support.py::eventually`"),
        ("tests", ""),
        ("tests", "by hand"),
        ("tests", "`tests/architecture/test_controls.py::test_that_was_renamed`"),
        ("tests", "`tests/architecture/test_controls.py::faults`"),
        ("tests", "`services/match/pipeline.py::Matcher`"),
        ("how_far", "mostly"),
        ("how_far", "in part"),
    ],
)
def test_a_bad_row_is_found(column: str, text: str) -> None:
    bad = Row(**{**vars(GOOD), column: text})
    assert list(faults(bad))


def test_a_row_that_lost_a_column_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="C-01 has 4 columns"):
        rows("| C-01 | asks | code | tests |")

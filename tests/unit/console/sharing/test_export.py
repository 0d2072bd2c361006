"""A picture leaves after its share is on record, marked, and not before."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console.sharing import export, taking
from services.contracts.errors import Misconfigured, Transient
from services.contracts.sealed.bundle.read import Contents, open_draft
from services.contracts.sealed.bundle.write import write_draft
from services.contracts.sealed.faults import Refused
from services.contracts.sealed.manifest import Manifest
from services.contracts.sharing.statements import ShareMade, mark_of
from tests.unit.console.sharing.test_mark import a_portrait, encoded
from tests.unit.contracts.authorisation.builders import NOON
from tests.unit.contracts.sealed.lists_builder import SEALING, a_draft, pictures
from tests.unit.contracts.sharing.builders import CITY, NORTH, Clerk

OPENED = "the pictures were opened"


@pytest.fixture
def contents() -> Contents:
    draft = a_draft()
    return open_draft(write_draft(draft, pictures(draft), sealing=SEALING))


def of(contents: Contents) -> Manifest:
    return contents.manifest(SEALING)


def a_line(contents: Contents, *entries: str) -> ShareMade:
    picked = export.picked(of(contents), entries, revoked=(), now=NOON)
    fields = export.fields(of(contents), picked, organisation=CITY, party=NORTH, serial=1)
    return Clerk().agreed().share(**fields)


def exported(contents: Contents, out: Path, record: Callable[[], None]) -> list[Path]:
    entries = export.picked(of(contents), ["e-1"], revoked=(), now=NOON)
    return export.export(contents, entries, SEALING, a_line(contents, "e-1"), record=record, out=out)


def not_to_be_opened(contents: Contents) -> Contents:
    def fetch(name: str) -> bytes | memoryview | None:
        assert not name.startswith("pictures"), OPENED
        return contents.fetch(name)

    return replace(contents, fetch=fetch)


def test_the_register_names_each_picture_by_digest_and_nobody_by_name(contents: Contents) -> None:
    line = a_line(not_to_be_opened(contents), "e-1", "e-2")
    shown = [one.shown_sha256 for entry in of(contents).entries[:2] for one in entry.pictures]
    assert [one.sha256 for one in line.pictures] == shown
    assert line.mark == mark_of(CITY, NORTH, 1)
    assert b"NOMINAL" not in line.canonical_bytes()


def test_nothing_is_opened_or_written_where_it_is_not_recorded(contents: Contents, tmp_path: Path) -> None:
    def record() -> None:
        raise Transient("oversight did not answer")

    with pytest.raises(Transient):
        exported(not_to_be_opened(contents), tmp_path / "out", record)
    assert not (tmp_path / "out").exists()


def test_what_fails_after_it_was_recorded_stays_on_record(contents: Contents, tmp_path: Path) -> None:
    """These pictures are none, so that marking them fails."""
    recorded: list[str] = []
    with pytest.raises(Misconfigured):
        exported(contents, tmp_path / "out", lambda: recorded.append("share 1"))
    assert recorded == ["share 1"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("now", "entry", "said"),
    [
        (NOON, "e-9", "entry e-9: entry_id: is not on the list [C-20]"),
        (NOON, "e-2", "entry e-2: entry_id: was taken off the list [G10]"),
        (NOON + timedelta(days=4), "e-1", "entry e-1: expires_at: has passed [C-24]"),
        (NOON + timedelta(days=1), "e-1", "entry e-1: status: is stale: ask its source again, and seal the list"),
        (NOON - timedelta(days=1), "e-1", "entry e-1: status: is of a time to come: a clock is wrong [C-08]"),
    ],
)
def test_whom_nobody_may_be_searched_by_is_not_shared(
    contents: Contents, now: datetime, entry: str, said: str
) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        export.picked(of(contents), [entry], revoked=["e-2"], now=now)


def test_what_comes_in_is_written_after_it_was_recorded_and_over_nothing(tmp_path: Path) -> None:
    given, into = tmp_path / "theirs.jpg", tmp_path / "ada"
    given.write_bytes(encoded(a_portrait()))
    found = taking.read([given])

    def record() -> None:
        assert not into.exists()

    assert taking.take(found, record=record, into=into) == [into / "theirs.jpg"]
    with pytest.raises(Misconfigured, match="is there already"):
        taking.take(found, record=lambda: pytest.fail("recorded"), into=into)

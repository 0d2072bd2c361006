"""The file of people: who is let in, and what a bad file is told."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from services.contracts.errors import Misconfigured
from services.review.core.people import Credentials, Person, PersonTokens, Role
from services.review.edges.people_file import PeopleFile
from services.runtime.passwords import hashed
from tests.conftest import ExpectedErrors

PASSWORD = "correct horse"
_HASHED = hashed(PASSWORD)
GOOD = f"people:\n  ann: {{name: Ann, person: p-1, roles: [reviewer], scripted: true, password: {_HASHED}}}\n"


def a_file(folder: Path, text: str) -> PeopleFile:
    file = folder / "people.yaml"
    file.write_text(text)
    return PeopleFile(file)


def test_the_right_password_lets_a_person_in_with_their_roles(tmp_path: Path) -> None:
    person = a_file(tmp_path, GOOD).authenticate(Credentials(user="ann", password=PASSWORD))
    assert person is not None
    ann = Person(user="ann", name="Ann", roles=frozenset({Role.REVIEWER}), scripted=True, person="p-1")
    assert replace(person, credential="") == ann


def test_a_person_has_another_credential_with_each_password_and_none_that_tells_it(tmp_path: Path) -> None:
    """Sessions hang on it; the entry itself must go nowhere."""
    before = a_file(tmp_path, GOOD).find("ann")
    again = a_file(tmp_path, GOOD).find("ann")
    after = a_file(tmp_path, GOOD.replace(_HASHED, hashed("another"))).find("ann")
    assert before is not None and again is not None and after is not None
    assert before.credential == again.credential != after.credential
    assert _HASHED not in before.credential
    assert before.credential not in repr(before)


@pytest.mark.parametrize(("user", "password"), [("ann", "wrong"), ("ann", ""), ("ben", PASSWORD), ("", "")])
def test_anything_else_lets_nobody_in(tmp_path: Path, user: str, password: str) -> None:
    assert a_file(tmp_path, GOOD).authenticate(Credentials(user=user, password=password)) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("people: [", "not YAML"),
        ("people: {ann: {name: 2026-13-45, password: secret-word}}", "not YAML"),
        ("people: {ann: {name: Ann, roles: [king], password: secret-word}}", "people, entry 1: roles"),
        ("people: {ann: {name: Ann, roles: [reviewer], password: secret-word}}", "people, entry 1: password"),
        ("people: {ann: {name: Ann, roles: []}}", "people, entry 1: person"),
        ("people: {Secret Word: {name: Ann, roles: []}}", "people, entry 1: its user name"),
        ("people: {ann: secret-word}", "people, entry 1: Input should be"),
        ("persons: {}", "people"),
        ("[]", "document"),
    ],
)
def test_a_bad_file_is_refused_naming_the_field_and_never_the_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        a_file(tmp_path, text)
    assert told in str(refused.value)
    assert "PEOPLE_FILE" in str(refused.value)
    told_all = "".join(traceback.format_exception(refused.value)).lower()
    # Of the file's own words: its path may hold them.
    assert not [word for word in ("secret-word", "secret word", "ann:", ".ann.", "'ann'") if word in told_all]


def an_entry(person: str, *roles: str) -> str:
    return f"{{name: Ann, person: {person}, roles: [{', '.join(roles)}], password: {hashed(PASSWORD)}}}"


@pytest.mark.parametrize(
    "roles",
    [
        ("reviewer", "supervisor"),
        ("reviewer", "authorising_officer"),
        ("reviewer", "watchlist_manager"),
        ("reviewer", "engagement_officer"),
        ("authorising_officer", "watchlist_manager"),
        ("auditor", "engagement_officer"),
        ("reviewer", "supervisor", "authorising_officer"),
    ],
)
def test_nobody_is_listed_on_two_sides_of_one_decision(tmp_path: Path, roles: tuple[str, ...]) -> None:
    """A reviewer who was supervisor and authorising officer, too, was taken without a word."""
    with pytest.raises(Misconfigured, match=r"people, entry 2: nobody is .* and .*: two sides of one decision"):
        a_file(tmp_path, f"people:\n  ben: {an_entry('p-2', 'reviewer')}\n  ann: {an_entry('p-1', *roles)}\n")


def test_one_person_is_there_once(tmp_path: Path) -> None:
    """Under two names one person could fill both seats of a case."""
    with pytest.raises(Misconfigured, match="people, entries 1 and 2 are one person"):
        a_file(tmp_path, f"people:\n  ann: {an_entry('p-1', 'reviewer')}\n  ben: {an_entry('P-1', 'reviewer')}\n")


def test_who_is_taken_out_of_the_file_is_out_and_new_roles_hold_at_once(tmp_path: Path) -> None:
    """The file was read once: who was let go kept their session, and could sign in anew, until a restart."""
    people = a_file(
        tmp_path, f"people:\n  ann: {an_entry('p-1', 'reviewer')}\n  ben: {an_entry('p-2', 'reviewer')}\n"
    )
    (tmp_path / "people.yaml").write_text(f"people:\n  ben: {an_entry('p-2', 'supervisor')}\n")
    assert people.find("ann") is None
    assert people.authenticate(Credentials(user="ann", password=PASSWORD)) is None
    ben = people.find("ben")
    assert ben is not None
    assert ben.roles == {Role.SUPERVISOR}
    assert [one.user for one in people.everybody()] == ["ben"]


@pytest.mark.parametrize("text", ["people: [", "people: {ann: {}}", None])
def test_a_changed_file_that_is_no_good_is_refused_and_the_one_before_stays(
    tmp_path: Path, text: str | None, expected_errors: ExpectedErrors
) -> None:
    expected_errors.add("people file refused: the one before stays")
    people = a_file(tmp_path, GOOD)
    assert not people.is_refused()
    if text is None:
        (tmp_path / "people.yaml").unlink()
    else:
        (tmp_path / "people.yaml").write_text(text)
    assert people.is_refused()
    assert people.find("ann") is not None
    (tmp_path / "people.yaml").write_text(f"people:\n  ben: {an_entry('p-2', 'reviewer')}\n")
    assert not people.is_refused()
    assert people.find("ann") is None


def test_a_file_that_is_put_in_the_place_of_another_is_read(tmp_path: Path) -> None:
    """As Kubernetes does: the link turns to another folder."""
    for name, user in (("old", "ann"), ("new", "ben")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "people.yaml").write_text(f"people:\n  {user}: {an_entry('p-1', 'reviewer')}\n")
    (tmp_path / "now").symlink_to("old")
    people = PeopleFile(tmp_path / "now" / "people.yaml")
    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").rename(tmp_path / "now")
    assert people.find("ann") is None
    assert people.find("ben") is not None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        PeopleFile(tmp_path / "nobody.yaml")


def test_a_person_is_a_token_in_events_and_shows_no_name_anywhere() -> None:
    ann = Person(user="ann", name="Ann", roles=frozenset({Role.REVIEWER}))
    token = PersonTokens(b"k" * 32).of(ann)
    assert token == PersonTokens(b"k" * 32).of(ann) != PersonTokens(b"l" * 32).of(ann)
    assert "ann" not in repr(ann).lower().replace("reviewer", "")
    assert len(token) == 32

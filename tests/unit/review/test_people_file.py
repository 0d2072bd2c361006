"""The file of people: who is let in, and what a bad file is told."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from services.contracts.errors import Misconfigured
from services.review.core.people import Credentials, Person, PersonTokens, Role
from services.review.edges.people_file import PeopleFile
from services.runtime.passwords import hashed

PASSWORD = "correct horse"
GOOD = f"people:\n  ann: {{name: Ann, roles: [reviewer], scripted: true, password: {hashed(PASSWORD)}}}\n"


def a_file(folder: Path, text: str) -> PeopleFile:
    file = folder / "people.yaml"
    file.write_text(text)
    return PeopleFile(file)


def test_the_right_password_lets_a_person_in_with_their_roles(tmp_path: Path) -> None:
    person = a_file(tmp_path, GOOD).authenticate(Credentials(user="ann", password=PASSWORD))
    assert person == Person(user="ann", name="Ann", roles=frozenset({Role.REVIEWER}), scripted=True)


@pytest.mark.parametrize(("user", "password"), [("ann", "wrong"), ("ann", ""), ("ben", PASSWORD), ("", "")])
def test_anything_else_lets_nobody_in(tmp_path: Path, user: str, password: str) -> None:
    assert a_file(tmp_path, GOOD).authenticate(Credentials(user=user, password=password)) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("people: [", "not YAML"),
        ("people: {ann: {name: 2026-13-45, password: secret-word}}", "not YAML"),
        ("people: {ann: {name: Ann, roles: [king], password: secret-word}}", "people.ann.roles"),
        ("people: {ann: {name: Ann, roles: [reviewer], password: secret-word}}", "people.ann.password"),
        ("people: {ann: {name: Ann, roles: []}}", "people.ann.password"),
        ("persons: {}", "people"),
        ("[]", "document"),
    ],
)
def test_a_bad_file_is_refused_naming_the_field_and_never_the_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        a_file(tmp_path, text)
    assert told in str(refused.value)
    assert "PEOPLE_FILE" in str(refused.value)
    assert "secret-word" not in "".join(traceback.format_exception(refused.value))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        PeopleFile(tmp_path / "nobody.yaml")


def test_a_person_is_a_token_in_events_and_shows_no_name_anywhere() -> None:
    ann = Person(user="ann", name="Ann", roles=frozenset({Role.REVIEWER}))
    token = PersonTokens(b"k" * 32).of(ann)
    assert token == PersonTokens(b"k" * 32).of(ann) != PersonTokens(b"l" * 32).of(ann)
    assert "ann" not in repr(ann).lower().replace("reviewer", "")
    assert len(token) == 32

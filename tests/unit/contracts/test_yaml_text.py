"""YAML by hand: whatever is none is refused with one error, and without a word of its contents."""

from __future__ import annotations

from datetime import date

import pytest

from services.contracts.yaml_text import NotYaml, loaded


def test_what_is_yaml_is_read() -> None:
    assert loaded("a: [1, 2026-06-01, x]") is not None
    assert loaded("") is None
    assert loaded("a: &x 2026-06-01\nb: *x") == dict.fromkeys("ab", date(2026, 6, 1)), "as PyYAML writes it"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [", 1),
        ("a: 1\nb: 2026-13-45", None),
        ("[" * 5000, 1),
        ("- " * 60, 1),
        ("c: 1\na: &b [1]\nd: *b", 2),
        ("&a [*a]", 1),
        ("a: !!python/object/apply:os.system [id]", 1),
        ("a: \x00", None),
        ("? [1]\n: 2", 1),
        ("a: 1\nb: 2\na: 3", 3),
        ("a: {b: 1, c: 2, b: 3}", 1),
    ],
)
def test_whatever_is_none_is_one_error(text: str, line: int | None) -> None:
    """Nothing but brackets ended the program with Python's own words, and an alias can stand for gigabytes."""
    with pytest.raises(NotYaml) as refused:
        loaded(text)
    assert refused.value.line == line
    assert refused.value.__cause__ is None


def test_a_field_that_stands_twice_is_refused_with_both_its_lines() -> None:
    """The last was taken without a word, and who wrote it read the first."""
    with pytest.raises(NotYaml, match="line 3: the field stands at line 1 already"):
        loaded("expires_at: 2026-06-01\nb: 1\nexpires_at: 2027-06-01")


def test_a_tab_is_named_for_nobody_sees_it() -> None:
    with pytest.raises(NotYaml, match="line 2: a tab indents it, write blanks"):
        loaded("a:\n\tb: 1")


def test_nothing_of_the_text_is_in_the_error() -> None:
    with pytest.raises(NotYaml) as refused:
        loaded("password: hunter2\n  secret: [")
    assert "hunter2" not in str(refused.value)
    assert "secret" not in str(refused.value)

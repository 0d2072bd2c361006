"""One value, one sequence of bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.authorisation.canonical import canonical, digest
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.findings import NotAuthorised
from tests.unit.contracts.authorisation.builders import START, a_document, fields

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def _as_a_double(digits: str) -> float:
    """Beyond 2^53 a whole number is written in full up to 1e21, and is a double all the same."""
    return int(digits) if abs(int(digits)) < 2**53 else float(digits)


def turned(value: object) -> object:
    """The same value, every object's members in the other order."""
    if isinstance(value, Mapping):
        return {name: turned(value[name]) for name in reversed(list(value))}
    return [turned(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
def test_the_same_value_has_the_same_bytes(value: object) -> None:
    assert canonical(value) == canonical(turned(value))


@given(VALUES)
def test_bytes_read_back_give_the_same_bytes_again(value: object) -> None:
    raw = canonical(value)
    assert canonical(json.loads(raw, parse_int=_as_a_double)) == raw


@given(VALUES, VALUES)
def test_different_values_have_different_bytes(one: object, other: object) -> None:
    """Python takes True for 1, which JSON does not: compared as JSON sees them."""
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    if same:
        assert canonical(one) == canonical(other)
    elif canonical(one) == canonical(other):
        assert json.loads(canonical(one)) == one == other  # 1 and 1.0, 0 and -0


@pytest.mark.parametrize(
    ("number", "text"),
    [
        # RFC 8785, appendix B.
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e21, "1e+21"),
        (0.000001, "0.000001"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (333333333.33333325, "333333333.33333325"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"),
        # Ours.
        (1.0, "1"),
        (0.55, "0.55"),
        (1, "1"),
    ],
)
def test_numbers_are_written_as_ecmascript_writes_them(number: float, text: str) -> None:
    assert canonical(number).decode() == text


def test_members_are_ordered_by_utf_16_and_strings_escaped_as_little_as_json_allows() -> None:
    """The example of RFC 8785, 3.2.3: an emoji's surrogates come before the Hebrew presentation form."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical(value)).values()) == [2, 4, 6, 7, 1, 5, 3]
    assert canonical('\u20ac$\u000f\nA\'B"\\\\"/') == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", {"\ud800": 1}])
def test_what_has_no_single_encoding_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical(value)


@pytest.mark.parametrize("value", [{1: 2}, b"x", {1, 2}])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)


def test_a_document_reads_back_from_its_own_bytes() -> None:
    document = a_document()
    assert Document.from_canonical(document.canonical_bytes()) == document


def test_how_a_time_was_written_does_not_change_the_digest() -> None:
    summer = timezone(timedelta(hours=1))
    window = {"start": START.astimezone(summer), "end": START + timedelta(hours=4)}
    assert a_document(window=window).digest == a_document().digest


def test_an_omitted_default_is_signed_like_a_written_one() -> None:
    assert a_document(clock={"accepts": ["synchronised"]}).digest == a_document().digest


@pytest.mark.parametrize(
    "alter",
    [
        lambda raw: raw.replace(b'"serial":1', b'"serial":1.0'),
        lambda raw: raw.replace(b'"assembly":false', b'"assembly":0'),
        lambda raw: raw.replace(b'"serial":1', b'"serial":2,"serial":1'),
        lambda raw: raw.replace(b"{", b"{ ", 1),
        lambda raw: raw + b"\n",
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.decode().encode("utf-16"),
        lambda raw: raw.replace(b"eleven", b"\\u0065leven"),
        lambda raw: raw.replace(b'{"1":0.5', b'{"01":0.5', 1),
        lambda raw: raw.replace(b'{"1":0.5', b'{"1":0.50', 1),
        lambda raw: raw.replace(b'{"1":0.5', b'{"1":0.5000000000000000001', 1),
        lambda raw: raw.replace(b'"serial":1', b'"serial":true'),
        lambda raw: raw.replace(b'"serial":1', b'"serial":"1"'),
        lambda raw: raw.replace(b"12:00:00Z", b"12:00:00.000Z", 1),
        lambda raw: raw.replace(b"12:00:00Z", b"13:00:00+01:00", 1),
        lambda raw: raw.replace(b',"urgent":null', b""),
        lambda raw: raw.replace(b'"serial":1', b'"serial":9007199254740993'),
        lambda raw: raw.replace(b'"version":1', b'"version":1e999'),
        lambda raw: raw.replace(b"2026-05-27T12:00:00Z", b"9999-12-31T23:59:59-14:00"),
        lambda raw: raw.replace(b"eleven robberies", b"\\ud800 robberies"),
    ],
)
def test_bytes_that_say_the_same_in_another_form_are_refused(alter: object) -> None:
    raw = a_document().canonical_bytes()
    altered = alter(raw)  # type: ignore[operator]
    assert altered != raw
    with pytest.raises(NotAuthorised, match=r"document|version|created_at|grounds"):
        Document.from_canonical(altered)


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b"[" * 100_000, b" " * (1024 * 1024 + 1), b"9" * 9999])
def test_bytes_that_are_no_document_are_refused_and_nothing_breaks(raw: bytes) -> None:
    with pytest.raises(NotAuthorised):
        Document.from_canonical(raw)


def test_the_digest_covers_every_field() -> None:
    whole = a_document().model_dump(mode="json")
    digests = {digest(whole | {name: None}) for name in whole if whole[name] is not None}
    assert len(digests) == sum(value is not None for value in whole.values())
    assert set(fields()) <= set(whole)

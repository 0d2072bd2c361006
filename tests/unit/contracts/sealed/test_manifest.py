"""What is kept of a list can be read again to the byte, and names whatever was altered in it (G10, C-04)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.audit.merkle import leaf_hash
from services.contracts.authorisation import statements
from services.contracts.authorisation.enums import Category
from services.contracts.errors import Undecodable
from services.contracts.events import ScoreKind
from services.contracts.sealed import manifest, rebuild
from services.contracts.sealed.canonical import decode, encode
from services.contracts.sealed.draft import Draft
from services.contracts.sealed.faults import Altered, Refused
from services.contracts.sealed.manifest import Leaf, Manifest, Threshold
from services.contracts.sealed.seal import ListSealed, Seal, check_manifest, parse_seal
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import (
    BOUNDED,
    FILLING,
    MANAGER,
    MODEL,
    OFFICER,
    REGISTRY,
    a_draft,
    an_entry,
    bounds,
    sealed,
)

DRAFT = a_draft()
LIST = DRAFT.manifest
RAW = LIST.to_bytes()
SEAL = sealed(DRAFT)


def read(raw: bytes, seal: Seal = SEAL) -> Manifest:
    return check_manifest(raw, seal, REGISTRY, now=NOON)


def altered(raw: bytes, seal: Seal = SEAL) -> tuple[str, ...]:
    with pytest.raises(Altered) as found:
        read(raw, seal)
    return found.value.parts


def rfc_6962(leaves: list[bytes]) -> bytes:
    """The tree's head as the RFC defines it, by recursion."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + rfc_6962(leaves[:k]) + rfc_6962(leaves[k:])).digest()


@BOUNDED
@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_tree_is_that_of_rfc_6962(records: list[bytes]) -> None:
    leaves = tuple(Leaf("", leaf_hash(one).hex()) for one in records)
    assert manifest.root_of(leaves) == rfc_6962(records).hex()


def test_a_manifest_comes_out_as_it_went_in() -> None:
    assert manifest.parse(RAW) == LIST
    assert read(RAW) == LIST
    assert parse_seal(SEAL.to_bytes()) == SEAL


def test_a_manifest_holds_no_template_and_no_picture() -> None:
    for rows in DRAFT.templates.values():
        for row in rows:
            assert row.tobytes() not in RAW
            assert row.tobytes().hex().encode() not in RAW
    assert b"the face of" not in RAW


@BOUNDED
@given(place=st.integers(0, len(RAW) - 1), mask=st.integers(1, 255))
def test_one_altered_byte_is_found_and_its_line_is_named(place: int, mask: int) -> None:
    raw = bytearray(RAW)
    raw[place] ^= mask
    line = RAW[:place].count(b"\n")
    assert manifest.spoken(LIST.leaves[line].name) in altered(bytes(raw)) or place == len(RAW) - 1


@BOUNDED
@given(place=st.integers(0, len(RAW) - 1))
def test_one_byte_left_out_or_put_in_is_found(place: int) -> None:
    assert altered(RAW[:place] + RAW[place + 1 :])
    assert altered(RAW[:place] + b"\x00" + RAW[place:])
    assert altered(RAW[:place])


def test_an_altered_entry_is_named_alone() -> None:
    assert altered(RAW.replace(b"NOMINAL/E-2/7731", b"NOMINAL/E-2/7732")) == ("entry e-2",)


def test_two_altered_entries_are_both_named() -> None:
    assert altered(RAW.replace(b"/E-1/", b"/X-1/").replace(b"/E-3/", b"/X-3/")) == ("entry e-1", "entry e-3")


def test_an_entry_left_out_is_named() -> None:
    lines = RAW.splitlines(keepends=True)
    assert altered(b"".join(lines[:3] + lines[4:])) == ("entry e-2", "4 lines where 5 were sealed")


def test_entries_put_in_another_order_are_named() -> None:
    lines = RAW.splitlines(keepends=True)
    assert altered(b"".join([*lines[:2], lines[3], lines[2], lines[4]])) == (
        "the place of entry e-1",
        "the place of entry e-2",
    )


def test_leaves_that_are_not_those_signed_are_not_believed() -> None:
    leaves = (*SEAL.leaves[:2], Leaf("e-1", "0" * 64), *SEAL.leaves[3:])
    assert altered(RAW, replace(SEAL, leaves=leaves)) == ("leaves",)


def test_leaves_that_bear_the_names_of_others_are_not_believed() -> None:
    """The digest binds hashes only: a renamed leaf would blame another entry."""
    head, cohort, one, other, *more = SEAL.leaves
    swapped = (head, cohort, replace(one, name=other.name), replace(other, name=one.name), *more)
    assert altered(RAW, replace(SEAL, leaves=swapped)) == ("leaves",)


def test_a_seal_that_two_signed_with_another_name_than_the_lists_is_refused() -> None:
    values: dict[str, Any] = {"deployment": "oxford-street-1", "signed_at": NOON, "digest": LIST.digest}
    tokens = tuple(statements.sign(ListSealed(name="red-list", **values), who) for who in (MANAGER, OFFICER))
    assert altered(RAW, replace(SEAL, name="red-list", signatures=tokens)) == ("head",)


def test_another_list_under_the_same_seal_is_refused() -> None:
    other = a_draft(an_entry("e-9")).manifest
    assert altered(other.to_bytes())


@BOUNDED
@given(data=st.data())
def test_one_altered_byte_of_a_kept_seal_is_found(data: st.DataObject) -> None:
    raw = bytearray(SEAL.to_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises((Altered, Refused, Undecodable)):
        read(RAW, parse_seal(bytes(raw)))


CHANGED: list[tuple[str, Draft]] = [
    ("entry", a_draft(*(an_entry(f"e-{n}", category=Category.UNLAWFULLY_AT_LARGE) for n in (1, 2, 3)))),
    ("model", a_draft(model_id="other")),
    ("name", a_draft(name="red-list")),
    ("deployment", a_draft(deployment="other-street-1")),
    ("filling", a_draft(filling=replace(FILLING, seed=2))),
    ("score kind", a_draft(score_kind=ScoreKind.RAW)),
    ("threshold", a_draft(thresholds=(Threshold(shots=1, score=0.49),))),
    ("cap", a_draft(bounds=bounds(max_entries=101))),
    ("cohort's size", a_draft(cohort_size=2)),
    ("cohort's weight", a_draft(cohort_weight=0.25)),
    ("filler", a_draft(fillers=4)),
]


@pytest.mark.parametrize("draft", [draft for _, draft in CHANGED], ids=[name for name, _ in CHANGED])
def test_the_digest_changes_with_every_part_of_a_list(draft: Draft) -> None:
    assert draft.manifest.digest != LIST.digest


def test_the_digest_does_not_depend_on_the_order_in_which_entries_are_given() -> None:
    entries = [an_entry(f"e-{n}") for n in (3, 1, 2)]
    vectors = {name: DRAFT.templates[name] for name in ("e-1", "e-2", "e-3")}
    assert a_draft(*entries, templates=vectors).manifest.digest == LIST.digest


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b"9" * 5000,
        b'{"one":"a","other":"b","third":"c"}',
        b'{"other":"b","one":"a"}',
        b'{"one": "a","other":"b"}',
        b'{"one":"a","one":"a","other":"b"}',
        b'{"one":"\\u0061","other":"b"}',
        b'{"one":null,"other":"b"}',
        b'{"one":"a","other":"\xff"}',
    ],
    ids=lambda line: repr(line[:40]),
)
def test_a_line_in_any_other_form_than_its_one_is_refused(line: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(manifest.Pair, line)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32(0.5), b"bytes"])
def test_what_has_no_canonical_form_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match=r"canonical|JSON"):
        encode(manifest.Limits(same_person=value, alike=0.5))


@pytest.mark.parametrize("raw", [b"", b"\n", b"{}\n{}\n{}\n", RAW[:-1], RAW + b"{}\n"], ids=repr)
def test_what_is_no_manifest_is_refused(raw: bytes) -> None:
    with pytest.raises(Undecodable):
        manifest.parse(raw)


def test_a_head_that_counts_other_records_is_refused() -> None:
    wrong = replace(LIST, head=replace(LIST.head, entries=2))
    with pytest.raises(Undecodable, match="counts"):
        manifest.parse(wrong.to_bytes())


def again(draft: Draft, model: str = MODEL) -> dict[str, rebuild.Enrolled]:
    """The pictures enrolled once more, with the same result."""
    return {
        one.image_sha256: rebuild.Enrolled(model, row)
        for entry in draft.manifest.entries
        for one, row in zip(entry.pictures, draft.templates[entry.entry_id], strict=True)
    }


def test_a_past_list_is_made_again_from_its_manifest() -> None:
    """C-04: the manifest alone says what to fetch, and that what was fetched is the list that was searched."""
    kept = read(RAW)
    assert set(rebuild.wanted(kept)) == set(again(DRAFT))
    assert kept.cohort.filling is not None
    assert list(rebuild.differences(kept, again(DRAFT), DRAFT.fillers)) == []


def test_a_list_made_again_otherwise_is_told_where() -> None:
    kept = read(RAW)
    first, second, *_ = again(DRAFT).items()
    found = dict([first]) | {second[0]: rebuild.Enrolled(MODEL, first[1].vector)}
    faults = [str(one) for one in rebuild.differences(kept, found, DRAFT.fillers)]
    assert len(faults) == 5
    assert faults[0].startswith("entry e-1: pictures.1: gives another template")
    assert faults[1] == "entry e-2: pictures.0: is not among the pictures found [C-04]"
    other = rebuild.differences(kept, again(DRAFT, "other"), DRAFT.fillers)
    assert all("another model" in str(one) for one in other)
    assert [str(one) for one in rebuild.differences(kept, again(DRAFT), DRAFT.fillers[::-1])] == [
        "list: fillers: made up again are others [C-04]"
    ]

"""One file: every altered byte is found and named, each part opens only where it belongs (G10)."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.codec import Sealing
from services.contracts.errors import Permanent
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.bundle.read import Bundle, open_bundle
from services.contracts.sealed.bundle.write import write
from services.contracts.sealed.canonical import decode, encode
from services.contracts.sealed.faults import Altered, Refused
from services.contracts.sealed.manifest import file_sha256
from services.runtime.keys.cipher import AesGcm
from tests.builders import NOON
from tests.unit.contracts.sealed.lists_builder import (
    APPROVER,
    KEY,
    MANAGER,
    SEALING,
    APerson,
    ARegistry,
    a_bundle,
    a_draft,
    pictures,
    sealed,
)

DRAFT = a_draft()
LIST = DRAFT.manifest
RAW = a_bundle(DRAFT)
PREFIX = frame.unpack(memoryview(RAW))
SIGNED = len(PREFIX.message) - len(b"signpost-list-bundle-1 header\0") - len(PREFIX.header)


def opened(raw: bytes | memoryview = RAW) -> Bundle:
    return open_bundle(raw, verifier=ARegistry(), at=NOON)


def read_all(raw: bytes) -> None:
    """What every reader together reads."""
    bundle = opened(raw)
    bundle.check()
    found = bundle.manifest(SEALING)
    bundle.templates(found, SEALING)
    bundle.fillers(found, SEALING)
    for entry in found.entries:
        bundle.pictures(entry, SEALING)


def altered(raw: bytes) -> tuple[str, ...]:
    with pytest.raises(Altered) as found:
        read_all(raw)
    return found.value.parts


def flipped(place: int, mask: int = 1) -> bytes:
    raw = bytearray(RAW)
    raw[place] ^= mask
    return bytes(raw)


def part_at(place: int) -> str:
    """What stands at that byte of the file."""
    if place < PREFIX.end:
        return "magic" if place < len(frame.MAGIC) else "header"
    start = PREFIX.end
    for part in decode(frame.Header, PREFIX.header).parts:
        start += part.size
        if place < start:
            return part.name
    raise AssertionError


def signed(header: frame.Header | bytes, *, bodies: bytes, signer: APerson = MANAGER, **prefix: Any) -> bytes:
    """A file with that header, as somebody with a key could make it."""
    raw = header if isinstance(header, bytes) else encode(header)
    before = frame.pack(raw, **({"key_id": signer.key_id, "signed_at": NOON} | prefix))
    return before + signer.sign(frame.message(before, raw)) + raw + bodies


def test_a_list_comes_out_as_it_went_in() -> None:
    bundle = opened()
    found = bundle.manifest(SEALING)
    assert found == LIST
    assert bundle.seal == sealed(DRAFT)
    assert bundle.signed_by == "p-manager"
    templates = bundle.templates(found, SEALING)
    assert all(np.array_equal(templates[name], rows) for name, rows in DRAFT.templates.items())
    assert np.array_equal(bundle.fillers(found, SEALING), DRAFT.fillers)
    assert {one.entry_id: bundle.pictures(one, SEALING) for one in found.entries} == pictures(DRAFT)


def test_one_entry_is_read_by_itself() -> None:
    assert opened().entry("e-2", SEALING) == LIST.by_id["e-2"]
    with pytest.raises(KeyError):
        opened().entry("e-9", SEALING)


def test_a_mapped_file_is_read_as_well() -> None:
    assert opened(memoryview(RAW)).manifest(SEALING) == LIST


def test_a_list_without_fillers_comes_out_as_it_went_in() -> None:
    draft = a_draft(fillers=0, cohort_size=2)
    bundle = opened(a_bundle(draft))
    found = bundle.manifest(SEALING)
    assert found == draft.manifest
    assert bundle.fillers(found, SEALING).shape == (0, 32)


@given(place=st.integers(0, len(RAW) - 1), mask=st.integers(1, 255))
def test_any_byte_altered_anywhere_is_found_and_its_part_named(place: int, mask: int) -> None:
    assert altered(flipped(place, mask)) == (part_at(place),)


def test_every_byte_of_the_prefix_is_covered() -> None:
    for place in range(PREFIX.end - len(PREFIX.header)):
        assert altered(flipped(place)) == (part_at(place),)


def test_the_last_byte_of_every_part_is_covered() -> None:
    start = PREFIX.end
    for part in decode(frame.Header, PREFIX.header).parts:
        start += part.size
        assert altered(flipped(start - 1)) == (part.name,)


def test_several_altered_parts_are_all_named_without_a_key() -> None:
    raw = bytearray(RAW)
    bundle = opened()
    for name in ("entry e-1", "pictures e-3"):
        place = bundle._parts[name][1]
        raw[place] ^= 1
    assert opened(bytes(raw)).altered() == ("entry e-1", "pictures e-3")


def test_a_reader_of_entries_names_every_altered_one() -> None:
    raw = bytearray(RAW)
    for name in ("entry e-1", "entry e-3"):
        raw[opened()._parts[name][1]] ^= 1
    with pytest.raises(Altered) as found:
        opened(bytes(raw)).manifest(SEALING)
    assert found.value.parts == ("entry e-1", "entry e-3")


@given(place=st.integers(0, len(RAW) - 1))
def test_a_file_cut_short_anywhere_is_found(place: int) -> None:
    assert altered(RAW[:place])


def test_bytes_put_behind_the_last_part_are_found() -> None:
    assert altered(RAW + b"\0") == ("end",)


@given(st.binary(max_size=300))
def test_bytes_from_anybody_are_no_bundle(raw: bytes) -> None:
    assert altered(raw) == ("magic",)
    assert altered(frame.MAGIC + raw) in {("magic",), ("header",)}


@pytest.mark.parametrize("length", [0, 2**31, 2**32 - 1])
def test_a_length_that_cannot_be_true_allocates_nothing(length: int) -> None:
    hostile = struct.pack(">8sIqH", frame.MAGIC, length, 0, 65535) + b"\0" * 70_000
    assert altered(hostile) == ("header",)


def test_a_header_is_checked_before_it_is_parsed() -> None:
    deep = signed(b"[" * 100_000, bodies=b"", signer=APerson("p-stranger"))
    assert altered(deep) == ("header",)


@pytest.mark.parametrize(
    ("signer", "prefix"),
    [
        (APPROVER, {}),
        (APerson("p-stranger"), {}),
        (APerson("p-stranger"), {"key_id": MANAGER.key_id}),
        (MANAGER, {"signed_at": NOON + timedelta(seconds=1)}),
    ],
    ids=["an approver", "a stranger", "a stranger under another's name", "somebody in the future"],
)
def test_a_header_that_no_manager_signed_is_refused(signer: APerson, prefix: dict[str, Any]) -> None:
    raw = signed(PREFIX.header, bodies=RAW[PREFIX.end :], signer=signer, **prefix)
    assert altered(raw) == ("header",)


def header_of(raw: bytes = RAW) -> frame.Header:
    return decode(frame.Header, frame.unpack(memoryview(raw)).header)


def _swapped_names(header: frame.Header) -> frame.Header:
    one, other = header.seal.leaves[2:4]
    named = (replace(one, name=other.name), replace(other, name=one.name))
    leaves = (*header.seal.leaves[:2], *named, *header.seal.leaves[4:])
    names = frame.part_names(leaves)
    parts = tuple(replace(part, name=name) for part, name in zip(header.parts, names, strict=True))
    return replace(header, seal=replace(header.seal, leaves=leaves), parts=parts)


@pytest.mark.parametrize(
    "change",
    [
        lambda h: replace(h, format="signpost-list-bundle-2"),
        lambda h: replace(h, cipher="none"),
        lambda h: replace(h, parts=h.parts[:-1]),
        lambda h: replace(h, parts=(*h.parts, h.parts[-1])),
        lambda h: replace(h, parts=h.parts[::-1]),
        lambda h: replace(h, parts=(replace(h.parts[0], size=0), *h.parts[1:])),
        lambda h: replace(h, parts=(replace(h.parts[0], size=-5), *h.parts[1:])),
        lambda h: replace(h, parts=(replace(h.parts[0], size=2**40), *h.parts[1:])),
        lambda h: replace(h, seal=replace(h.seal, leaves=h.seal.leaves[::-1])),
        lambda h: replace(h, seal=replace(h.seal, leaves=())),
        _swapped_names,
    ],
)
def test_even_a_manager_cannot_sign_a_header_that_is_not_the_lists(change: Any) -> None:
    raw = signed(change(header_of()), bodies=RAW[PREFIX.end :])
    with pytest.raises(Altered):
        read_all(raw)


def test_even_a_manager_cannot_put_a_list_under_one_signature() -> None:
    header = header_of()
    alone = replace(header, seal=replace(header.seal, signatures=header.seal.signatures[:1]))
    with pytest.raises(Refused):
        opened(signed(alone, bodies=RAW[PREFIX.end :]))


def test_even_a_manager_cannot_change_an_entry() -> None:
    """Holding the list's key and a manager's, but no approver's: the digest that two signed does not fit."""
    changed = replace(LIST.entries[0], legal_basis="another one, as good")
    line = encode(changed)
    header = header_of()
    bodies = [RAW[start : start + part.size] for part, start in opened()._parts.values()]
    place = [part.name for part in header.parts].index("entry e-1")
    bodies[place] = SEALING.cipher.seal(KEY, line, frame.aad(header.key_id, header.seal, "entry e-1"))
    parts = list(header.parts)
    parts[place] = frame.Part(name="entry e-1", size=len(bodies[place]), sha256=file_sha256(bodies[place]))
    raw = signed(replace(header, parts=tuple(parts)), bodies=b"".join(bodies))
    assert altered(raw) == ("entry e-1",)


@pytest.mark.parametrize(
    ("one", "other"),
    [("pictures e-1", "pictures e-2"), ("templates e-1", "templates e-2"), ("entry e-1", "entry e-2")],
)
def test_even_a_manager_cannot_exchange_two_parts(one: str, other: str) -> None:
    header = header_of()
    bodies = {name: RAW[start : start + part.size] for name, (part, start) in opened()._parts.items()}
    bodies[one], bodies[other] = bodies[other], bodies[one]
    parts = tuple(
        replace(part, size=len(bodies[part.name]), sha256=file_sha256(bodies[part.name])) for part in header.parts
    )
    raw = signed(replace(header, parts=parts), bodies=b"".join(bodies.values()))
    assert altered(raw) == (one,)


@pytest.mark.parametrize("name", ["templates e-1", "pictures e-1", "fillers"])
def test_even_who_holds_the_key_cannot_change_templates_or_pictures(name: str) -> None:
    header = header_of()
    bodies = {part: RAW[start : start + one.size] for part, (one, start) in opened()._parts.items()}
    where = frame.aad(header.key_id, header.seal, name)
    for content in (b"", _other(SEALING.cipher.open(KEY, bodies[name], where))):
        bodies[name] = SEALING.cipher.seal(KEY, content, where)
        parts = tuple(
            replace(part, size=len(bodies[part.name]), sha256=file_sha256(bodies[part.name]))
            for part in header.parts
        )
        assert altered(signed(replace(header, parts=parts), bodies=b"".join(bodies.values()))) == (name,)


def test_a_bundle_does_not_open_under_another_key() -> None:
    for other in (Sealing(SEALING.key_id, bytes(32), AesGcm()), Sealing("other", KEY, AesGcm())):
        with pytest.raises(Permanent):
            opened().manifest(other)


def test_nothing_of_a_subject_stands_in_a_bundle_in_clear() -> None:
    for secret in (b"NOMINAL", b"the face of", b"warrant", LIST.entries[0].pictures[0].image_sha256.encode()):
        assert secret not in RAW
    for rows in DRAFT.templates.values():
        assert rows.astype("<f4").tobytes()[:64] not in RAW


def test_two_bundles_of_one_list_have_one_digest_and_share_no_ciphertext() -> None:
    other = opened(a_bundle(DRAFT))
    assert other.seal.digest == opened().seal.digest
    assert not {one.sha256 for one in other.header.parts} & {one.sha256 for one in opened().header.parts}


def test_pictures_that_are_not_those_of_the_list_are_not_written() -> None:
    swapped = pictures(DRAFT) | {"e-1": pictures(DRAFT)["e-2"], "e-9": (b"who?",)}
    with pytest.raises(Refused) as found:
        write(DRAFT, sealed(DRAFT), swapped, sealing=SEALING, signer=MANAGER, at=NOON)
    assert [one.entry for one in found.value.faults] == ["e-1", "e-9"]


def test_a_list_is_not_written_under_the_seal_of_another() -> None:
    with pytest.raises(ValueError, match="another list"):
        write(DRAFT, sealed(a_draft(name="red")), pictures(DRAFT), sealing=SEALING, signer=MANAGER, at=NOON)


def test_no_part_is_written_that_no_reader_takes() -> None:
    assert frame.most_bytes("pictures e-1") == frame.MAX_PICTURES_BYTES
    assert frame.most_bytes("templates e-1") == frame.MAX_TEMPLATES_BYTES
    assert frame.most_bytes("fillers") == frame.MAX_FILLERS_BYTES
    assert frame.most_bytes("entry e-1") == frame.most_bytes("head") == frame.MAX_RECORD_BYTES


def test_no_repr_shows_what_is_in_a_bundle() -> None:
    assert "NOMINAL" not in repr((opened(), DRAFT, LIST))
    assert "array" not in repr(DRAFT)


def _other(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])

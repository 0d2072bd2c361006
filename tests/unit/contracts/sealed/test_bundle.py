"""One file: every altered byte is found and named, each part opens only where it belongs (G10)."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.authorisation import statements
from services.contracts.authorisation.signing import SigningKey
from services.contracts.codec import Sealing
from services.contracts.errors import Permanent
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.bundle.read import Bundle, Contents, draft_of, open_bundle, open_draft, open_parts
from services.contracts.sealed.bundle.write import write_draft, write_sealed
from services.contracts.sealed.canonical import decode, encode
from services.contracts.sealed.faults import Altered, Refused
from services.contracts.sealed.manifest import file_sha256
from services.runtime.keys.cipher import AesGcm
from tests.builders import NOON
from tests.unit.contracts.authorisation.builders import a_registered_key, a_registry, key
from tests.unit.contracts.sealed.lists_builder import (
    BOUNDED,
    KEY,
    MANAGER,
    OFFICER,
    REGISTRY,
    SEALING,
    a_bundle,
    a_draft,
    a_draft_file,
    pictures,
    sealed,
)

DRAFT = a_draft()
LIST = DRAFT.manifest
RAW = a_bundle(DRAFT)
TOKEN, HEADER, FRONT = frame.unpack(frame.MAGIC, memoryview(RAW))
PARTS = decode(frame.Header, HEADER).parts


def opened(raw: bytes | memoryview = RAW) -> Bundle:
    return open_bundle(raw, registry=REGISTRY, now=NOON)


def read_all(raw: bytes) -> None:
    """What every reader together reads."""
    contents = opened(raw).contents
    contents.check()
    read_parts(contents)


def read_parts(contents: Contents) -> None:
    found = contents.manifest(SEALING)
    contents.templates(found, SEALING)
    contents.fillers(found, SEALING)
    for entry in found.entries:
        contents.pictures(entry, SEALING)


def altered(raw: bytes) -> tuple[str, ...]:
    with pytest.raises(Altered) as found:
        read_all(raw)
    return found.value.parts


def flipped(place: int, mask: int = 1) -> bytes:
    raw = bytearray(RAW)
    raw[place] ^= mask
    return bytes(raw)


def regions() -> dict[str, range]:
    """Every byte of the file, by what stands there."""
    names = {
        "magic": len(frame.MAGIC),
        "lengths": 8,
        "token": len(TOKEN),
        "header": len(HEADER),
    } | {part.name: part.size for part in PARTS}
    ends = list(accumulate(names.values()))
    assert ends[-1] == len(RAW)
    return {name: range(end - size, end) for (name, size), end in zip(names.items(), ends, strict=True)}


REGIONS = regions()
# What a reader calls them: before the parts nothing but the magic can be told apart.
SPOKEN = {name: "header" if name in ("lengths", "token", "header") else name for name in REGIONS}


def signed(header: frame.Header | bytes, *, bodies: bytes, signer: SigningKey = MANAGER, **changes: Any) -> bytes:
    """A file with that header, as somebody with a key could make it."""
    raw = header if isinstance(header, bytes) else encode(header)
    values: dict[str, Any] = {
        "deployment": "oxford-street-1",
        "signed_at": NOON,
        "header_sha256": file_sha256(raw),
    }
    said = frame.BundleWritten(**(values | changes))
    return frame.pack(frame.MAGIC, raw, statements.sign(said, signer)) + bodies


def test_a_list_comes_out_as_it_went_in() -> None:
    assert opened().written_by == "liz"
    bundle = opened().contents
    found = bundle.manifest(SEALING)
    assert found == LIST
    assert bundle.seal == sealed(DRAFT)
    templates = bundle.templates(found, SEALING)
    assert all(np.array_equal(templates[name], rows) for name, rows in DRAFT.templates.items())
    assert np.array_equal(bundle.fillers(found, SEALING), DRAFT.fillers)
    assert {one.entry_id: bundle.pictures(one, SEALING) for one in found.entries} == pictures(DRAFT)


def test_one_entry_is_read_by_itself() -> None:
    assert opened().contents.entry("e-2", SEALING) == LIST.by_id["e-2"]
    with pytest.raises(KeyError):
        opened().contents.entry("e-9", SEALING)


def test_a_mapped_file_is_read_as_well() -> None:
    assert opened(memoryview(RAW)).contents.manifest(SEALING) == LIST


def test_a_list_without_fillers_comes_out_as_it_went_in() -> None:
    draft = a_draft(fillers=0, cohort_size=2)
    bundle = opened(a_bundle(draft)).contents
    found = bundle.manifest(SEALING)
    assert found == draft.manifest
    assert bundle.fillers(found, SEALING).shape == (0, 32)


@pytest.mark.parametrize("region", REGIONS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_byte_altered_in_any_region_is_found_and_its_part_named(region: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(REGIONS[region]))
    assert altered(flipped(place, data.draw(st.integers(1, 255)))) == (SPOKEN[region],)


@pytest.mark.parametrize("region", ["magic", "lengths", "token"])
def test_every_byte_before_the_header_is_covered(region: str) -> None:
    for place in REGIONS[region]:
        assert altered(flipped(place)) == (SPOKEN[region],)


@pytest.mark.parametrize("region", REGIONS)
def test_the_first_and_last_byte_of_every_region_are_covered(region: str) -> None:
    for place in (REGIONS[region][0], REGIONS[region][-1]):
        assert altered(flipped(place)) == (SPOKEN[region],)


def both_flipped(*names: str) -> bytes:
    raw = bytearray(RAW)
    for name in names:
        raw[REGIONS[name][0]] ^= 1
    return bytes(raw)


def test_several_altered_parts_are_all_named_without_a_key() -> None:
    contents = opened(both_flipped("entry e-1", "pictures e-3")).contents
    assert contents.altered() == ("entry e-1", "pictures e-3")


def test_a_reader_of_entries_names_every_altered_one() -> None:
    with pytest.raises(Altered) as found:
        opened(both_flipped("entry e-1", "entry e-3")).contents.manifest(SEALING)
    assert found.value.parts == ("entry e-1", "entry e-3")


def test_parts_that_a_store_keeps_apart_are_read_as_well() -> None:
    whole = opened()
    store = {part.name: bytes(whole.contents.body(part.name)) for part in PARTS}
    apart = open_parts(whole.front, store.get, registry=REGISTRY, now=NOON)
    read_parts(apart.contents)
    assert apart.contents.manifest(SEALING) == LIST
    del store["pictures e-2"]
    store["templates e-1"] = store["templates e-2"]
    assert apart.contents.altered() == ("templates e-1", "pictures e-2")


def test_a_front_with_something_behind_it_is_refused() -> None:
    with pytest.raises(Altered, match="end"):
        open_parts(RAW[: FRONT + 1], lambda _: None, registry=REGISTRY, now=NOON)


DRAFT_FILE = a_draft_file(DRAFT)


def test_a_draft_is_read_and_sealed_without_being_opened() -> None:
    draft = open_draft(DRAFT_FILE)
    assert draft.manifest(SEALING) == LIST
    whole = write_sealed(draft, sealed(DRAFT), MANAGER, at=NOON)
    assert whole[-sum(part.size for part in PARTS) :] == DRAFT_FILE[-sum(part.size for part in PARTS) :]
    read_all(whole)


def test_a_draft_that_was_read_again_is_sealed_as_the_one_that_was_written() -> None:
    again = draft_of(open_draft(DRAFT_FILE), SEALING)
    assert sealed(again) == sealed(DRAFT)


def test_a_draft_is_no_list_and_a_list_no_draft() -> None:
    assert altered(DRAFT_FILE) == ("magic",)
    assert altered(frame.MAGIC + DRAFT_FILE[len(frame.MAGIC) :]) == ("header",)
    with pytest.raises(Altered, match="magic"):
        open_draft(RAW)
    with pytest.raises(Altered, match="a draft with a signature"):
        open_draft(frame.DRAFT_MAGIC + RAW[len(frame.MAGIC) :])


@BOUNDED
@given(place=st.integers(0, len(DRAFT_FILE) - 1), mask=st.integers(1, 255))
def test_any_byte_altered_in_a_draft_is_found(place: int, mask: int) -> None:
    raw = bytearray(DRAFT_FILE)
    raw[place] ^= mask
    with pytest.raises(Permanent):
        contents = open_draft(bytes(raw))
        contents.check()
        read_parts(contents)


def test_a_draft_that_was_altered_is_not_sealed() -> None:
    raw = bytearray(DRAFT_FILE)
    raw[-1] ^= 1
    with pytest.raises(Altered) as found:
        write_sealed(open_draft(bytes(raw)), sealed(DRAFT), MANAGER, at=NOON)
    assert found.value.parts == ("pictures e-3",)


@BOUNDED
@given(place=st.integers(0, len(RAW) - 1))
def test_a_file_cut_short_anywhere_is_found(place: int) -> None:
    assert altered(RAW[:place])


def test_bytes_put_behind_the_last_part_are_found() -> None:
    assert altered(RAW + b"\0") == ("end",)


@BOUNDED
@given(st.binary(max_size=300))
def test_bytes_from_anybody_are_no_bundle(raw: bytes) -> None:
    for hostile in (raw, frame.MAGIC + raw):
        assert altered(hostile) == (("header",) if hostile.startswith(frame.MAGIC) else ("magic",))


@pytest.mark.parametrize("lengths", [(0, 2**31), (2**32 - 1, 0), (4097, 1), (0, 0), (700, 2**32 - 1)])
def test_a_length_that_cannot_be_true_allocates_nothing(lengths: tuple[int, int]) -> None:
    hostile = frame.MAGIC + struct.pack(">II", *lengths) + b"\0" * 70_000
    assert altered(hostile) == ("header",)


def test_a_header_is_checked_before_it_is_parsed() -> None:
    deep = signed(b"[" * 100_000, bodies=b"", signer=key("stranger"))
    assert altered(deep) == ("header",)


@pytest.mark.parametrize(
    ("signer", "changes"),
    [
        (OFFICER, {}),
        (key("stranger"), {}),
        (MANAGER, {"signed_at": NOON + timedelta(seconds=3)}),
        (MANAGER, {"header_sha256": "0" * 64}),
        (MANAGER, {"deployment": "other-street-1"}),
    ],
    ids=["an officer", "a stranger", "somebody in the future", "another header's", "another deployment's"],
)
def test_a_header_that_no_manager_signed_is_refused(signer: SigningKey, changes: dict[str, Any]) -> None:
    raw = signed(HEADER, bodies=RAW[FRONT:], signer=signer, **changes)
    assert altered(raw) == ("header",)


def test_a_list_whose_managers_key_was_revoked_since_is_refused() -> None:
    registry = a_registry(a_registered_key("liz", revoked_at=NOON), without=["liz"])
    with pytest.raises(Altered, match="key_revoked"):
        open_bundle(RAW, registry=registry, now=NOON)


def header_of() -> frame.Header:
    return decode(frame.Header, HEADER)


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
    raw = signed(change(header_of()), bodies=RAW[FRONT:])
    with pytest.raises(Altered):
        read_all(raw)


def test_even_a_manager_cannot_put_a_list_under_one_signature() -> None:
    header = header_of()
    alone = replace(header, seal=replace(header.seal, signatures=header.seal.signatures[:1]))
    with pytest.raises(Refused):
        opened(signed(alone, bodies=RAW[FRONT:]))


def test_even_a_manager_cannot_change_an_entry() -> None:
    """Holding the list's key and a manager's, but no approver's: the digest that two signed does not fit."""
    changed = replace(LIST.entries[0], legal_basis="another one, as good")
    line = encode(changed)
    header = header_of()
    bodies = [bytes(opened().contents.body(part.name)) for part in header.parts]
    place = [part.name for part in header.parts].index("entry e-1")
    bodies[place] = SEALING.cipher.seal(KEY, line, frame.aad(header.key_id, header.seal, "entry e-1"))
    parts = list(header.parts)
    parts[place] = frame.Part(name="entry e-1", size=len(bodies[place]), sha256=file_sha256(bodies[place]))
    raw = signed(replace(header, parts=tuple(parts)), bodies=b"".join(bodies))
    assert altered(raw) == ("entry e-1",)


def test_even_who_holds_the_key_cannot_give_an_entry_another_name() -> None:
    """The digest binds what the leaves hash, not what they are called."""
    header = header_of()
    renamed = tuple(replace(leaf, name=leaf.name.replace("e-3", "e-4")) for leaf in header.seal.leaves)
    seal = replace(header.seal, leaves=renamed)
    bodies: list[bytes] = []
    for part in header.parts:
        content = SEALING.cipher.open(
            KEY, bytes(opened().contents.body(part.name)), frame.aad(header.key_id, seal, part.name)
        )
        where = frame.aad(header.key_id, seal, part.name.replace("e-3", "e-4"))
        bodies.append(SEALING.cipher.seal(KEY, content, where))
    parts = tuple(
        frame.Part(name=name, size=len(body), sha256=file_sha256(body))
        for name, body in zip(frame.part_names(renamed), bodies, strict=True)
    )
    raw = signed(replace(header, seal=seal, parts=parts), bodies=b"".join(bodies))
    assert altered(raw) == ("leaves",)


@pytest.mark.parametrize(
    ("one", "other"),
    [("pictures e-1", "pictures e-2"), ("templates e-1", "templates e-2"), ("entry e-1", "entry e-2")],
)
def test_even_a_manager_cannot_exchange_two_parts(one: str, other: str) -> None:
    header = header_of()
    bodies = {part.name: bytes(opened().contents.body(part.name)) for part in header.parts}
    bodies[one], bodies[other] = bodies[other], bodies[one]
    parts = tuple(
        replace(part, size=len(bodies[part.name]), sha256=file_sha256(bodies[part.name])) for part in header.parts
    )
    raw = signed(replace(header, parts=parts), bodies=b"".join(bodies.values()))
    assert altered(raw) == (one,)


@pytest.mark.parametrize("name", ["templates e-1", "pictures e-1", "fillers"])
def test_even_who_holds_the_key_cannot_change_templates_or_pictures(name: str) -> None:
    header = header_of()
    bodies = {part.name: bytes(opened().contents.body(part.name)) for part in header.parts}
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
            opened().contents.manifest(other)


def test_nothing_of_a_subject_stands_in_a_bundle_in_clear() -> None:
    for secret in (b"NOMINAL", b"the face of", b"warrant", LIST.entries[0].pictures[0].image_sha256.encode()):
        assert secret not in RAW
    for rows in DRAFT.templates.values():
        assert rows.astype("<f4").tobytes()[:64] not in RAW


def test_two_bundles_of_one_list_have_one_digest_and_share_no_ciphertext() -> None:
    other = opened(a_bundle(DRAFT)).contents.header
    assert other.seal.digest == header_of().seal.digest
    assert not {one.sha256 for one in other.parts} & {one.sha256 for one in PARTS}


def test_pictures_that_are_not_those_of_the_list_are_not_written() -> None:
    swapped = pictures(DRAFT) | {"e-1": pictures(DRAFT)["e-2"], "e-9": (b"who?",)}
    with pytest.raises(Refused) as found:
        write_draft(DRAFT, swapped, sealing=SEALING)
    assert [one.entry for one in found.value.faults] == ["e-1", "e-9"]


def test_a_list_is_not_written_under_the_seal_of_another() -> None:
    with pytest.raises(ValueError, match="another list"):
        write_sealed(open_draft(DRAFT_FILE), sealed(a_draft(name="red")), MANAGER, at=NOON)


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

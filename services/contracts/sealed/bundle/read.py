"""Reads a bundle from anybody: signature first, then part by part, and names whatever was altered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np

from services.contracts.audit.merkle import leaf_hash
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import NotBelieved, open_as
from services.contracts.codec import Sealing
from services.contracts.errors import Permanent, Tampered
from services.contracts.scoring import Floats
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.canonical import decode
from services.contracts.sealed.draft import Draft
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.faults import Altered, refuse
from services.contracts.sealed.manifest import (
    COHORT,
    HEAD,
    Manifest,
    assembled,
    file_sha256,
    spoken,
    template_sha256,
)
from services.contracts.sealed.seal import (
    Seal,
    check_told,
    names_its_leaves,
    signature_faults,
    well_formed,
)

Fetch = Callable[[str], bytes | memoryview | None]


@dataclass(frozen=True, eq=False)
class Contents:
    """The parts behind a header, checked as they are read. Holds no key. `fetch` gives a part's bytes by its name
    (of a file, a mapped file, or a store that keeps parts apart), None for one that is not there; what it raises
    passes through. Any thread, if `fetch` may be called by any.
    """

    header: frame.Header
    fetch: Fetch = field(repr=False)

    @property
    def seal(self) -> Seal:
        return self.header.seal

    def altered(self) -> tuple[str, ...]:
        """Every part whose bytes are not those of the header, by name; needs no key. Reads the whole file."""
        return self._altered(part.name for part in self.header.parts)

    def check(self) -> None:
        """Raises Altered naming every part that is not as written."""
        if found := self.altered():
            raise Altered(found)

    def manifest(self, sealing: Sealing) -> Manifest:
        """Who is on the list. Raises Altered naming each entry not as sealed, Permanent for another key."""
        self._whole(spoken(one.name) for one in self.seal.leaves)
        lines = {one.name: self._line(one.name, sealing) for one in self.seal.leaves}
        head, cohort = lines.pop(HEAD), lines.pop(COHORT)
        found = assembled(head, cohort, tuple(lines.values()))
        check_told(found, self.seal)
        return found

    def entry(self, entry_id: str, sealing: Sealing) -> Entry:
        """One entry by itself; KeyError if it is not on the list. Raises as `manifest`."""
        found = decode(Entry, self._line(entry_id, sealing))
        if found.entry_id != entry_id:
            raise Altered([spoken(entry_id)], "another entry")
        return found

    def templates(self, of: Manifest, sealing: Sealing) -> dict[str, Floats]:
        """Every entry's templates, float32 [pictures, d], by id. Raises as `manifest`."""
        self._whole(frame.templates(entry.entry_id) for entry in of.entries)
        return {entry.entry_id: self._templates(entry, of, sealing) for entry in of.entries}

    def fillers(self, of: Manifest, sealing: Sealing) -> Floats:
        """The cohort's made-up templates, float32 [n, d]. Raises as `manifest`."""
        rows = self._rows(frame.FILLERS, of.head.fillers, of, sealing)
        if tuple(template_sha256(row) for row in rows) != of.cohort.fillers:
            raise Altered([frame.FILLERS])
        return rows

    def pictures(self, entry: Entry, sealing: Sealing) -> tuple[bytes, ...]:
        """One entry's JPEGs, in the order of its pictures. Raises as `manifest`."""
        name = frame.pictures(entry.entry_id)
        found = frame.split(self._opened(name, sealing), entry)
        if tuple(file_sha256(one) for one in found) != tuple(one.shown_sha256 for one in entry.pictures):
            raise Altered([name])
        return found

    def _templates(self, entry: Entry, of: Manifest, sealing: Sealing) -> Floats:
        name = frame.templates(entry.entry_id)
        rows = self._rows(name, len(entry.pictures), of, sealing)
        if tuple(template_sha256(row) for row in rows) != tuple(one.template_sha256 for one in entry.pictures):
            raise Altered([name])
        return rows

    def _rows(self, name: str, count: int, of: Manifest, sealing: Sealing) -> Floats:
        content = self._opened(name, sealing)
        if len(content) != 4 * count * of.head.template_length:
            raise Altered([name], "not as many numbers as the list says")
        found = np.frombuffer(content, "<f4").reshape(count, of.head.template_length)
        return found.astype(np.float32)

    def _line(self, leaf_name: str, sealing: Sealing) -> bytes:
        name = spoken(leaf_name)
        line = self._opened(name, sealing)
        if leaf_hash(line).hex() != self._leaves[leaf_name]:
            raise Altered([name])
        return line

    def body(self, name: str) -> bytes | memoryview:
        """A part as it lies there, sealed. Raises Altered if it is not as it was written."""
        part, found = self._parts[name], self.fetch(name)
        if found is None or hashlib.sha256(found).hexdigest() != part.sha256:
            raise Altered([name])
        return found

    def _opened(self, name: str, sealing: Sealing) -> bytes:
        if sealing.key_id != self.header.key_id:
            raise Permanent("other_key", "a list bundle is under another key than the one given")
        body = bytes(self.body(name))
        try:
            return sealing.cipher.open(sealing.key, body, frame.aad(self.header.key_id, self.seal, name))
        except Tampered as error:
            raise Altered([name], str(error)) from None

    def _whole(self, names: Iterable[str]) -> None:
        """All of them looked at before the first is opened, so that the error names all."""
        if found := self._altered(names):
            raise Altered(found)

    def _altered(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if not self._is_whole(name))

    def _is_whole(self, name: str) -> bool:
        try:
            self.body(name)
        except Altered:
            return False
        return True

    @cached_property
    def _parts(self) -> dict[str, frame.Part]:
        return {part.name: part for part in self.header.parts}

    @cached_property
    def _leaves(self) -> dict[str, str]:
        return {one.name: one.sha256 for one in self.seal.leaves}


@dataclass(frozen=True, eq=False)
class Bundle:
    """A sealed list: header and seal are signed as they should be. `front` is what stands before the parts, for a
    store that keeps them apart."""

    contents: Contents
    front: bytes = field(repr=False)
    written_by: str


def open_bundle(raw: bytes | memoryview, *, registry: Registry, now: datetime) -> Bundle:
    """The bundle of a file, or of a mapped one. Opens no part.

    Raises Altered (header, missing or added bytes), Refused if the seal is not two people's. `registry` must be
    in force.
    """
    view = memoryview(raw).cast("B")
    token, header, end = frame.unpack(frame.MAGIC, view)
    bodies = view[end:]
    return _opened_bundle(token, header, bytes(view[:end]), lambda found: _laid_out(found, bodies), registry, now)


def open_parts(front: bytes, fetch: Fetch, *, registry: Registry, now: datetime) -> Bundle:
    """The bundle of a store that keeps its parts apart. Fetches none. Raises as `open_bundle`."""
    token, header, end = frame.unpack(frame.MAGIC, memoryview(front))
    if end != len(front):
        raise Altered(["end"], "bytes after the header")
    return _opened_bundle(token, header, front, lambda _: fetch, registry, now)


def open_draft(raw: bytes | memoryview) -> Contents:
    """The parts of a draft: nobody has signed it, so nobody may search it. Raises Altered."""
    view = memoryview(raw).cast("B")
    token, header, end = frame.unpack(frame.DRAFT_MAGIC, view)
    found = decode(frame.Header, header)
    if token or found.seal.signatures:
        raise Altered(["header"], "a draft with a signature")
    _check_header(found)
    return Contents(found, _laid_out(found, view[end:]))


def draft_of(contents: Contents, sealing: Sealing) -> Draft:
    """The list in full, to be looked at or sealed. Raises as `Contents.manifest`."""
    of = contents.manifest(sealing)
    return Draft(manifest=of, templates=contents.templates(of, sealing), fillers=contents.fillers(of, sealing))


def _opened_bundle(
    token: str,
    header: bytes,
    front: bytes,
    fetch_of: Callable[[frame.Header], Fetch],
    registry: Registry,
    now: datetime,
) -> Bundle:
    try:
        said = open_as(frame.BundleWritten, token, registry=registry, now=now)
    except NotBelieved as why:
        raise Altered(["header"], f"not signed by a list manager's key in force ({why.why})") from None
    if said.statement.header_sha256 != hashlib.sha256(header).hexdigest():
        raise Altered(["header"])
    found = decode(frame.Header, header)
    _check_header(found)
    refuse(signature_faults(found.seal, registry, now=now))
    if said.statement.deployment != found.seal.deployment:
        raise Altered(["header"], "another deployment's")
    return Bundle(Contents(found, fetch_of(found)), front, said.key.person)


def _check_header(header: frame.Header) -> None:
    """What even a header with a good signature may not say."""
    if (header.format, header.cipher) != (frame.FORMAT, frame.CIPHER):
        raise Altered(["header"], "another format or cipher")
    names = [one.name for one in header.seal.leaves]
    if not well_formed(header.seal) or names[:2] != [HEAD, COHORT] or len(set(names)) != len(names):
        raise Altered(["header"], "leaves that are none")
    if not names_its_leaves(header.seal):
        raise Altered(["header"], "leaves that are not those of the digest")
    if [part.name for part in header.parts] != list(frame.part_names(header.seal.leaves)):
        raise Altered(["header"], "parts that are not those of the list")
    if not all(0 < part.size <= frame.most_bytes(part.name) for part in header.parts):
        raise Altered(["header"], "a part larger than any")


def _laid_out(header: frame.Header, bodies: memoryview) -> Fetch:
    """The parts as they lie one after the other. Raises Altered for a file that ends early or late."""
    found: dict[str, memoryview] = {}
    start = 0
    for part in header.parts:
        if start + part.size > len(bodies):
            raise Altered([part.name], "the file ends in it")
        found[part.name] = bodies[start : start + part.size]
        start += part.size
    if start != len(bodies):
        raise Altered(["end"], "bytes after the last part")
    return found.get

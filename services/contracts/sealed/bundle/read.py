"""Reads a bundle from anybody: signature first, then part by part, and names whatever was altered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np

from services.contracts.audit.merkle import leaf_hash
from services.contracts.codec import Sealing
from services.contracts.errors import Permanent, Tampered
from services.contracts.scoring import Floats
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.canonical import decode
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
from services.contracts.sealed.seal import Role, Seal, Verifier, names_its_leaves, parse_seal, signature_faults


@dataclass(frozen=True, eq=False)
class Bundle:
    """An opened file: its header and seal are signed as they should be, its parts are checked as they are read.

    Holds the file (bytes or a mapped file) and no key. Any thread.
    """

    header: frame.Header
    signed_by: str
    _raw: memoryview = field(repr=False)
    _start: int = field(repr=False)

    @property
    def seal(self) -> Seal:
        return self.header.seal

    def altered(self) -> tuple[str, ...]:
        """Every part whose bytes are not those of the header, by name; needs no key. Reads the whole file."""
        return tuple(part.name for part in self.header.parts if not self._is_whole(part))

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
        # The digest binds the leaves' hashes; their names are the header's word until here.
        if found.head.name != self.seal.list_name or found.leaves != self.seal.leaves:
            raise Altered([HEAD], "another list's")
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

    def _opened(self, name: str, sealing: Sealing) -> bytes:
        if sealing.key_id != self.header.key_id:
            raise Permanent("other_key", "a list bundle is under another key than the one given")
        part, body = self._parts[name][0], bytes(self._body(name))
        if not self._is_whole(part):
            raise Altered([name])
        try:
            return sealing.cipher.open(sealing.key, body, frame.aad(self.header.key_id, self.seal, name))
        except Tampered as error:
            raise Altered([name], str(error)) from None

    def _whole(self, names: Iterator[str]) -> None:
        """All of them looked at before the first is opened, so that the error names all."""
        if found := tuple(name for name in names if not self._is_whole(self._parts[name][0])):
            raise Altered(found)

    def _is_whole(self, part: frame.Part) -> bool:
        return hashlib.sha256(self._body(part.name)).hexdigest() == part.sha256

    def _body(self, name: str) -> memoryview:
        part, start = self._parts[name]
        return self._raw[start : start + part.size]

    @cached_property
    def _parts(self) -> dict[str, tuple[frame.Part, int]]:
        places: dict[str, tuple[frame.Part, int]] = {}
        start = self._start
        for part in self.header.parts:
            places[part.name] = (part, start)
            start += part.size
        return places

    @cached_property
    def _leaves(self) -> dict[str, str]:
        return {one.name: one.sha256 for one in self.seal.leaves}


def open_bundle(raw: bytes | memoryview, *, verifier: Verifier, at: datetime) -> Bundle:
    """The bundle of a file, or of a mapped one. Opens no part.

    Raises Altered (header, missing or added bytes), Refused if the seal is not two people's.
    """
    view = memoryview(raw).cast("B")
    prefix = frame.unpack(view)
    person = verifier.person(
        key_id=prefix.key_id,
        role=Role.MANAGER,
        signed_at=prefix.signed_at,
        message=prefix.message,
        signature=prefix.signature,
    )
    if person is None or prefix.signed_at > at:
        raise Altered(["header"], "not signed by a list manager's key in force")
    header = decode(frame.Header, prefix.header)
    _check_header(header)
    refuse(signature_faults(header.seal, verifier, at=at))
    _check_sizes(header, len(view) - prefix.end)
    return Bundle(header, person, view, prefix.end)


def _check_header(header: frame.Header) -> None:
    """What even a header with a good signature may not say."""
    if (header.format, header.cipher) != (frame.FORMAT, frame.CIPHER):
        raise Altered(["header"], "another format or cipher")
    parse_seal(header.seal.to_bytes())
    names = [one.name for one in header.seal.leaves]
    if names[:2] != [HEAD, COHORT] or len(set(names)) != len(names) or not names_its_leaves(header.seal):
        raise Altered(["header"], "leaves that are not those of the digest")
    if [part.name for part in header.parts] != list(frame.part_names(header.seal.leaves)):
        raise Altered(["header"], "parts that are not those of the list")
    if not all(0 < part.size <= frame.most_bytes(part.name) for part in header.parts):
        raise Altered(["header"], "a part larger than any")


def _check_sizes(header: frame.Header, left: int) -> None:
    for part in header.parts:
        left -= part.size
        if left < 0:
            raise Altered([part.name], "the file ends in it")
    if left:
        raise Altered(["end"], "bytes after the last part")

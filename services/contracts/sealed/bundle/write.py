"""Writes a bundle: a draft with every part sealed under the list's key, and later the signed front before them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

import numpy as np

from services.contracts.authorisation import statements
from services.contracts.authorisation.signing import SigningKey
from services.contracts.codec import Sealing
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.bundle.read import Contents
from services.contracts.sealed.canonical import encode
from services.contracts.sealed.draft import Draft
from services.contracts.sealed.faults import Fault, refuse
from services.contracts.sealed.manifest import Manifest, file_sha256, spoken
from services.contracts.sealed.seal import Seal, unsealed


def write_draft(draft: Draft, pictures: Mapping[str, tuple[bytes, ...]], *, sealing: Sealing) -> bytes:
    """The file of a list that nobody has signed yet; nothing of it is in clear. `pictures` are the JPEGs a
    reviewer is shown, by entry id, in the order of the entry's pictures.

    Raises Refused if pictures are not those that the list names, ValueError if a part is larger than any reader
    takes.
    """
    refuse(_picture_faults(draft.manifest, pictures))
    seal = unsealed(draft.manifest)
    parts: list[frame.Part] = []
    bodies: list[bytes] = []
    for name, content in _contents(draft, pictures):
        body = sealing.cipher.seal(sealing.key, content, frame.aad(sealing.key_id, seal, name))
        if len(body) > frame.most_bytes(name):
            raise ValueError(f"the part {name} is larger than its format allows")
        parts.append(frame.Part(name=name, size=len(body), sha256=hashlib.sha256(body).hexdigest()))
        bodies.append(body)
    header = frame.Header(
        format=frame.FORMAT, cipher=frame.CIPHER, key_id=sealing.key_id, seal=seal, parts=tuple(parts)
    )
    return b"".join((frame.pack(frame.DRAFT_MAGIC, encode(header)), *bodies))


def write_sealed(draft: Contents, sealed: Seal, manager: SigningKey, *, at: datetime) -> bytes:
    """The file of a sealed list: the draft's parts, unopened, under a front that the list's manager signs.

    Raises ValueError if the seal is another list's, Altered if a part is not as it was written.
    """
    if replace(sealed, signatures=()) != draft.header.seal:
        raise ValueError("the seal is of another list")
    header = encode(replace(draft.header, seal=sealed))
    said = frame.BundleWritten(
        deployment=sealed.deployment, signed_at=at, header_sha256=hashlib.sha256(header).hexdigest()
    )
    front = frame.pack(frame.MAGIC, header, statements.sign(said, manager))
    return b"".join((front, *(draft.body(part.name) for part in draft.header.parts)))


def _contents(draft: Draft, pictures: Mapping[str, tuple[bytes, ...]]) -> Iterator[tuple[str, bytes]]:
    """Every part in clear, in the order of `frame.part_names`."""
    yield from ((spoken(name), line) for name, line in draft.manifest.records)
    ids = [entry.entry_id for entry in draft.manifest.entries]
    for entry in ids:
        yield frame.templates(entry), np.asarray(draft.templates[entry], "<f4").tobytes()
    yield frame.FILLERS, np.asarray(draft.fillers, "<f4").tobytes()
    yield from ((frame.pictures(entry), frame.joined(pictures[entry])) for entry in ids)


def _picture_faults(of: Manifest, pictures: Mapping[str, tuple[bytes, ...]]) -> Iterator[Fault]:
    for entry in of.entries:
        shown = tuple(file_sha256(one) for one in pictures.get(entry.entry_id, ()))
        if shown != tuple(one.shown_sha256 for one in entry.pictures):
            yield Fault(entry.entry_id, "pictures", "must be those whose hashes the entry names", "C-04")
    for name in sorted(set(pictures) - set(of.by_id)):
        yield Fault(name, "pictures", "is not on the list", "C-04")

"""Writes a bundle: seals every part under the list's key, then the manager signs the header."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime

import numpy as np

from services.contracts.codec import Sealing
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.canonical import encode
from services.contracts.sealed.draft import Draft
from services.contracts.sealed.faults import Fault, refuse
from services.contracts.sealed.manifest import Manifest, file_sha256, spoken
from services.contracts.sealed.seal import SIGNATURE_BYTES, Seal, Signer


def write(
    draft: Draft,
    sealed: Seal,
    pictures: Mapping[str, tuple[bytes, ...]],
    *,
    sealing: Sealing,
    signer: Signer,
    at: datetime,
) -> bytes:
    """The file. `pictures` are the JPEGs a reviewer is shown, by entry id, in the order of the entry's pictures.

    Raises Refused if pictures are not those the list was sealed with, ValueError if the seal is another list's or
    a part is larger than any reader takes.
    """
    if sealed.digest != draft.manifest.digest:
        raise ValueError("the seal is of another list")
    refuse(_picture_faults(draft.manifest, pictures))
    parts: list[frame.Part] = []
    bodies: list[bytes] = []
    for name, content in _contents(draft, pictures):
        body = sealing.cipher.seal(sealing.key, content, frame.aad(sealing.key_id, sealed, name))
        if len(body) > frame.most_bytes(name):
            raise ValueError(f"the part {name} is larger than its format allows")
        parts.append(frame.Part(name=name, size=len(body), sha256=hashlib.sha256(body).hexdigest()))
        bodies.append(body)
    header = encode(
        frame.Header(
            format=frame.FORMAT, cipher=frame.CIPHER, key_id=sealing.key_id, seal=sealed, parts=tuple(parts)
        )
    )
    prefix = frame.pack(header, key_id=signer.key_id, signed_at=at)
    signature = signer.sign(frame.message(prefix, header))
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes")
    return b"".join((prefix, signature, header, *bodies))


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

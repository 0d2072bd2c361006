"""How a bundle is laid out, and the fixed limits that no file gets past.

    magic (8) | header's length (4) | signed at, microseconds (8) | key id's length (2) | key id
    | signature (64) | header | the parts, one after the other

The signature is over everything before it and the header, and is checked before anything is parsed. The header is
canonical JSON; it has the size and SHA-256 of every part as it lies there, and the list's seal.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.contracts.sealed.canonical import MAX_LINE_BYTES
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.faults import Altered
from services.contracts.sealed.manifest import COHORT, HEAD, Leaf, spoken
from services.contracts.sealed.seal import SIGNATURE_BYTES, Seal

MAGIC = b"SPLIST1\n"
FORMAT = "signpost-list-bundle-1"
CIPHER = "AES-256-GCM"
FILLERS = "fillers"

_CONTEXT = b"signpost-list-bundle-1 header\0"
_PREFIX = struct.Struct(">8sIqH")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_KEY_ID_BYTES = 256
_LATEST_US = int((datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))

MAX_HEADER_BYTES = MAX_LINE_BYTES
MAX_RECORD_BYTES = MAX_LINE_BYTES
MAX_TEMPLATES_BYTES = 4 * 1024 * 1024
MAX_FILLERS_BYTES = 512 * 1024 * 1024
MAX_PICTURES_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Part:
    """One sealed part as it lies in the file: addressed by the hash of its bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the file says of itself in clear: ids, sizes and hashes, no subject and no picture."""

    format: str
    cipher: str
    key_id: str
    seal: Seal
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Prefix:
    """What stands before the header, and where the header ends."""

    signed_at: datetime
    key_id: str
    signature: bytes
    message: bytes
    header: bytes
    end: int


def pack(header: bytes, *, key_id: str, signed_at: datetime) -> bytes:
    """What stands before the signature."""
    name = key_id.encode()
    if not 0 < len(name) <= _MAX_KEY_ID_BYTES or len(header) > MAX_HEADER_BYTES:
        raise ValueError("a bundle's header or key id is longer than its format allows")
    at_us = (signed_at - _EPOCH) // timedelta(microseconds=1)
    return _PREFIX.pack(MAGIC, len(header), at_us, len(name)) + name


def message(prefix: bytes, header: bytes) -> bytes:
    """What the list's manager signs."""
    return _CONTEXT + prefix + header


def unpack(raw: memoryview) -> Prefix:
    """The prefix of a file from anybody. Raises Altered; the signature is for the caller to check."""
    if len(raw) < _PREFIX.size or raw[: len(MAGIC)] != MAGIC:
        raise Altered(["magic"], "no list bundle")
    _, length, at_us, name_length = _PREFIX.unpack(raw[: _PREFIX.size])
    signed = _PREFIX.size + name_length
    start = signed + SIGNATURE_BYTES
    if not 0 < name_length <= _MAX_KEY_ID_BYTES or length > MAX_HEADER_BYTES or start + length > len(raw):
        raise Altered(["header"], "lengths that cannot be true")
    if not 0 <= at_us <= _LATEST_US:
        raise Altered(["header"], "a time that cannot be true")
    try:
        key_id = bytes(raw[_PREFIX.size : signed]).decode()
    except UnicodeDecodeError:
        raise Altered(["header"], "a key id that is no text") from None
    header = bytes(raw[start : start + length])
    return Prefix(
        signed_at=_EPOCH + timedelta(microseconds=at_us),
        key_id=key_id,
        signature=bytes(raw[signed:start]),
        message=message(bytes(raw[:signed]), header),
        header=header,
        end=start + length,
    )


def part_names(leaves: tuple[Leaf, ...]) -> Iterator[str]:
    """Every part of a list with these leaves, in the order of the file."""
    entries = [one.name for one in leaves if one.name not in (HEAD, COHORT)]
    yield from (spoken(one.name) for one in leaves)
    yield from (templates(entry) for entry in entries)
    yield FILLERS
    yield from (pictures(entry) for entry in entries)


def templates(entry_id: str) -> str:
    """The part with an entry's templates: what match opens."""
    return f"templates {entry_id}"


def pictures(entry_id: str) -> str:
    """The part with an entry's pictures: what review opens."""
    return f"pictures {entry_id}"


def most_bytes(name: str) -> int:
    """No part of that name is larger."""
    kind = name.split(" ", 1)[0]
    known = {"templates": MAX_TEMPLATES_BYTES, "pictures": MAX_PICTURES_BYTES, FILLERS: MAX_FILLERS_BYTES}
    return known.get(kind, MAX_RECORD_BYTES)


def aad(header_key_id: str, of: Seal, name: str) -> bytes:
    """Binds a part to its list, key and name: moved to another place it does not open."""
    texts = (FORMAT, of.list_name, of.digest, header_key_id, name)
    return b"".join(len(one).to_bytes(4, "big") + one for one in (text.encode() for text in texts))


def joined(pictures_: tuple[bytes, ...]) -> bytes:
    """An entry's pictures as one part."""
    return b"".join(len(one).to_bytes(4, "big") + one for one in pictures_)


def split(raw: bytes, entry: Entry) -> tuple[bytes, ...]:
    """The pictures of `joined`, as many as the entry has. Raises Altered."""
    found: list[bytes] = []
    start = 0
    while start + 4 <= len(raw) and len(found) < len(entry.pictures):
        end = start + 4 + int.from_bytes(raw[start : start + 4], "big")
        found.append(raw[start + 4 : end])
        start = end
    if start != len(raw) or len(found) != len(entry.pictures):
        raise Altered([pictures(entry.entry_id)], "not as many pictures as the entry has")
    return tuple(found)

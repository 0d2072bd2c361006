"""How a bundle is laid out, and the fixed limits that no file gets past.

    magic (8) | token's length (4) | header's length (4) | token | header | the parts, one after the other

The token is the list manager's signature over the header's digest, and is checked before anything is parsed. The
header is canonical JSON; it has the size and SHA-256 of every part as it lies there, and the list's seal. A draft
is the same file before anybody signed: no token, a seal without signatures, a magic of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.fields import Sha256
from services.contracts.authorisation.statements import Statement
from services.contracts.sealed.canonical import MAX_LINE_BYTES
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.faults import Altered
from services.contracts.sealed.manifest import COHORT, HEAD, Leaf, spoken
from services.contracts.sealed.seal import Seal

MAGIC = b"SPLIST1\n"
DRAFT_MAGIC = b"SPDRAFT1"
FORMAT = "signpost-list-bundle-1"
CIPHER = "AES-256-GCM"
FILLERS = "fillers"

_LENGTHS = struct.Struct(">II")
_MAX_TOKEN_BYTES = 4096

MAX_HEADER_BYTES = MAX_LINE_BYTES
MAX_RECORD_BYTES = MAX_LINE_BYTES
MAX_TEMPLATES_BYTES = 4 * 1024 * 1024
MAX_FILLERS_BYTES = 512 * 1024 * 1024
MAX_PICTURES_BYTES = 64 * 1024 * 1024


class BundleWritten(Statement):
    """What the list's manager signs of a file: the header, and by it every part as it lies there."""

    TYP: ClassVar[str] = "signpost-list-bundle+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.LIST_MANAGER})

    header_sha256: Sha256


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


def pack(magic: bytes, header: bytes, token: str = "") -> bytes:
    """What stands before the parts. Raises ValueError for what no reader takes."""
    raw = token.encode()
    if len(raw) > _MAX_TOKEN_BYTES or len(header) > MAX_HEADER_BYTES:
        raise ValueError("a bundle's header or token is longer than its format allows")
    return magic + _LENGTHS.pack(len(raw), len(header)) + raw + header


def unpack(magic: bytes, raw: memoryview) -> tuple[str, bytes, int]:
    """Token, header, and where the parts begin, of a file from anybody. Raises Altered; the signature is for the
    caller to check."""
    if raw[: len(magic)] != magic:
        raise Altered(["magic"], "no list bundle, or a draft where a sealed one is asked for")
    start = len(magic) + _LENGTHS.size
    if len(raw) < start:
        raise Altered(["header"], "the file ends in it")
    token_length, header_length = _LENGTHS.unpack(raw[len(magic) : start])
    end = start + token_length + header_length
    if token_length > _MAX_TOKEN_BYTES or header_length > MAX_HEADER_BYTES or end > len(raw):
        raise Altered(["header"], "lengths that cannot be true")
    token = bytes(raw[start : start + token_length])
    if not token.isascii():
        raise Altered(["header"], "a token that is no text")
    return token.decode(), bytes(raw[start + token_length : end]), end


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
    texts = (FORMAT, of.deployment, of.name, of.digest, header_key_id, name)
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

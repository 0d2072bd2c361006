"""Records as they lie on disks and in Redis, and what opens with the keys at hand."""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.contracts import codec
from services.contracts.errors import Permanent
from services.contracts.events import Event
from services.runtime.keys.cipher import AesGcm

_CONTROL = 0x20
_COMPRESSED = 0x07
_HEAD = struct.Struct(">qiibIhiqqqhii")
_MARK_BYTES = 8


@dataclass(frozen=True)
class Record:
    """One value, and what it lies under: a topic, or a name in Redis."""

    place: str
    name: str
    value: bytes = field(repr=False)


def of_segments(folder: Path, *, place: str) -> Iterator[Record]:
    """Every record in the segment files below a broker's log folder, committed or not, deleted or not yet."""
    for segment in sorted(folder.rglob("*.log")):
        topic = segment.parent.name.rpartition("-")[0]
        if topic and segment.stem.isdigit():
            for value in _batches(segment.read_bytes()):
                yield Record(place, topic, value)


def of_redis(values: Mapping[str, bytes], *, place: str) -> Iterator[Record]:
    for name, value in values.items():
        yield Record(place, name, value)


def opened(records: Iterable[Record], keys: Mapping[str, bytes]) -> Iterator[Record]:
    """Those that one of `keys` opens. Every key is tried on every record.

    A sealed value begins with its key's mark (a keyed digest), so a key opens a value only if its mark is in it:
    looking for all marks is trying all keys. What our codec knows is decrypted to the end as well.
    """
    marks = {_mark(key): key for key in keys.values()}
    for record in records:
        key = next((key for mark, key in marks.items() if mark in record.value), None)
        if key is not None and _opens(record, key):
            yield record


def event_in(record: Record, keys: Mapping[str, bytes]) -> Event | None:
    """The event that one of `keys`, by the id that it names, opens; None if it is none, or does not open."""
    try:
        peeked = codec.peek(record.value, topic=record.name)
        return codec.open_sealed(peeked, key=keys[peeked.key_id], cipher=AesGcm())
    except (Permanent, KeyError, ValueError):
        return None


def _opens(record: Record, key: bytes) -> bool:
    """By the codec where it is an event; a part of a list has the mark at its beginning."""
    try:
        peeked = codec.peek(record.value, topic=record.name)
    except Permanent:
        return record.value.startswith(_mark(key)) or _mark(key) in record.value
    try:
        codec.open_sealed(peeked, key=key, cipher=AesGcm())
    except Permanent:
        return False
    return True


def _mark(key: bytes) -> bytes:
    """As services/runtime/keys/cipher.py writes it."""
    return hmac.digest(key, b"signpost key mark", hashlib.sha256)[:_MARK_BYTES]


def _batches(log: bytes) -> Iterator[bytes]:
    """Values in a segment file (record batches of version 2). Raises ValueError for a compressed one."""
    at = 0
    while at + _HEAD.size <= len(log):
        _, length, _, magic, _, attributes, *_, count = _HEAD.unpack_from(log, at)
        if length <= 0 or magic != 2:  # room that the broker took in advance
            return
        if attributes & _COMPRESSED:
            raise ValueError("a compressed batch: this reader knows none")
        if not attributes & _CONTROL:
            yield from _values(log, at + _HEAD.size, count)
        at += 12 + length


def _values(log: bytes, at: int, count: int) -> Iterator[bytes]:
    for _ in range(count):
        size, at = _varint(log, at)
        ends = at + size
        at += 1
        for _ in ("time", "offset"):
            _, at = _varint(log, at)
        key_size, at = _varint(log, at)
        at += max(key_size, 0)
        value_size, at = _varint(log, at)
        if value_size > 0:
            yield log[at : at + value_size]
        at = ends


def _varint(log: bytes, at: int) -> tuple[int, int]:
    """A zig-zag number, and the place after it."""
    number = shift = 0
    while True:
        byte = log[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (number >> 1) ^ -(number & 1), at

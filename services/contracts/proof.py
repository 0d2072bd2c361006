"""Who wrote a record between stages: a proof beside it, signed by the service that wrote it; pure.

Kafka's permissions say who may write to a topic. Behind them a record counts only where a service of the
organisation has signed it, with the key that it signs its audit requests with. Signed is the record as it lies
there: its topic, partition, key, place and value, and the time of signing. So a record that was altered, or
written again somewhere else or under another key, has no proof.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.contracts import topics
from services.contracts.audit.registry import KeyRegistry
from services.contracts.audit.signing import SIGNATURE_BYTES, Signer, Verify, fingerprint, framed, number
from services.contracts.codec_fields import from_micros, micros
from services.contracts.errors import Undecodable
from services.contracts.places import HEADER as PLACE

HEADER = "proof"
CONTEXT = b"signpost-record-1"

TOPICS = frozenset({topics.FRAMES.name, topics.FACES.name, topics.ALERTS.name, topics.COUNTS.name})
"""Where every record of ours carries one."""

# What one of ours had signed and its reader had not read when the key was revoked. As long as frames and faces are
# kept, or they would be published and never received.
_STILL_READ = topics.FRAMES.retention

_NAME_BYTES = 43
_TIME_BYTES = 8
_PROOF_BYTES = _NAME_BYTES + _TIME_BYTES + SIGNATURE_BYTES

Headers = Iterable[tuple[str, bytes]]


class Written(NamedTuple):
    """A record as a proof covers it. `home` is the number of its partition."""

    topic: str
    home: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """By which key, named by its fingerprint, and when; not yet checked."""

    key: str
    at: datetime
    signature: bytes


def prove(written: Written, signer: Signer, *, at: datetime) -> tuple[str, bytes]:
    """The header that is to go with the record, last of all. `at` is aware and UTC."""
    signature = signer.sign(_message(written, at))
    return HEADER, fingerprint(signer.public_key).encode() + number(micros(at)) + signature


def proof_of(headers: Headers) -> Proof | None:
    """The one proof that a record carries; None where there is none, several, or one that cannot be read."""
    found = [value for name, value in headers if name == HEADER]
    if len(found) != 1 or len(found[0]) != _PROOF_BYTES:
        return None
    key, rest = found[0][:_NAME_BYTES], found[0][_NAME_BYTES:]
    try:
        at = from_micros(int.from_bytes(rest[:_TIME_BYTES], "big"))
        return Proof(key.decode("ascii"), at, rest[_TIME_BYTES:])
    except (Undecodable, UnicodeDecodeError):
        return None


def proven(
    written: Written, *, service: str, keys: KeyRegistry, verify: Verify, now: datetime | None = None
) -> Proof | None:
    """The record's proof, where that service signed it, with a key that was in force then; else None.

    Who has a key may date what it signs. What is kept for years is judged without `now`: a key that was revoked
    proves what is dated before. With it such a key proves that for a little while only, and nothing after.
    """
    proof = proof_of(written.headers)
    known = keys.producer(proof.key, service=service) if proof else None
    if proof is None or known is None or not known.holds(proof.at):
        return None
    if now is not None and known.revoked_at is not None and known.revoked_at + _STILL_READ <= now:
        return None
    return proof if verify(known.public_key, proof.signature, _message(written, proof.at)) else None


def _message(written: Written, at: datetime) -> bytes:
    # Every place that it has, so that none can be put before ours.
    places = [value for name, value in written.headers if name == PLACE]
    return framed(
        CONTEXT,
        written.topic.encode(),
        number(written.home),
        written.key or b"",
        number(micros(at)),
        framed(*places),
        hashlib.sha256(written.value).digest(),
    )

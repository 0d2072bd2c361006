"""Keys, requests and whole chains with real-looking values: name only what the test is about."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.contracts import ids
from services.contracts.audit.chain import FIRST_PREVIOUS, Audited, SignedTreeHead, enter
from services.contracts.audit.commitments import Commitment
from services.contracts.audit.lines import Header, Line
from services.contracts.audit.registry import (
    KeyRegistry,
    RegisteredKey,
    Role,
    SignedKeys,
    registry,
)
from services.contracts.audit.requests import SYSTEM, Action, AlertRow, AuditRequested, SignedRequest
from services.contracts.audit.sequencer import Sequencer
from services.contracts.audit.signing import fingerprint
from services.contracts.audit.terms import TermBegun
from services.contracts.authorisation import enums
from services.contracts.authorisation import registry as authorisation
from services.contracts.authorisation.signing import SigningKey
from services.contracts.codec_audit import sign_request
from services.contracts.events import CaseOutcome

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
CHAIN = "oxford-street-1"


class Key:
    """An Ed25519 key made from its name."""

    def __init__(self, name: str) -> None:
        self.secret = hashlib.sha256(name.encode()).digest()
        self._private = Ed25519PrivateKey.from_private_bytes(self.secret)
        self.public_key = self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


ROOT, SEQUENCER, STRANGER = Key("root"), Key("sequencer"), Key("stranger")
SERVICES = {name: Key(name) for name in ("ingest", "match", "review")} | {"oversight": SEQUENCER}
PRODUCERS = tuple(f"{name}/{name}-0" for name in SERVICES)


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def a_key(key: Key, **changes: Any) -> RegisteredKey:
    values: dict[str, Any] = {
        "public_key": key.public_key,
        "role": Role.PRODUCER,
        "holder": "review",
        "valid_from": NOON - YEAR,
        "valid_until": NOON + YEAR,
    }
    return RegisteredKey(**(values | changes))


@cache
def keys() -> KeyRegistry:
    producers = [a_key(key, holder=name) for name, key in SERVICES.items() if key is not SEQUENCER]
    return registry(1, a_key(SEQUENCER, role=Role.SEQUENCER, holder="oversight"), *producers)


@cache
def signed_keys() -> SignedKeys:
    return sign_keys(keys(), ROOT)


def sign_keys(found: KeyRegistry, root: Key) -> SignedKeys:
    """An organisation's registry that has these keys."""
    owner = SigningKey(root.secret)
    made = authorisation.Registry.read(
        {
            "organisation": "metro",
            "sequence": found.version,
            "issued_at": NOON - YEAR,
            "valid_until": NOON + YEAR,
            "root": owner.public,
            "keys": tuple(
                {
                    "kid": key.id,
                    "public": base64.urlsafe_b64encode(key.public_key).rstrip(b"=").decode(),
                    "person": key.holder,
                    "role": enums.Role.OVERSIGHT if key.role is Role.SEQUENCER else enums.Role.SERVICE,
                    "valid_from": key.valid_from,
                    "valid_to": key.valid_until,
                    "revoked_at": key.revoked_at,
                }
                for key in found.keys
            ),
        }
    )
    return SignedKeys(authorisation.sign_registry(made, owner))


def root_fingerprint() -> str:
    return fingerprint(ROOT.public_key)


def a_commitment(name: str = "somebody") -> Commitment:
    return Commitment(hashlib.sha256(name.encode()).digest())


def a_row(**changes: Any) -> AlertRow:
    values: dict[str, Any] = {
        "alert": ids.AlertId("a" * 32),
        "period": "oxford-street-1/1",
        "period_began_at": NOON - timedelta(hours=1),
        "period_ends_at": NOON + timedelta(hours=5),
        "list_sha256": hashlib.sha256(b"list").digest(),
        "probe_sha256": hashlib.sha256(b"probe").digest(),
        "outcome": CaseOutcome.AGREED_MATCH,
        "verified_by": (a_commitment("first"), a_commitment("second")),
    }
    return AlertRow(**(values | changes))


def a_request(**changes: Any) -> AuditRequested:
    on_system = changes.get("chain") == SYSTEM
    values: dict[str, Any] = {
        "chain": CHAIN,
        "producer": "review/review-0",
        "sequence": 1,
        "at": NOON,
        "what": Action.FACE_VIEWED,
        "who": a_commitment("reviewer"),
        "subject": a_commitment("subject"),
        "authority": "" if on_system else CHAIN,
        "authority_version": 0 if on_system else 3,
        "about": "c" * 32,
        "seen_sha256": hashlib.sha256(b"seen").digest(),
    }
    return AuditRequested(**(values | changes))


def signed(content: AuditRequested, key: Key | None = None) -> SignedRequest:
    return sign_request(content, key or SERVICES[content.service])


def requests(count: int, *, chain: str = CHAIN, producers: tuple[str, ...] = PRODUCERS) -> list[SignedRequest]:
    """Requests of the producers in turn, a second apart."""
    return [
        signed(
            a_request(
                chain=chain,
                producer=producers[index % len(producers)],
                sequence=index // len(producers) + 1,
                at=NOON + timedelta(seconds=index),
            )
        )
        for index in range(count)
    ]


def a_sequencer() -> Sequencer:
    """One that has begun its term."""
    sequencer = Sequencer(keys(), verify)
    sequencer.begin(SEQUENCER, now=NOON)
    return sequencer


def begun(sequencer: Sequencer) -> TermBegun:
    """Its term; fails the test if it has none."""
    assert sequencer.term is not None
    return sequencer.term


def entered(
    request: SignedRequest,
    *,
    number: int = 1,
    previous: bytes = FIRST_PREVIOUS,
    term: bytes = bytes(16),
    key: Key = SEQUENCER,
) -> Audited:
    """An entry as the sequencer, or whoever has `key`, signs it, whether or not it belongs there."""
    return enter(request, number=number, previous=previous, term=term, signer=key)


def appended(sequencer: Sequencer, request: SignedRequest) -> Audited:
    """The entry it becomes; fails the test if it becomes none."""
    answer = sequencer.append(request, SEQUENCER, now=request.content.at)
    assert isinstance(answer, Audited), answer
    return answer


def sequenced(
    wanted: Iterable[SignedRequest], *, head_every: int = 3, by: Sequencer | None = None
) -> Iterator[Audited | SignedTreeHead]:
    """The records of one chain, with a head before, after every `head_every` entries and in the end."""
    sequencer = by or a_sequencer()
    now, chain = NOON, CHAIN
    yield sequencer.head(chain, SEQUENCER, now=now)
    for index, request in enumerate(wanted, 1):
        now = request.content.at
        yield appended(sequencer, request)
        if index % head_every == 0:
            yield sequencer.head(chain, SEQUENCER, now=now)
    yield sequencer.head(chain, SEQUENCER, now=now)


def a_file(records: Iterable[Audited | SignedTreeHead]) -> list[Line]:
    """The lines of an export."""
    return [Header(), signed_keys(), *records]


def heads(count: int) -> list[SignedTreeHead]:
    """Heads of a chain that grows, over one entry, two, ..."""
    sequencer, found = a_sequencer(), []
    for request in requests(count):
        appended(sequencer, request)
        found.append(sequencer.head(CHAIN, SEQUENCER, now=NOON))
    return found

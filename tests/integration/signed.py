"""A signed authority that runs now, as oversight writes it: for tests of who reads it, on a real broker."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.contracts import codec_authority, topics
from services.contracts.authorisation.approvals import verify
from services.contracts.authorisation.bridge import as_authority
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, Role, State
from services.contracts.authorisation.records import DocumentPublished, Record, RegistryIssued
from services.contracts.authorisation.registry import RegisteredKey, Registry, sign_registry
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import NOTHING
from services.contracts.authority import Authority
from services.runtime.kafka.config import Connection, producer_options
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.kafka.types import Output
from tests.contracts.broker import send
from tests.unit.contracts.authorisation.builders import (
    PEOPLE,
    a_change,
    a_document,
    a_lease,
    a_registered_key,
    a_registry,
    an_exercise,
    fields,
    published,
    revocations,
    secret,
    some_evidence,
    some_papers,
)

# As oversight renews it.
LEASE_EVERY_S = 2.0
_DAY = timedelta(days=1)
_AFTER = {
    Move.SUBMIT: State.SUBMITTED,
    Move.APPROVE: State.AUTHORISED,
    Move.ACTIVATE: State.ACTIVE,
    Move.SUSPEND: State.SUSPENDED,
    Move.RESUME: State.ACTIVE,
    Move.STOP: State.ENDED,
}


class SignedAuthority:
    """One deployment of an organisation with a root of its own; ACTIVE once `activate` was called.

    An exercise, unless `use_case` says otherwise; `changes` are fields of its document, `approved_by` are people.
    Any thread writes.
    """

    def __init__(self, bootstrap: str, *, approved_by: Any = (), **changes: object) -> None:
        self._now = datetime.now(UTC)
        self._approved_by: tuple[str, ...] = approved_by
        self._root = SigningKey(uuid4().bytes + uuid4().bytes)
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._leasing = threading.Thread(target=self._lease, name="signed-leases", daemon=True)
        options = {**producer_options(Connection(bootstrap, "signed")), "log_level": 0}
        self._producer = KafkaProducer(options, lambda code: None)
        self._revoked = (0, NOTHING)
        self._registries = 1
        self._registry_now: Registry | None = None
        self._state, self._moves, self._leases = State.DRAFT, 0, 0
        a_site = fields()["site"]
        assert isinstance(a_site, dict)
        later = (self._now + 30 * _DAY).date()
        a_kind = a_document if "use_case" in changes else an_exercise
        self.document = a_kind(
            **{
                "id": f"signed-{uuid4().hex[:10]}",
                "created_at": self._now - 3 * _DAY,
                "equity": some_evidence(review_by=later) if "use_case" in changes else None,
                "site": {**a_site, "review_by": later},
                "documents": [paper | {"review_by": later} for paper in some_papers()],
                "window": {"start": self._now - timedelta(hours=1), "end": self._now + timedelta(hours=3)},
                "clock": {
                    "accepts": ["synchronised", "unsynchronised", "unknown"],
                    "reason": "a test's machine has no say in its clock",
                },
            }
            | changes
        )

    @property
    def root_fingerprint(self) -> str:
        return self._root.kid

    @property
    def authority(self) -> Authority:
        """What a service that opens no camera makes of it."""
        document = self._published()
        verified = verify(
            document.document,
            document.approvals,
            self._registry(),
            root_fingerprint=self.root_fingerprint,
            now=datetime.now(UTC),
        )
        return as_authority(verified)

    @property
    def registry(self) -> Registry:
        """Whose key is whose, for whoever seals a list beside it."""
        return self._registry()

    @property
    def settings(self) -> dict[str, str]:
        """What every service is told of it, as variables."""
        return {"DEPLOYMENT": self.document.id, "AUTHORITY_ROOT": self.root_fingerprint}

    def activate(self) -> None:
        """Everything that stands when it is ACTIVE, with one lease."""
        self.write(RegistryIssued(sign_registry(self._registry(), self._root)))
        # Since its window began: what tests say was seen before now was seen under it.
        self._go_live(min(self._now, self.document.window.start))

    def supersede(self, **changes: object) -> None:
        """The next version, with these fields changed, in force from now on."""
        with self._lock:
            last = self.document.model_dump()
            fresh = {"version": self.document.version + 1, "supersedes": self.document.digest}
            self.document = Document.read(last | fresh | changes)
            self._moves = 0
            self._go_live(datetime.now(UTC))

    def _go_live(self, at: datetime) -> None:
        self.write(self._published())
        self.move(Move.SUBMIT, self._now - 2 * _DAY)
        self.move(Move.APPROVE, self._now - _DAY)
        self.move(Move.ACTIVATE, at)
        self.renew()

    def move(self, move: Move, at: datetime | None = None, **changes: Any) -> None:
        """The next state, recorded; the lease names it from its next renewal on. `changes`: of the statement."""
        with self._lock:
            self._moves += 1
            self._state = _AFTER[move]
            self.write(a_change(self.document, self._moves, move, at or datetime.now(UTC), **changes))

    @property
    def moves(self) -> int:
        """How many were recorded."""
        return self._moves

    def enrol(self, *keys: RegisteredKey) -> None:
        """The root signs the next registry: these keys are in it, in the place of those with the same `kid`."""
        with self._lock:
            self._registries += 1
            now = datetime.now(UTC)
            kept = {one.kid: one for one in (*self._registry().keys, *keys)}
            self._registry_now = self._registry().model_copy(
                update={"sequence": self._registries, "issued_at": now, "keys": tuple(kept.values())}
            )
            self.write(RegistryIssued(sign_registry(self._registry_now, self._root)))

    def registered(self, person: str, **changes: Any) -> RegisteredKey:
        """The person's key as this registry has it, with changes."""
        terms: dict[str, Any] = {"valid_from": self._now - 9 * _DAY, "valid_to": self._now + 9 * _DAY}
        return a_registered_key(person, **(terms | changes))

    def renew(self) -> None:
        with self._lock:
            self._leases += 1
            count, head = self._revoked
            lease = a_lease(
                self.document,
                self._leases,
                datetime.now(UTC),
                state=self._state,
                state_sequence=self._moves,
                revocations=count,
                revocations_head=head,
            )
            self.write(lease)

    def revoke(self, *tokens: str) -> None:
        """Takes subjects off the list, signed by its manager. Once."""
        with self._lock:
            records, head = revocations(self.document, *tokens, at=datetime.now(UTC))
            self._revoked = (len(records), head)
            self.write(*records)

    def run(self) -> None:
        """ACTIVE, its lease renewed by a thread, until `close`."""
        self.activate()
        self._leasing.start()

    def close(self) -> None:
        """No more leases. Harmless if there were none."""
        self._closed.set()
        if self._leasing.is_alive():
            self._leasing.join()

    def _lease(self) -> None:
        while not self._closed.wait(LEASE_EVERY_S):
            with suppress(AssertionError):  # a broker that is away gets the next one
                self.renew()

    def write(self, *records: Record) -> None:
        """Under one key: no test lives long enough to see them compacted."""
        key = self.document.id.encode()
        values = (codec_authority.encode(record) for record in records)
        with self._lock:
            send(self._producer, *(Output(topics.AUTHORITY.name, key, value) for value in values))

    def _registry(self) -> Registry:
        return self._registry_now or a_registry(
            issued_at=self._now - 5 * _DAY,
            valid_until=self._now + 5 * _DAY,
            root=self._root.public,
            keys=(
                *(self.registered(person) for person in PEOPLE),
                *(self.registered(service, role=Role.SERVICE) for service in ("ingest", "embed", "match")),
            ),
        )

    def _published(self) -> DocumentPublished:
        at = max(self._now - 2 * _DAY, self.document.created_at)
        return published(self.document, *self._approved_by, at=at)


def write_key(path: Path, person: str) -> Path:
    """The builders' key of that person, as a service reads it."""
    key = Ed25519PrivateKey.from_private_bytes(secret(person))
    path.touch(0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path

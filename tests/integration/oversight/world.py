"""oversight processes on the shared servers, for an organisation of its own; its people, and who reads along."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from console.edges.kafka_admin import KafkaAdmin
from console.edges.kafka_read import KafkaReader
from console.stack.ports import free_ports
from console.topics.apply import apply
from services.contracts import codec_authority, lists, topics
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, Move, Role
from services.contracts.authorisation.gate import Gate
from services.contracts.authorisation.records import LeaseRenewed, Record
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.registry import sign_registry
from services.contracts.authorisation.signing import SigningKey, payload_of, take_apart
from services.contracts.authorisation.statements import Lease, sign
from signpost.v1 import oversight_pb2 as pb
from signpost.v1 import oversight_pb2_grpc
from tests.integration.running import WITHIN_S, Running, process_of
from tests.support import eventually
from tests.unit.contracts.authorisation import builders as b

_DAY = timedelta(days=1)
GROUP = "signpost-oversight"


@dataclass
class Oversight(Running):
    """One oversight process, with its door."""

    grpc_port: int

    def leads(self) -> bool:
        return self.metric("signpost_oversight_leading_instances") == 1

    def call(self, name: str, request: Any) -> Any:
        """One call of a method; raises grpc.RpcError."""
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            stub = oversight_pb2_grpc.OversightServiceStub(channel)  # type: ignore[no-untyped-call]
            return getattr(stub, name)(request, timeout=20)


class World:
    """An organisation on real servers; its people are those of the builders, and `services` have keys besides."""

    def __init__(self, bootstrap: str, durable_url: str, folder: Path, *, services: Sequence[str] = ()) -> None:
        self._roles = {**b.PEOPLE, **dict.fromkeys(services, Role.SERVICE)}
        self._bootstrap, self._durable_url, self._folder = bootstrap, durable_url, folder
        self.organisation = f"org-{uuid4().hex[:10]}"
        # Of its own: the servers are shared, and a root has one organisation.
        self._root = SigningKey(uuid4().bytes + uuid4().bytes)
        self._now = datetime.now(UTC)
        apply(KafkaAdmin(bootstrap), groups=[GROUP])
        self._key_file = folder / "oversight.pem"
        self._heads = folder / "heads"
        self._heads.mkdir()
        secret = hashlib.sha256(b"a key of oversight").digest()
        self._key_file.write_bytes(
            Ed25519PrivateKey.from_private_bytes(secret).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            )
        )
        os.chmod(self._key_file, 0o600)

    @property
    def root_fingerprint(self) -> str:
        return self._root.kid

    def document(self) -> Document:
        """An exercise that may begin now, on a list that is loaded."""
        later = (self._now + 30 * _DAY).date()
        camera = b.a_camera(owner=self.organisation, controller=self.organisation)
        site = b.fields()["site"]
        assert isinstance(site, dict)
        document = b.an_exercise(
            id=f"exercise-{uuid4().hex[:10]}",
            organisation=self.organisation,
            created_at=self._now - _DAY,
            site=site | {"review_by": later},
            documents=[paper | {"review_by": later} for paper in b.some_papers()],
            cameras=[camera],
            window={"start": self._now - timedelta(minutes=1), "end": self._now + timedelta(hours=3)},
            clock={"accepts": list(ClockState), "reason": "a test's machine has no say in its clock"},
        )
        with closing(redis.Redis.from_url(self._durable_url)) as durable:
            durable.set(lists.front(document.id, document.watchlist.digest), b"sealed")
        return document

    def registry(self) -> str:
        registry = b.a_registry(
            organisation=self.organisation,
            root=self._root.public,
            issued_at=self._now - 5 * _DAY,
            valid_until=self._now + 5 * _DAY,
            keys=tuple(
                b.a_registered_key(person, role, valid_from=self._now - 9 * _DAY, valid_to=self._now + 9 * _DAY)
                for person, role in self._roles.items()
            ),
        )
        return sign_registry(registry, self._root)

    def begin(self, oversight: Oversight, document: Document) -> None:
        """Everything that people do until it is ACTIVE, and the wait for that."""
        oversight.call("PutRegistry", pb.PutRegistryRequest(registry=self.registry()))
        approvals = b.approvals(document, "ann", "olu", at=datetime.now(UTC))
        oversight.call("Submit", pb.SubmitRequest(document=document.canonical_bytes(), approvals=approvals))
        attested = sign(b.an_attestation(document, datetime.now(UTC)), b.key("eve"))
        oversight.call("Attest", pb.AttestRequest(attestation=attested))
        eventually(lambda: self.state(oversight, document) == "active", "ACTIVE", within_s=10)

    def state(self, oversight: Oversight, document: Document) -> str:
        return str(self.show(oversight, document).state)

    def show(self, oversight: Oversight, document: Document) -> Any:
        return oversight.call("Show", pb.ShowRequest(deployment=document.id)).versions[-1].authority

    def order(self, oversight: Oversight, document: Document, move: Move, by: str) -> Any:
        sequence = self.show(oversight, document).state_sequence + 1
        order = b.an_order(document, sequence, move, by, datetime.now(UTC))
        return oversight.call("Order", pb.OrderRequest(order=order))

    def records(self) -> list[Record]:
        """Everything committed on `authority`, of this organisation and of others."""
        with closing(KafkaReader(self._bootstrap)) as reader:
            return [codec_authority.decode(value) for value in reader.values(topics.AUTHORITY.name)]

    def leases(self, document: Document) -> list[Lease]:
        """Every lease of the document's deployment, in the order of the log."""
        signed = [take_apart(record.token) for record in self.records() if isinstance(record, LeaseRenewed)]
        key = b.key("oversight")
        # Other organisations' stand on the same topic, signed with other keys.
        ours = [one for one in signed if one.kid == key.kid]
        found = [Lease.from_canonical(payload_of(one, public=key.public, typ=Lease.TYP)) for one in ours]
        return [lease for lease in found if lease.deployment == document.id]

    def refusal(self, document: Document) -> Refusal | None:
        """What a service answers now that has read all of it."""
        gate = Gate.shut(document.id, root_fingerprint=self._root.kid)
        # As if all had come at once, just now: how old a lease is shows by its own time.
        reading = ClockReading(datetime.now(UTC), 1000.0, ClockState.SYNCHRONISED)
        for record in self.records():
            gate = gate.fold(record, reading).gate
        return gate.standing(reading)

    @contextmanager
    def oversight(self, name: str = "one") -> Iterator[Oversight]:
        """An oversight process that is ready; killed at the end if it still runs."""
        http_port, grpc_port = free_ports(2)
        log = self._folder / f"oversight-{name}-{http_port}.log"
        settings = {
            "KAFKA_BOOTSTRAP": self._bootstrap,
            "REDIS_DURABLE_URL": self._durable_url,
            "ORGANISATION": self.organisation,
            "AUTHORITY_ROOT": self._root.kid,
            "OVERSIGHT_KEY_FILE": str(self._key_file),
            "AUDIT_HEADS_DIR": str(self._heads),
            "HTTP_PORT": str(http_port),
            "GRPC_PORT": str(grpc_port),
            "INSTANCE": f"{self.organisation}-{name}",
        }
        with process_of(["services.oversight"], log=log, settings=settings) as process:
            found = Oversight(process, http_port, log, grpc_port)
            eventually(found.ready, f"oversight to be ready; see {log}", within_s=WITHIN_S)
            yield found

    @contextmanager
    def leader_and_standby(self) -> Iterator[tuple[Oversight, Oversight]]:
        """Two instances, both ready."""
        with self.oversight("one") as one, self.oversight("two") as two:
            eventually(lambda: one.leads() != two.leads(), "one of two to lead", within_s=WITHIN_S)
            yield (one, two) if one.leads() else (two, one)

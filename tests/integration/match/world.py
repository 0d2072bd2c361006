"""match processes on the shared servers: a deployment of its own for each test, faces in, alerts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from pydantic import SecretStr

from console.edges.kafka_admin import KafkaAdmin
from console.edges.kafka_read import KafkaReader
from console.ledger.read import read_statement
from console.ledger.statement import Statement
from console.stack.ports import free_ports
from console.topics.apply import apply
from services.contracts import codec, counts, ids, keys, topics
from services.contracts.authority import Authority
from services.contracts.codec import Sealing
from services.contracts.counts import Count
from services.contracts.events import AlertRaised, FaceObserved, StageCounts
from services.runtime.clock import SystemClock
from services.runtime.kafka.types import Output
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.ring import Keyring
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.redis_client import connect
from tests.builders import a_face, a_shot
from tests.integration.giving import Giver
from tests.integration.running import WITHIN_S, Running, process_of
from tests.integration.signed import SignedAuthority, write_key
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import a_camera, a_list
from tests.unit.match.lists_builder import MODEL


class Signed(Protocol):
    """An authority that runs, whoever signed it."""

    @property
    def authority(self) -> Authority: ...
    @property
    def settings(self) -> dict[str, str]: ...
    def close(self) -> None: ...


@dataclass
class World:
    """A deployment on real servers, as embed, the operator and review see it."""

    bootstrap: str
    volatile_url: str
    durable_url: str
    folder: Path
    watchlist: dict[str, Any] = field(default_factory=dict)
    # Of the document, besides.
    fields: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.deployment = ids.DeploymentId(f"match-{uuid4().hex[:10]}")
        apply(KafkaAdmin(self.bootstrap), groups=[f"signpost-match-{self.deployment}"])
        self._signed: Signed | None = None
        clock = SystemClock()
        self._volatile = connect(SecretStr(self.volatile_url), client_name="test")
        self.durable = connect(SecretStr(self.durable_url), client_name="test")
        self.store = FolderKeys(self.folder / "keys", clock)
        self.face_keys = VolatileKeys(self._volatile, clock)
        self.ring = Keyring(self.face_keys, self.store, clock)
        self._key_file = write_key(self.folder / "match.pem", "match")
        self._giver = Giver(
            self.bootstrap,
            self.deployment,
            counts.Stage.EMBED,
            published=Count.FACES_PUBLISHED,
            given=Count.FACES_GIVEN,
        )

    def close(self) -> None:
        if self._signed is not None:
            self._signed.close()
        self._volatile.close()
        self.durable.close()

    @property
    def signed(self) -> SignedAuthority:
        """The authority, once it is signed."""
        assert isinstance(self._signed, SignedAuthority), "nothing is signed yet"
        return self._signed

    @property
    def authority(self) -> Authority:
        assert self._signed is not None, "nothing is signed yet"
        return self._signed.authority

    def adopt(self, signed: Signed) -> None:
        """The authority is this one: somebody else has signed it."""
        self._signed = signed

    def sign_for(self, digest: str) -> None:
        """An authority for the list with this digest, ACTIVE from now on."""
        self._signed = SignedAuthority(
            self.bootstrap,
            **{
                "id": self.deployment,
                "cameras": [a_camera(f"gate-{n}", source="folder", host=None) for n in range(4)],
                "watchlist": self.list_of(digest),
            }
            | self.fields,
        )
        self._signed.run()

    def list_of(self, digest: str) -> dict[str, object]:
        """The list as a document names it."""
        return a_list(
            **{
                "id": "blue-list",
                "digest": digest,
                "categories": ["consenting_volunteer"],
                "model": MODEL,
                "thresholds": {1: 0.5},
            }
            | self.watchlist
        )

    def a_face(self, number: int, **changes: Any) -> FaceObserved:
        """The first publication of a track of its own, seen now."""
        camera = ids.CameraId(f"gate-{number % 4}")
        now = datetime.now(UTC)
        values: dict[str, Any] = {
            "deployment": self.deployment,
            "camera": camera,
            "track": ids.track_id(ids.frame_id(camera, 1, 1, number + 1), 0),
            "captured_at": now,
            "first_seen_at": now,
            "model_id": MODEL,
        }
        values |= changes
        # The template is of its shots: each moment has to be covered.
        return a_face(**{"shots": (a_shot(captured_at=values["captured_at"]),), **values})

    def feed(self, *faces: FaceObserved, commit: bool = True) -> None:
        """Write them as embed does, in one transaction; returns once it is committed, or aborted."""
        self._giver.give([self._sealed(face) for face in faces], commit=commit)

    def _sealed(self, face: FaceObserved) -> Output:
        spec = keys.face(self.authority, face.event_id, face.captured_at)
        # A face that is too old by now was sealed while its key lived.
        expired = spec.expires_at <= datetime.now(UTC)
        key = bytes(32) if expired else self.ring.mint(spec)
        raw = codec.encode_sealed(face, topic="faces", sealing=Sealing(spec.id, key, AesGcm()))
        index = self.authority.camera_index(face.camera) or 0
        partition = topics.partition_of_camera(index, topics.FACES)
        return Output("faces", face.camera.encode(), raw, partition)

    def statement(self) -> Statement:
        """The deployment's, as the command line prints it."""
        with closing(KafkaReader(self.bootstrap)) as reader:
            return read_statement(reader, self.deployment, root=self.signed.root_fingerprint)

    def lose_face_keys(self) -> None:
        """What a volatile Redis does that dies."""
        self._volatile.flushall()

    def faces_left(self, *faces: FaceObserved) -> int:
        """How many of these could still be read."""
        ids = (keys.face(self.authority, face.event_id, face.captured_at).id for face in faces)
        return sum(self.face_keys.get(one) is not None for one in ids)

    def alerts(self) -> list[AlertRaised]:
        """Every committed alert of this deployment, opened as review does."""
        found: list[AlertRaised] = []
        for raw in self._values("alerts"):
            peeked = codec.peek(raw, topic="alerts")
            if peeked.deployment == self.deployment:
                key = self.store.get(peeked.key_id)
                assert key is not None, "the alert's key is gone"
                found.append(codec.expect(codec.open_sealed(peeked, key=key, cipher=AesGcm()), AlertRaised))
        return found

    def totals(self) -> Counter[Count]:
        """The deployment's counts over all incarnations of match."""
        return counts.tally(self._counts()).totals

    def reasons(self) -> Counter[tuple[Count, str]]:
        """As `totals`, of what has a reason."""
        return counts.tally(self._counts()).reasons

    def until(self, count: Count, number: int) -> None:
        """Wait until so many were counted."""
        eventually(lambda: self.totals()[count] >= number, f"{number} {count}", within_s=WITHIN_S)

    @contextmanager
    def match(
        self,
        name: str = "one",
        *options: str,
        ready: bool = True,
        module: Sequence[str] = ("services.match",),
        settings: Mapping[str, str] | None = None,
    ) -> Iterator[Running]:
        """A match process; killed at the end if it still runs."""
        (port,) = free_ports(1)
        log = self.folder / f"match-{name}-{port}.log"
        assert self._signed is not None, "nothing is signed yet"
        given = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "REDIS_VOLATILE_URL": self.volatile_url,
            "REDIS_DURABLE_URL": self.durable_url,
            "KEYS_DIR": str(self.folder / "keys"),
            **self._signed.settings,
            "SERVICE_KEY_FILE": str(self._key_file),
            "HTTP_PORT": str(port),
            "INSTANCE": f"{self.deployment}-{name}-{port}",
            "LIST_POLL_S": "0.2",
            **(settings or {}),
        }
        command = ["tests.integration.match.dying_match", *options] if options else module
        with process_of(command, log=log, settings=given) as process:
            match = Running(process, port, log)
            if ready:
                eventually(match.ready, f"match to be ready; see {log}", within_s=WITHIN_S)
            yield match

    def _counts(self) -> Iterator[StageCounts]:
        for raw in self._values("counts"):
            peeked = codec.peek(raw, topic="counts")
            if peeked.deployment == self.deployment and peeked.kind is StageCounts:
                event = codec.expect(codec.open_clear(peeked), StageCounts)
                if event.stage == "match":
                    yield event

    def _values(self, topic: str) -> list[bytes]:
        with closing(KafkaReader(self.bootstrap)) as reader:
            return list(reader.values(topic))

"""review processes on the shared servers: a deployment of its own for each test, alerts in, decisions out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import yaml
from pydantic import SecretStr

from console.edges.kafka_admin import KafkaAdmin
from console.edges.kafka_read import KafkaReader
from console.ledger.read import read_statement
from console.ledger.statement import Statement
from console.stack.ports import free_ports
from console.topics.apply import apply
from services.contracts import codec, counts, ids, keys, topics
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.registry import RegisteredKey
from services.contracts.codec import Sealing
from services.contracts.counts import Count
from services.contracts.decisions import CaseEvent
from services.contracts.events import AlertRaised, StageCounts
from services.runtime.clock import SystemClock
from services.runtime.kafka.types import Output
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.ring import Keyring
from services.runtime.passwords import hashed
from services.runtime.redis_client import connect
from signpost.v1 import review_pb2, review_pb2_grpc
from tests import sealed
from tests.builders import an_alert
from tests.fakes.keys import FakeKeys
from tests.integration.acknowledging import Acknowledger
from tests.integration.giving import Giver
from tests.integration.running import WITHIN_S, Running, process_of
from tests.integration.signed import SignedAuthority, write_key
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import a_camera, a_list
from tests.unit.contracts.sealed.lists_builder import rows

PASSWORD = "correct horse"
# How many are on the list.
LISTED = 32
PEOPLE = ("ann", "ben", "cat")


@dataclass
class Review(Running):
    """One review process, with its doors to people."""

    grpc_port: int
    web_port: int


class World:
    """A deployment on real servers, as match and people see it."""

    def __init__(self, bootstrap: str, volatile_url: str, durable_url: str, folder: Path) -> None:
        self.bootstrap, self.folder = bootstrap, folder
        self._urls = {"REDIS_VOLATILE_URL": volatile_url, "REDIS_DURABLE_URL": durable_url}
        self.deployment = ids.DeploymentId(f"review-{uuid4().hex[:10]}")
        apply(KafkaAdmin(bootstrap), groups=[f"signpost-review-{self.deployment}"])
        self._listed = sealed.a_current_draft(
            {f"e-{number}": rows(number, 1) for number in range(LISTED)},
            now=datetime.now(UTC),
            deployment=self.deployment,
        )
        self.signed = SignedAuthority(
            bootstrap,
            id=self.deployment,
            cameras=[a_camera(f"gate-{n}", source="folder", host=None) for n in range(4)],
            watchlist=a_list(categories=["consenting_volunteer"], digest=self.digest),
        )
        self.signed.run()
        # Whom the registry does not name as a reviewer is none, whatever the people file says.
        self.signed.enrol(*(self.key_of(user) for user in PEOPLE))
        self.acknowledger = Acknowledger(bootstrap)
        self._key_file = write_key(folder / "review.pem", "review")
        self.authority = self.signed.authority
        self.people = folder / "people.yaml"
        self._password = hashed(PASSWORD)
        self.list_people(*PEOPLE)
        clock = SystemClock()
        self._durable = connect(SecretStr(durable_url), client_name="test")
        self.ring = Keyring(FakeKeys(clock), FolderKeys(folder / "keys", clock), clock)
        self._load_list()
        self._giver = Giver(
            bootstrap,
            self.deployment,
            counts.Stage.MATCH,
            published=Count.ALERTS_PUBLISHED,
            given=Count.ALERTS_GIVEN,
        )

    def key_of(self, user: str, **changes: Any) -> RegisteredKey:
        """By which the registry has them as a reviewer."""
        return self.signed.registered(f"p-{user}", role=Role.REVIEWER, secret=f"p-{user}", **changes)

    def list_people(self, *users: str) -> None:
        """The people file, from now on."""
        # A list of each one's own: a shared one would be written as an alias, which the file may not hold.
        accounts = {
            user: {"name": user, "person": f"p-{user}", "roles": ["reviewer"], "password": self._password}
            for user in users
        }
        new = self.people.with_suffix(".new")
        new.write_text(yaml.safe_dump({"people": accounts}))
        new.rename(self.people)

    def close(self) -> None:
        self.signed.close()
        self.acknowledger.close()
        self._durable.close()

    @property
    def digest(self) -> str:
        return self._listed.manifest.digest

    def subject(self, number: int) -> ids.SubjectToken:
        """Somebody on the list, one of `LISTED`."""
        own = self.ring.mint(keys.deployment(self.authority))
        return ids.subject_token(own, self._listed.manifest.by_id[f"e-{number}"].subject_ref)

    def _load_list(self) -> None:
        spec = keys.watchlist(self.authority)
        bundle = sealed.sealed_up(
            self._listed,
            sealing=Sealing(spec.id, self.ring.mint(spec), AesGcm()),
            registry=self.signed.registry,
            at=datetime.now(UTC),
        )
        sealed.load(self._durable, bundle, until=self.authority.purge_at)

    def alert(self, subject: ids.SubjectToken, number: int, **changes: Any) -> AlertRaised:
        """Of a track of its own, searched now."""
        camera = ids.CameraId(f"gate-{number % 4}")
        track = ids.track_id(ids.frame_id(camera, 1, 1, number + 1), 0)
        now = datetime.now(UTC)
        values: dict[str, Any] = {
            "deployment": self.deployment,
            "camera": camera,
            "track": track,
            "subject": subject,
            "alert": ids.alert_id(track, self.digest, subject),
            "list_digest": self.digest,
            "captured_at": now,
            "searched_at": now,
        }
        return an_alert(**(values | changes))

    def feed(self, *alerts: AlertRaised) -> None:
        """Write them as match does, in one transaction; returns once it is committed."""
        self._giver.give([self._sealed(alert) for alert in alerts])

    def feed_numbers(self, *numbers: int) -> None:
        """An alert of each number, of four subjects in turn."""
        self.feed(*(self.alert(self.subject(number % 4), number) for number in numbers))

    def until_received(self, number: int) -> None:
        """Wait until review has told that it received so many."""
        eventually(
            lambda: self.tally().totals[Count.ALERTS_RECEIVED] == number, f"{number} received", within_s=WITHIN_S
        )

    def _sealed(self, alert: AlertRaised) -> Output:
        spec = keys.alert(self.authority, alert.searched_at)
        raw = codec.encode_sealed(alert, topic="alerts", sealing=Sealing(spec.id, self.ring.mint(spec), AesGcm()))
        key = f"{alert.deployment}/{alert.subject}".encode()
        return Output(topics.ALERTS.name, key, raw, topics.partition_of_key(key, topics.ALERTS))

    def statement(self) -> Statement:
        """The deployment's, as the command line prints it."""
        with closing(KafkaReader(self.bootstrap)) as reader:
            return read_statement(reader, self.deployment, root=self.signed.root_fingerprint)

    def decisions(self) -> list[CaseEvent]:
        """Every record of this deployment, repetitions included."""
        found: list[CaseEvent] = []
        for raw in self._values(topics.DECISIONS.name):
            peeked = codec.peek(raw, topic=topics.DECISIONS.name)
            if peeked.deployment == self.deployment:
                event = codec.open_clear(peeked)
                assert isinstance(event, CaseEvent)
                found.append(event)
        return found

    def tally(self) -> counts.Tally:
        """What review counted."""
        found = []
        for raw in self._values(topics.COUNTS.name):
            peeked = codec.peek(raw, topic=topics.COUNTS.name)
            if peeked.deployment == self.deployment and peeked.kind is StageCounts:
                found.append(codec.expect(codec.open_clear(peeked), StageCounts))
        return counts.tally(found)

    @contextmanager
    def review(self, name: str = "one", *options: str, ready: bool = True) -> Iterator[Review]:
        """A review process; killed at the end if it still runs."""
        http_port, grpc_port, web_port = free_ports(3)
        log = self.folder / f"review-{name}-{http_port}.log"
        settings = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "KEYS_DIR": str(self.folder / "keys"),
            **self.signed.settings,
            "PEOPLE_FILE": str(self.people),
            "SERVICE_KEY_FILE": str(self._key_file),
            "HTTP_PORT": str(http_port),
            "GRPC_PORT": str(grpc_port),
            "WEB_PORT": str(web_port),
            "INSTANCE": f"{self.deployment}-{name}-{http_port}",
            **self._urls,
        }
        module = "tests.integration.review.dying_review" if options else "services.review"
        with process_of([module, *options], log=log, settings=settings) as process:
            review = Review(process, http_port, log, grpc_port, web_port)
            if ready:
                eventually(review.ready, f"review to be ready; see {log}", within_s=WITHIN_S)
            yield review

    def _values(self, topic: str) -> list[bytes]:
        with closing(KafkaReader(self.bootstrap)) as reader:
            return list(reader.values(topic))


class Reviewer:
    """A person at one instance, over gRPC. A context manager."""

    def __init__(self, port: int, user: str) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._stub = review_pb2_grpc.ReviewStub(self._channel)  # type: ignore[no-untyped-call]
        answer = self._stub.SignIn(
            review_pb2.SignInRequest(user=user, password=PASSWORD), timeout=20, wait_for_ready=True
        )
        self._who = (("authorization", f"Bearer {answer.token}"),)

    def close(self) -> None:
        self._channel.close()

    def watch(self) -> Any:
        """A live queue that was opened; `code()` waits for its end."""
        stream = self._stub.WatchCases(review_pb2.WatchCasesRequest(), metadata=self._who, timeout=60)
        stream.initial_metadata()
        return stream

    def who_am_i(self) -> grpc.StatusCode:
        """OK, or how the question is refused."""
        try:
            self._call("WhoAmI", review_pb2.WhoAmIRequest())
        except grpc.RpcError as refused:
            return refused.code()
        return grpc.StatusCode.OK

    def judge(self, case: str, judgement: str) -> str:
        """Claim, view, judge; the state the case is in then."""
        claim = self._call("ClaimCase", review_pb2.ClaimCaseRequest(case=case))
        view = self._call("ViewCase", review_pb2.ClaimRef(case=case, fence=claim.fence))
        said = review_pb2.JudgeRequest(
            case=case,
            fence=claim.fence,
            judgement=judgement,
            features=["nose"],
            displayed_digest=view.displayed_digest,
        )
        return str(self._call("Judge", said).state.state)

    def _call(self, name: str, request: object) -> Any:
        return getattr(self._stub, name)(request, metadata=self._who, timeout=20)

"""A whole exercise on this machine: stack, topics, list, signed authority, the services; ended together."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import SecretStr

from console import purge as purging
from console.audit.collect import collect
from console.audit.verdict import Verdict
from console.audit.verify import read_head, verify_lines
from console.authority import files, show
from console.demo.people import people_of
from console.edges.grpc_oversight import OversightClient
from console.edges.kafka_admin import KafkaAdmin
from console.edges.kafka_read import KafkaReader
from console.ledger.read import read_statement
from console.ledger.report import Report
from console.ledger.reporting import gathered
from console.ledger.statement import Statement
from console.run import authorised, listing
from console.run.deployment import ExerciseCamera, write_exercise
from console.run.listing import ExerciseList
from console.run.ray_head import RayHead
from console.run.sample_authority import SampleAuthority
from console.run.service import ServiceProcess
from console.stack.errors import StackError
from console.stack.local import LocalStack
from console.stack.ports import free_ports
from console.topics.apply import apply
from console.topics.groups import groups_of
from services.contracts import codec, topics
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, Role
from services.contracts.counts import Stage
from services.contracts.errors import SignpostError
from services.runtime.clock import SystemClock
from services.runtime.kafka.config import Connection
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.purging import Purge, Stores, publish
from services.runtime.redis_client import connect

# Enough made-up entries that a short list's scores can be normalised (30), with room to spare.
FILLERS = 60
OVERSIGHT = "oversight"


@dataclass(frozen=True)
class Setup:
    """What runs. `people_file` and `list_dir` are the operator's own; so is `draft`, where there is one, with its
    file of cameras beside it; else an exercise's is written for `cameras`."""

    deployment: str
    cameras: Sequence[ExerciseCamera]
    list_dir: Path
    people_file: Path
    home: Path
    cache: Path = Path(".cache")
    draft: Path | None = None
    fillers: int = FILLERS
    verification: Mapping[str, Any] = field(default_factory=dict)
    brokers: int = 1
    # Ray's actors at most; 0 runs embed as one plain process.
    ray_workers: int = 0
    # Which module runs a service, where it is not the service's own (fault tests bring theirs).
    modules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    say: Callable[[str], None] = field(default=lambda line: None)


class Exercise:
    """Everything that runs; a context manager. One thread owns it, but `kill` and `start` of a service may come
    from another."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._home = setup.home.resolve()
        self.stack = LocalStack(self._home / "stack", setup.cache / "kafka", brokers=setup.brokers)
        self._authority = self._home / "authority"
        self.draft = (setup.draft or self._authority / "exercise.yaml").resolve()
        self._heads = self._authority / "heads"
        # What is in force, and who signed it; from the `with` on.
        self.document: Document
        self.sample: SampleAuthority
        self.list: ExerciseList
        self.services: dict[str, ServiceProcess] = {}
        self._enrolment_port, self._oversight_port, self.review_grpc_port, self.review_web_port = free_ports(4)
        self.ray = RayHead(self._home, max_workers=setup.ray_workers) if setup.ray_workers else None
        self._ended = ExitStack()

    @property
    def deployment(self) -> str:
        return self._setup.deployment

    @property
    def home(self) -> Path:
        """Where keys, data and logs are."""
        return self._home

    @property
    def oversight(self) -> str:
        """Where oversight answers, host:port."""
        return f"127.0.0.1:{self._oversight_port}"

    @property
    def page(self) -> str:
        """Where the reviewers' page is."""
        return f"http://127.0.0.1:{self.review_web_port}/"

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._ended.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.close()

    def start(self, *names: str) -> None:
        """Start services side by side and wait until each is ready. Raises ChildDiedError."""
        for name in names:
            self.services[name].start()
        for name in names:
            self.services[name].await_ready()

    def add(self, name: str, stage: Stage, **settings: str) -> None:
        """One more instance of a stage's service, under a name of its own; not started."""
        self._add(name, str(stage), self._settings() | self._own(stage) | settings)

    def add_oversight(self, name: str, **settings: str) -> None:
        """An instance of oversight; not started. The first leads, another stands by."""
        own = {
            "KAFKA_BOOTSTRAP": self.stack.kafka.bootstrap,
            "REDIS_DURABLE_URL": self.stack.redis_durable.url,
            "ORGANISATION": self.sample.organisation,
            "AUTHORITY_ROOT": self.sample.root_fingerprint,
            "OVERSIGHT_KEY_FILE": str(self._authority / "oversight.pem"),
            "AUDIT_HEADS_DIR": str(self._heads),
        }
        self._add(name, OVERSIGHT, own | settings)

    def can(self, move: Move) -> bool:
        """Whether the authority stands so that it can be moved so. Raises SignpostError."""
        with OversightClient(self.oversight) as client:
            return client.newest(self.deployment).can(move)

    def order(self, move: Move, *, reason: str) -> None:
        """Have the authority moved, as its supervisor would. Raises SignpostError."""
        authorised.order(self.oversight, self.sample, move, self.document, reason=reason)

    def purge(self, *, reason: str, within_s: float = 120.0) -> str:
        """Have all that the deployment keeps of anybody destroyed; the signed certificate. Raises SignpostError.

        Every service answers and ends: who watches over them starts them anew.
        """
        clock = SystemClock()
        connection = Connection(self.stack.kafka.bootstrap, "console")
        volatile, durable = (
            connect(SecretStr(one.url), client_name="console")
            for one in (self.stack.redis_volatile, self.stack.redis_durable)
        )
        own = Purge(
            purging.share(self.deployment, instance="console"),
            Stores(VolatileKeys(volatile, clock), FolderKeys(self._home / "keys", clock), durable),
            lambda output: publish(connection, output),
            clock,
            key=self.sample.key(Role.SUPERVISOR),
        )
        with OversightClient(self.oversight) as client, closing(volatile), closing(durable):
            purged = purging.purge(
                client,
                self.deployment,
                own,
                order=lambda now: self.sample.order(
                    self.document,
                    Move.ORDER_PURGE,
                    sequence=now.state_sequence + 1,
                    reason=reason,
                    at=datetime.now(UTC),
                ),
                within_s=within_s,
            )
        return purged.certificate

    def bounds(self) -> str:
        """What is in force, for a person to read."""
        return "\n".join(show.bounds(self.document, root=self.sample.root_fingerprint))

    def alerts_published(self) -> int:
        """This deployment's records on `alerts` so far; quick enough to ask often."""
        with closing(KafkaReader(self.stack.kafka.bootstrap)) as reader:
            return sum(
                codec.peek(raw, topic=topics.ALERTS.name).deployment == self.deployment
                for raw in reader.values(topics.ALERTS.name)
            )

    def statement(self) -> Statement:
        """The deployment's figures as they are now."""
        with closing(KafkaReader(self.stack.kafka.bootstrap)) as reader:
            return read_statement(reader, self.deployment, root=self.sample.root_fingerprint)

    def report(self) -> Report:
        """The deployment's report as things stand now."""
        with closing(KafkaReader(self.stack.kafka.bootstrap)) as reader, OversightClient(self.oversight) as client:
            return gathered(self.deployment, client, reader, root=self.sample.root_fingerprint)

    def chain(self) -> Verdict:
        """The deployment's audit chain as it stands in Kafka, held against the last head that was handed out."""
        sink, root = self._heads / f"{self.deployment}.heads", self.sample.root_fingerprint
        head = read_head(sink) if sink.exists() else None
        with closing(KafkaReader(self.stack.kafka.bootstrap)) as reader:
            return verify_lines(collect(reader, self.deployment, root_fingerprint=root), root, head)

    def _begin(self) -> None:
        self._setup.say("starting Apache Kafka and two Redis servers")
        self._ended.enter_context(self.stack)
        shutil.rmtree(self._authority, ignore_errors=True)
        self._heads.mkdir(parents=True)
        if self._setup.draft is None:
            self._write_draft()
        report = apply(KafkaAdmin(self.stack.kafka.bootstrap), groups=groups_of([self.deployment]))
        if report.refused:
            raise StackError("\n".join(report.lines))
        try:
            self._parsed = files.read_draft(self.draft)
        except SignpostError as error:
            raise StackError(str(error)) from error
        self._begin_oversight()
        self._build_list()
        self._authorise()
        if self.ray is not None:
            self._setup.say("starting Ray")
            self._ended.callback(self.ray.stop)
            self.ray.start(self._settings() | self._own(Stage.EMBED))
        for stage in Stage:
            self.add(stage, stage)

    def _add(self, name: str, module: str, settings: Mapping[str, str]) -> None:
        words = self._setup.modules.get(module, (f"services.{module}",))
        named = {"REPLICA": name, **settings}
        self.services[name] = ServiceProcess(name, words, home=self._home, settings=named)
        self._ended.callback(self.services[name].stop)

    def _write_draft(self) -> None:
        write_exercise(
            self.draft,
            self.deployment,
            self._setup.cameras,
            now=datetime.now(UTC),
            verification=self._setup.verification,
        )

    def _begin_oversight(self) -> None:
        """Start oversight for people made up for this run; the list is built meanwhile."""
        self.sample = SampleAuthority.begin(
            organisation=self._parsed.organisation,
            author=self._parsed.author,
            now=datetime.now(UTC),
            people=people_of(self._setup.people_file),
        )
        key = self._authority / "oversight.pem"
        self.sample.write_oversight_key(key)
        self._ended.callback(key.unlink)
        for stage in Stage:
            self.sample.write_service_key(stage, self.service_key(stage))
            self._ended.callback(self.service_key(stage).unlink)
        self.add_oversight(OVERSIGHT, GRPC_PORT=str(self._oversight_port))
        self.services[OVERSIGHT].start()

    def _authorise(self) -> None:
        self._setup.say("signing a sample authority and bringing it into force")
        try:
            self.document = self._parsed.document(self.list.seal())
        except SignpostError as error:
            raise StackError(str(error)) from error
        self.services[OVERSIGHT].await_ready()
        authorised.authorise(self.oversight, self.sample, self.document)
        self.list.load(self.document, redis_durable_url=self.stack.redis_durable.url)
        authorised.await_active(self.oversight, self.document)

    def _build_list(self) -> None:
        self.list = ExerciseList(self._authority / "list.draft", self._home / "keys", self.sample)
        self._setup.say("starting the models and building the list")
        enrol = ServiceProcess(
            "enrol",
            ("services.embed.enrol",),
            home=self._home,
            settings=self._stack() | self._models() | {"GRPC_PORT": str(self._enrolment_port)},
        )
        options = {
            "--draft": str(self.draft),
            "--out": str(self.list.draft),
            "--keys-dir": str(self._home / "keys"),
            "--enrolment": f"127.0.0.1:{self._enrolment_port}",
            "--fillers": str(self._setup.fillers),
        }
        self._setup.say(listing.build(enrol, [str(self._setup.list_dir)], options))

    def _stack(self) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP": self.stack.kafka.bootstrap,
            "REDIS_VOLATILE_URL": self.stack.redis_volatile.url,
            "REDIS_DURABLE_URL": self.stack.redis_durable.url,
            "KEYS_DIR": str(self._home / "keys"),
        }

    def _settings(self) -> dict[str, str]:
        return self._stack() | {"DEPLOYMENT": self.deployment, "AUTHORITY_ROOT": self.sample.root_fingerprint}

    def _models(self) -> dict[str, str]:
        cache = self._setup.cache.resolve()
        return {
            "MODELS_DIR": str(cache / "assets" / "models"),
            "MODEL_CACHE_DIR": str(cache / "compiled"),
        }

    def _own(self, stage: Stage) -> dict[str, str]:
        own: dict[str, dict[str, str]] = {
            Stage.INGEST: {"CAMERAS_FILE": str(files.cameras_path(self.draft))},
            Stage.EMBED: self._models() | (self.ray.settings if self.ray else {"WORKERS": "process"}),
            Stage.REVIEW: {
                "GRPC_PORT": str(self.review_grpc_port),
                "WEB_PORT": str(self.review_web_port),
                "PEOPLE_FILE": str(self._setup.people_file.resolve()),
            },
        }
        key = {"SERVICE_KEY_FILE": str(self.service_key(stage))}
        return key | own.get(stage, {}) | dict(self._setup.extra.get(stage, {}))

    def service_key(self, stage: Stage) -> Path:
        """The file with the stage's own signing key."""
        return self._authority / f"{stage}.pem"

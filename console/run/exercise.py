"""A whole exercise on this machine: the stack, the topics, the list, the four services; ended together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from console.edges.kafka_admin import KafkaAdmin
from console.edges.kafka_read import KafkaReader
from console.ledger.read import read_statement
from console.ledger.statement import Statement
from console.run.deployment import ExerciseCamera, exercise_document, write_document
from console.run.ray_head import RayHead
from console.run.service import ServiceProcess
from console.stack.errors import StackError
from console.stack.local import LocalStack
from console.stack.ports import free_ports
from console.topics.apply import apply
from services.contracts import codec, topics
from services.contracts.counts import Stage

# Enough made-up entries that a short list's scores can be normalised (30), with room to spare.
FILLERS = 60
_BUILD_WITHIN_S = 120


@dataclass(frozen=True)
class Setup:
    """What runs. `people_file` and `list_dir` are the operator's own; so is `document`, where there is one, and
    else an exercise's is written for `cameras`."""

    deployment: str
    cameras: Sequence[ExerciseCamera]
    list_dir: Path
    people_file: Path
    home: Path
    cache: Path = Path(".cache")
    document: Path | None = None
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
        self.document = (setup.document or self._home / "deployment.yaml").resolve()
        self.services: dict[str, ServiceProcess] = {}
        self._enrolment_port, self.review_grpc_port, self.review_web_port = free_ports(3)
        self.ray = RayHead(self._home, max_workers=setup.ray_workers) if setup.ray_workers else None
        self._ended = ExitStack()

    @property
    def deployment(self) -> str:
        return self._setup.deployment

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
        module = self._setup.modules.get(stage, (f"services.{stage}",))
        self.services[name] = ServiceProcess(
            name,
            module,
            home=self._home,
            settings=self._settings() | self._own(stage) | {"REPLICA": name} | settings,
        )
        self._ended.callback(self.services[name].stop)

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
            return read_statement(reader, self.deployment)

    def _begin(self) -> None:
        self._setup.say("starting Apache Kafka and two Redis servers")
        self._ended.enter_context(self.stack)
        if self._setup.document is None:
            self._write_document()
        report = apply(KafkaAdmin(self.stack.kafka.bootstrap), groups=self._groups())
        if report.refused:
            raise StackError("\n".join(report.lines))
        self._build_list()
        if self.ray is not None:
            self._setup.say("starting Ray")
            self._ended.callback(self.ray.stop)
            self.ray.start(self._settings() | self._own(Stage.EMBED))
        for stage in Stage:
            self.add(stage, stage)

    def _write_document(self) -> None:
        document = exercise_document(
            self.deployment,
            self._setup.cameras,
            now=datetime.now(UTC),
            verification=dict(self._setup.verification),
        )
        write_document(self.document, document)

    def _groups(self) -> list[str]:
        return [f"signpost-{stage}-{self.deployment}" for stage in (Stage.EMBED, Stage.MATCH, Stage.REVIEW)]

    def _build_list(self) -> None:
        """Enrol the list through embed's own models, by the operator's own command."""
        self._setup.say("starting the models and building the list")
        enrol = ServiceProcess(
            "enrol",
            ("services.embed.enrol",),
            home=self._home,
            settings=self._settings() | self._models() | {"GRPC_PORT": str(self._enrolment_port)},
        )
        enrol.start()
        try:
            enrol.await_ready()
            command = [sys.executable, "-m", "console", "watchlist", "build", str(self._setup.list_dir)]
            options = {
                "--deployment-file": str(self.document),
                "--redis-durable-url": self.stack.redis_durable.url,
                "--keys-dir": str(self._home / "keys"),
                "--enrolment": f"127.0.0.1:{self._enrolment_port}",
                "--fillers": str(self._setup.fillers),
            }
            words = [word for option in options.items() for word in option]
            done = subprocess.run(
                [*command, *words], capture_output=True, text=True, timeout=_BUILD_WITHIN_S, check=False
            )
        finally:
            enrol.stop()
        if done.returncode != 0:
            raise StackError(f"the list was not built:\n{done.stdout}{done.stderr}")
        self._setup.say(done.stdout.strip())

    def _settings(self) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP": self.stack.kafka.bootstrap,
            "REDIS_VOLATILE_URL": self.stack.redis_volatile.url,
            "REDIS_DURABLE_URL": self.stack.redis_durable.url,
            "KEYS_DIR": str(self._home / "keys"),
            "DEPLOYMENT_FILE": str(self.document),
        }

    def _models(self) -> dict[str, str]:
        cache = self._setup.cache.resolve()
        return {
            "MODELS_DIR": str(cache / "assets" / "models"),
            "MODEL_CACHE_DIR": str(cache / "compiled"),
        }

    def _own(self, stage: Stage) -> dict[str, str]:
        own: dict[str, dict[str, str]] = {
            Stage.EMBED: self._models() | (self.ray.settings if self.ray else {"WORKERS": "process"}),
            Stage.REVIEW: {
                "GRPC_PORT": str(self.review_grpc_port),
                "WEB_PORT": str(self.review_web_port),
                "PEOPLE_FILE": str(self._setup.people_file.resolve()),
            },
        }
        return own.get(stage, {}) | dict(self._setup.extra.get(stage, {}))

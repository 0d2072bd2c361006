"""Ingest processes on the shared servers, and a reader of all they wrote."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import redis
import yaml
from confluent_kafka import Consumer, TopicPartition

from console.edges.kafka_admin import KafkaAdmin
from console.topics.apply import apply
from services.contracts import codec, keys, topics
from services.contracts.authority import Authority
from services.contracts.events import CameraGap, FrameCaptured, StageCounts
from services.runtime.clock import SystemClock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.port import OtherKey
from services.runtime.keys.ring import Found, Keyring
from services.runtime.keys.volatile import VolatileKeys
from tests.integration.signed import SignedAuthority, write_key
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import a_camera

ROOT = Path(__file__).parents[3]
PYTHONPATH = os.pathsep.join([str(ROOT), str(ROOT / "proto" / "gen")])
WITHIN_S = 30.0


@dataclass
class Ingest:
    """One ingest process."""

    process: subprocess.Popen[bytes]
    log: Path

    def logs(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def logged(self, message: str, **fields: object) -> bool:
        return any(
            line["message"] == message and all(line.get(name) == value for name, value in fields.items())
            for line in self.logs()
        )

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def _url(self, path: str) -> str:
        started = eventually(
            lambda: [line["http_port"] for line in self.logs() if line["message"] == "process started"],
            "the process to start",
            within_s=WITHIN_S,
        )
        return f"http://127.0.0.1:{started[0]}{path}"

    def metrics(self) -> str:
        with urllib.request.urlopen(self._url("/metrics"), timeout=5) as answer:  # noqa: S310  # our own address
            text: bytes = answer.read()
            return text.decode()

    def metric(self, series: str) -> float:
        return next(
            float(line.rpartition(" ")[2]) for line in self.metrics().splitlines() if line.startswith(series + " ")
        )

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(self._url("/readyz"), timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def children(self) -> list[psutil.Process]:
        """Its cameras' processes: readers, and links to those on the network."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def readers(self) -> list[psutil.Process]:
        """Those that decode."""
        return [one for one in self.children() if "services.ingest.edges.reader_main" in one.cmdline()]


@dataclass
class IngestWorld:
    """A deployment with a name of its own, ingest processes for it and all that they write."""

    bootstrap: str
    redis_url: str
    folder: Path
    deployment: str
    _frames: list[FrameCaptured] = field(default_factory=list)
    _accounts: list[CameraGap | StageCounts] = field(default_factory=list)
    raw_accounts: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        apply(KafkaAdmin(self.bootstrap))
        eventually(self._topics_are_there, "the topics to be known", within_s=WITHIN_S)
        self._reader = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": self.deployment,
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        homes = [
            TopicPartition(topic.name, number)
            for topic in (topics.FRAMES, topics.COUNTS)
            for number in range(topic.partitions)
        ]
        for home in homes:
            home.offset = self._reader.get_watermark_offsets(home)[1]
        self._reader.assign(homes)
        self.keys_dir = self.folder / "keys"
        self.keys_dir.mkdir(mode=0o700)
        self._key_file = write_key(self.folder / "ingest.pem", "ingest")
        self._signed: SignedAuthority | None = None
        self.authority: Authority | None = None
        # Frames whose keys died with their Redis: they are there, and nobody can read them.
        self.lost_frames: list[codec.Peeked] = []
        self.use_redis(self.redis_url)

    def close(self) -> None:
        if self._signed is not None:
            self._signed.close()
        self._reader.close()
        self.client.close()

    def use_redis(self, url: str) -> None:
        """Look for keys in another Redis."""
        self.client = redis.Redis.from_url(url)
        self.forget_keys()

    def forget_keys(self) -> None:
        """Ask the stores again."""
        clock = SystemClock()
        self._ring = Keyring(VolatileKeys(self.client, clock), FolderKeys(self.keys_dir, clock), clock)

    @property
    def signed(self) -> SignedAuthority:
        """The authority, once there is one."""
        assert self._signed is not None, "deploy comes first"
        return self._signed

    def deploy(self, *cameras: dict[str, object], **changes: object) -> None:
        """Sign for these cameras, and write how they are read; `changes` are fields of the document."""
        self.cameras_file = self.folder / "cameras.yaml"
        self.cameras_file.write_text(yaml.safe_dump({"cameras": list(cameras)}))
        self._signed = SignedAuthority(
            self.bootstrap, id=self.deployment, cameras=[_as_signed(camera) for camera in cameras], **changes
        )
        self._signed.run()
        self.authority = self.signed.authority

    @contextmanager
    def ingest(self, name: str = "ingest-a", **settings: object) -> Iterator[Ingest]:
        """An ingest process; killed at the end if it still runs."""
        wanted: Mapping[str, object] = {
            "kafka_bootstrap": self.bootstrap,
            "redis_volatile_url": self.redis_url,
            "redis_durable_url": self.redis_url,
            "keys_dir": self.keys_dir,
            "cameras_file": self.cameras_file,
            **self.signed.settings,
            "service_key_file": self._key_file,
            "instance": name,
            "lease_ttl_s": 3,
            "stall_timeout_s": 3,
            "restart_first_s": 0.1,
            "restart_max_s": 0.5,
            **settings,
        }
        log = self.folder / f"{name}.log"
        environ = {key.upper(): str(value) for key, value in wanted.items()}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.ingest"],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": PYTHONPATH, **environ},  # noqa: TID251  # of a test
                stdout=out,
                stderr=out,
            )
        running = Ingest(process, log)
        try:
            yield running
        finally:
            if process.poll() is None:
                running.kill()

    def frames(self, camera: str | None = None) -> list[FrameCaptured]:
        """All frames published so far, opened."""
        self._read()
        return [frame for frame in self._frames if camera is None or frame.camera == camera]

    def read_all_frames_as_embed(self) -> None:
        """Commit every frame there is, as embed's group does when it has read them."""
        group = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"signpost-embed-{self.deployment}"})
        ends = [TopicPartition(topics.FRAMES.name, number) for number in range(topics.FRAMES.partitions)]
        for one in ends:
            one.offset = group.get_watermark_offsets(one)[1]
        group.commit(offsets=ends, asynchronous=False)
        group.close()

    def counts(self) -> dict[str, StageCounts]:
        """The newest account of each run."""
        self._read()
        return {one.incarnation: one for one in self._accounts if isinstance(one, StageCounts)}

    def gaps(self) -> list[CameraGap]:
        self._read()
        newest = {one.event_id: one for one in self._accounts if isinstance(one, CameraGap)}
        return list(newest.values())

    def _topics_are_there(self) -> bool:
        return set(KafkaAdmin(self.bootstrap).topics(topic.name for topic in topics.ALL)) >= set(topics.BY_NAME)

    def _read(self) -> None:
        until = time.monotonic() + 1.0  # a camera that plays on writes without end
        while time.monotonic() < until and (message := self._reader.poll(0.1)):
            assert message.error() is None, message.error()
            value, topic = message.value() or b"", message.topic() or ""
            peeked = codec.peek(value, topic=topic)
            if peeked.deployment != self.deployment:
                continue
            if topic == topics.FRAMES.name:
                self._open(peeked, message.partition())
            else:
                self.raw_accounts.append(value)
                self._accounts.append(codec.open_clear(peeked))  # type: ignore[arg-type]  # only these two are there

    def _open(self, peeked: codec.Peeked, partition: int | None) -> None:
        assert self.authority is not None
        found = self._ring.find(keys.frame(self.authority, peeked.captured_at))
        if not isinstance(found, Found):
            self.lost_frames.append(peeked)
            return
        try:
            frame = codec.open_sealed(peeked, key=found.key, cipher=AesGcm())
        except OtherKey:
            self.lost_frames.append(peeked)
            return
        assert isinstance(frame, FrameCaptured)
        index = self.authority.camera_index(frame.camera)
        assert index is not None
        assert partition == topics.partition_of_camera(index, topics.FRAMES)
        self._frames.append(frame)


def _as_signed(camera: dict[str, object]) -> dict[str, object]:
    at = urlsplit(str(camera["address"]))
    host = f"{at.hostname}:{at.port}" if camera["source"] == "rtsp" else None
    return a_camera(str(camera["id"]), source=camera["source"], host=host)


def totals(counts: StageCounts) -> dict[str, int]:
    """A run's figures by name and, where there is one, reason."""
    return {f"{name}:{reason}" if reason else name: value for (name, reason), value in counts.totals.items()}


def adds_up(counts: StageCounts) -> bool:
    """Both arrows of a run."""
    by_name: dict[str, int] = defaultdict(int)
    for (name, _), value in [*counts.totals.items(), *counts.standing.items()]:
        by_name[name] += value
    return (
        by_name["frames_read"] == by_name["frames_sampled"] + by_name["frames_not_sampled"]
        and by_name["frames_sampled"]
        == by_name["frames_published"] + by_name["frames_dropped"] + by_name["frames_in_hand"]
    )

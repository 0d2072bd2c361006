"""An exercise as a scanner sees it: its keys, its records, and every place where something may be left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from console.edges.kafka_read import KafkaReader
from console.run.exercise import Exercise
from console.stack.redis_server import RedisServer
from services.contracts import topics
from services.contracts.counts import Stage
from services.contracts.events import FrameCaptured
from tests.reliability.scan import places as looking
from tests.reliability.scan.keys_seen import KeyWatch, in_stores
from tests.reliability.scan.places import Place
from tests.reliability.scan.records import Record, event_in, of_redis, of_segments

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


class Ground:
    """A context manager around a running exercise. `aside` is a folder of the scanner's own, beside the run's."""

    def __init__(self, exercise: Exercise, aside: Path) -> None:
        self._exercise = exercise
        self._stack = exercise.home / "stack"
        self._keys = exercise.home / "keys"
        self._copies = aside / "copies"
        self.profile = aside / "profile"
        self.volatile = redis.Redis.from_url(exercise.stack.redis_volatile.url)
        self.durable = redis.Redis.from_url(exercise.stack.redis_durable.url)
        self.watch = KeyWatch(self._keys, self.volatile)

    def __enter__(self) -> Self:
        self.watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go()

    def let_go(self) -> None:
        """Close our own connections: what a server has told us is in its buffers for us."""
        self.watch.finish()
        self.volatile.close()
        self.durable.close()

    def found_keys(self) -> dict[str, bytes]:
        """Every key that can be found now."""
        return in_stores(self._keys, self.volatile)

    def copy(self) -> None:
        """Keep the segments and the command log as they are."""
        shutil.copytree(self._stack, self._copies, dirs_exist_ok=True)

    def records(self) -> list[Record]:
        """In Kafka's files, in both Redis, and in the dead letters."""
        with closing(KafkaReader(self._exercise.stack.kafka.bootstrap)) as reader:
            dead = [
                Record("dead letters", topic.name, value)
                for topic in (topics.FRAMES_DEAD, topics.FACES_DEAD)
                for value in reader.values(topic.name)
            ]
        return [
            *of_segments(self._stack / "kafka", place="kafka segments"),
            *of_redis(values(self.durable), place="redis durable"),
            *of_redis(values(self.volatile), place="redis volatile"),
            *dead,
        ]

    def workers(self) -> list[int]:
        """The processes that embed: Ray's actors, or the service itself."""
        if self._exercise.ray is None:
            return [self._exercise.services[Stage.EMBED].pid]
        below = looking.family([self._exercise.ray.pid])
        return [pid for pid in below if looking.name_of(pid).startswith("ray::")]

    def frames(self) -> Iterator[FrameCaptured]:
        """Every frame in Kafka's files that opens now."""
        found = self.found_keys()
        for record in of_segments(self._stack / "kafka", place="kafka segments"):
            if record.name == topics.FRAMES.name and isinstance(event := event_in(record, found), FrameCaptured):
                yield event

    def restored(self) -> Iterator[Record]:
        """The copies, brought back: their segments read, and a Redis started on their command log."""
        yield from of_segments(self._copies / "kafka", place="restored segments")
        with (
            RedisServer("durable", self._copies / "redis-durable") as server,
            closing(redis.Redis.from_url(server.url)) as client,
        ):
            yield from of_redis(values(client), place="restored command log")

    def places(self) -> list[Place]:
        """Where to look for bytes. Key files are looked at last, so that nothing hides behind their reading."""
        exercise, home, stack = self._exercise, self._exercise.home, self._stack
        servers = [part.process.pid for part in exercise.stack.status() if part.alive]
        services = [service.pid for service in exercise.services.values() if service.alive()]
        ray = exercise.ray
        return [
            Place("kafka segments", looking.below(stack / "kafka")),
            Place("redis append-only file", looking.below(stack / "redis-durable")),
            Place("redis volatile files", looking.below(stack / "redis-volatile")),
            Place("redis command logs", told=[*_command_logs(self.volatile), *_command_logs(self.durable)]),
            Place("ray session folder", looking.below(ray.folder) if ray else [], none="Ray did not run"),
            Place("shared memory", looking.below(_SHARED_MEMORY), none="no file in it"),
            Place("swap", looking.swap_files(), none="this machine swaps to nothing"),
            Place(
                "core files",
                [path for path in (*home.rglob("core*"), *Path.cwd().glob("core*")) if path.is_file()],
                none="none was written",
            ),
            Place("logs", looking.below(home / "logs")),
            Place("browser profile", looking.below(self.profile)),
            Place("build", looking.below(Path("build")), none="there is no such folder"),
            Place("the rest of the run's files", looking.below(home, but=[stack, home / "logs", self._keys])),
            Place("memory of services", pids=looking.family([*services, *([ray.pid] if ray else [])])),
            Place("memory of kafka and redis", pids=looking.family(servers)),
            Place("copies taken before", looking.below(self._copies), none="taken after this look"),
            Place("key folder", looking.below(self._keys), none="no key file is left"),
        ]


def values(client: redis.Redis) -> Mapping[str, bytes]:
    """Every value, whatever its type: what is no string is written out."""
    found: dict[str, bytes] = {}
    for name in client.scan_iter(count=1000):
        kind, text = client.type(name), name.decode() if isinstance(name, bytes) else str(name)
        raw = client.get(name) if kind in (b"string", "string") else client.dump(name)
        if isinstance(raw, bytes):
            found[text] = raw
    return found


def _command_logs(client: redis.Redis) -> Iterator[bytes]:
    """All that a server remembers of commands; off, so nothing."""
    yield json.dumps(client.slowlog_get(10_000), default=repr).encode()
    for kind in ("SLOW", "LARGE-REQUEST", "LARGE-REPLY"):
        try:
            said: object = client.execute_command("COMMANDLOG", "GET", -1, kind)  # type: ignore[no-untyped-call]
            yield json.dumps(said, default=repr).encode()
        except redis.ResponseError:  # Valkey's own
            return

"""Topics for one loop on Apache Kafka, worker processes on them, and a reader of what came out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.runtime.kafka.broker import RebalanceListener
from services.runtime.kafka.types import Output, Partition, Record
from tests.contracts.broker import send
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.support import eventually

ROOT = Path(__file__).parents[3]
WITHIN_S = 30.0


@dataclass
class Ground:
    """One source with its sink, counts and dead letters, and everything read so far of what came out."""

    world: KafkaWorld
    partitions: int = 1
    seen: dict[str, list[Record]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source = self.world.topic(partitions=self.partitions)
        self.sink, self.counts_topic, self.dead_topic = (self.world.topic() for _ in range(3))
        self.group = f"group-{self.source}"
        self._reader = self.world.consumer(f"reader-{self.source}")
        nothing = lambda partitions: None  # noqa: E731 - three times the same
        self._reader.subscribe(
            [self.sink, self.counts_topic, self.dead_topic], RebalanceListener(nothing, nothing, nothing)
        )
        self.seen = {self.sink: [], self.counts_topic: [], self.dead_topic: []}

    def feed(self, *values: bytes, partition: int = 0) -> None:
        outputs = (Output(self.source, b"k", value, partition=partition) for value in values)
        send(self.world.producer(), *outputs)

    def out(self) -> Counter[bytes]:
        """How often each value stands in the sink, committed."""
        self._read()
        return Counter(record.value for record in self.seen[self.sink])

    def dead(self) -> list[bytes]:
        self._read()
        return [record.value for record in self.seen[self.dead_topic]]

    def counts(self) -> Counter[str]:
        """The sum over incarnations of the last counts of each."""
        self._read()
        last = {record.key: record.value for record in self.seen[self.counts_topic]}
        total: Counter[str] = Counter()
        for text in last.values():
            total.update(json.loads(text))
        return total

    def source_partition(self, number: int = 0) -> Partition:
        return Partition(self.source, number)

    @contextmanager
    def worker(self, name: str = "worker-1", *options: str) -> Iterator[subprocess.Popen[str]]:
        """A worker process; killed at the end if it still runs."""
        command = [sys.executable, "-m", "tests.integration.runtime.kafka_worker"]
        named = {
            "bootstrap": self.world.connection.bootstrap,
            "source": self.source,
            "sink": self.sink,
            "counts": self.counts_topic,
            "dead": self.dead_topic,
            "group": self.group,
            "transactional-id": f"{self.group}-{name}",
        }
        command += [f"--{option}={value}" for option, value in named.items()]
        with subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def supervised_worker(self, name: str = "worker-1", *options: str) -> Iterator[Callable[[], int]]:
        """A worker that is started again when it stops, as a supervisor would; yields a look after it.

        The look returns how often it was started; call it while waiting.
        """
        with ExitStack() as stack:
            started = [stack.enter_context(self.worker(name, *options))]

            def look_after() -> int:
                if started[-1].poll() is not None:
                    started.append(stack.enter_context(self.worker(name, *options)))
                return len(started)

            yield look_after

    def until_out(self, number: int) -> Counter[bytes]:
        """Wait for so many outputs, then for what a few more reads bring."""
        eventually(lambda: self.out().total() >= number, f"{number} outputs", within_s=WITHIN_S)
        for _ in range(5):
            self.out()
        return self.out()

    def _read(self) -> None:
        for record in self._reader.poll(500, 0.05):
            self.seen[record.topic].append(record)

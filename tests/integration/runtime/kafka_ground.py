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

from confluent_kafka import KafkaError, KafkaException

from services.runtime.kafka.admin import admin, end_offsets
from services.runtime.kafka.types import Output, Partition
from tests.contracts.broker import send
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.support import eventually

ROOT = Path(__file__).parents[3]
WITHIN_S = 30.0


@dataclass
class Ground:
    """One source with its sink, counts and dead letters, and everything read so far of what came out.

    What came out is read by a plain consumer, not by the one under test.
    """

    world: KafkaWorld
    partitions: int = 1
    seen: dict[str, list[tuple[bytes | None, bytes]]] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source = self.world.topic(partitions=self.partitions)
        self.sink, self.counts_topic, self.dead_topic = (self.world.topic() for _ in range(3))
        self.group = f"group-{self.source}"
        self.seen = {topic: [] for topic in (self.sink, self.counts_topic, self.dead_topic)}
        self._reader = self.world.reader(self.seen)

    def feed(self, *values: bytes, partition: int = 0) -> None:
        outputs = (Output(self.source, b"k", value, partition=partition) for value in values)
        send(self.world.producer(), *outputs)

    def out(self) -> Counter[bytes]:
        """How often each value stands in the sink, committed."""
        self._read()
        return Counter(value for _, value in self.seen[self.sink])

    def dead(self) -> list[bytes]:
        self._settle()
        return [value for _, value in self.seen[self.dead_topic]]

    def counts(self) -> Counter[str]:
        """The sum over incarnations of the last counts of each."""
        self._settle()
        last = dict(self.seen[self.counts_topic])
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
        """Wait for so many outputs, then for the end of whatever else was written until now."""
        eventually(lambda: self.out().total() >= number, f"{number} outputs", within_s=WITHIN_S)
        self._settle()
        return self.out()

    def _settle(self) -> None:
        """Read up to what is the end of each topic now.

        A transaction commits at its coordinator first and partition by partition after that: what one topic
        shows already, another may still hold back.
        """
        with admin(self.world.connection) as client:
            ends = end_offsets(client, [Partition(topic, 0) for topic in self.seen], timeout_s=WITHIN_S)

        def reached() -> bool:
            self._read()
            return all(self.ended.get(one.topic, -1) >= end for one, end in ends.items())

        eventually(reached, "the end of what was written", within_s=WITHIN_S)

    def _read(self) -> None:
        for message in self._reader.consume(500, 0.05):
            topic, error, value = message.topic(), message.error(), message.value()
            assert topic is not None
            if error is None:
                assert value is not None
                self.seen[topic].append((message.key(), value))
            elif error.code() == KafkaError._PARTITION_EOF:
                self.ended[topic] = message.offset() or 0
            elif not error.retriable():
                raise KafkaException(error)

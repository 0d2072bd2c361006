"""The whole local stack: Kafka and both Redis servers, started and ended together."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from console.stack.child import ProcessIdentity
from console.stack.kafka import KafkaCluster
from console.stack.redis_server import RedisServer


@dataclass(frozen=True)
class RunningPart:
    """One process of the stack, and whether it runs now."""

    name: str
    process: ProcessIdentity
    log: Path
    alive: bool


class LocalStack:
    """Kafka, the volatile and the durable Redis, everything under `data_dir`; a context manager."""

    def __init__(self, data_dir: Path, cache_dir: Path, *, brokers: int = 1) -> None:
        self.kafka = KafkaCluster(data_dir / "kafka", cache_dir, brokers=brokers)
        self.redis_volatile = RedisServer("volatile", data_dir / "redis-volatile")
        self.redis_durable = RedisServer("durable", data_dir / "redis-durable")

    def start(self) -> None:
        """Start all parts and block until each is usable; on a StackError nothing is left running."""
        with ExitStack() as started:
            for part in (self.redis_volatile, self.redis_durable, self.kafka):
                started.enter_context(part)
            started.pop_all()

    def stop(self) -> None:
        """End all parts in order; the durable data stays."""
        for part in (self.kafka, self.redis_durable, self.redis_volatile):
            part.stop()

    def status(self) -> list[RunningPart]:
        """Return every process that was started, alive or not."""
        children = [node.child for node in self.kafka.nodes]
        children += [self.redis_volatile.child, self.redis_durable.child]
        return [
            RunningPart(child.name, child.identity, child.log, child.alive())
            for child in children
            if child is not None
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

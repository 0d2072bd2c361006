"""A process that runs the loop on Apache Kafka, and kills itself at a named point if asked to.

Handles by copying. Printed line "joined" says that it has partitions; SIGTERM makes it drain.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from uuid import uuid4

from services.contracts.errors import Permanent, Undecodable
from services.runtime import logs
from services.runtime.clock import SystemClock
from services.runtime.kafka.broker import Reset
from services.runtime.kafka.commit import AtLeastOnce, Transactional, no_fault
from services.runtime.kafka.config import Connection, consumer_options, producer_options, transactional_options
from services.runtime.kafka.consumer import KafkaConsumer
from services.runtime.kafka.dead_letter import DeadLetters
from services.runtime.kafka.loop import Loop, Shape
from services.runtime.kafka.producer import KafkaProducer, KafkaTransactionalProducer
from services.runtime.kafka.types import CountKey, Outcome, Output, Partition, Prepared, Record
from tests.integration.dying import DiesAt
from tests.unit.runtime.kafka.rig import Meters


class Copy:
    """Writes each value to the sink, after `work_s` a batch; counts it."""

    def __init__(self, sink: str, work_s: float) -> None:
        self._sink = sink
        self._work_s = work_s

    def prepare(self, record: Record) -> bytes:
        if record.value == b"poison":
            raise Undecodable("cannot be read")
        if record.value == b"broken":
            raise Permanent("impossible", "ours, and of no use")
        return record.value

    def handle(self, items: Sequence[Prepared[bytes]]) -> Outcome:
        time.sleep(self._work_s)
        return Outcome(
            outputs=tuple(Output(self._sink, prepared.record.key, prepared.item) for prepared in items),
            counts={("", "handled"): len(items)},
        )

    def assigned(self, partitions: Collection[Partition]) -> None:
        sys.stdout.write("joined\n")
        sys.stdout.flush()

    def revoked(self, partitions: Collection[Partition]) -> None: ...

    def delivered(self, outcome: Outcome) -> None: ...

    def tick(self) -> Outcome:
        return Outcome()


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "source", "sink", "counts", "dead", "group", "transactional-id"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--die-at", default="")
    parser.add_argument("--die-after", type=int, default=3)
    parser.add_argument("--work-s", type=float, default=0.0)
    parser.add_argument("--max-batch", type=int, default=8)
    parser.add_argument("--max-poll-interval-ms", type=int, default=30_000)
    parser.add_argument("--at-least-once", action="store_true")
    arguments = parser.parse_args()
    logs.configure("worker", arguments.transactional_id, "WARNING")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    build(arguments).run(stop)


def build(arguments: argparse.Namespace) -> Loop[bytes]:
    connection = Connection(arguments.bootstrap, "worker")
    passing: list[str] = []
    consumer = KafkaConsumer(
        consumer_options(
            connection,
            group=arguments.group,
            reset=Reset.EARLIEST,
            max_poll_interval_ms=arguments.max_poll_interval_ms,
        ),
        passing.append,
    )
    faults = DiesAt(arguments.die_at, arguments.die_after) if arguments.die_at else no_fault
    incarnation = uuid4().hex.encode()

    def counts_record(cumulative: Mapping[CountKey, int]) -> Output:
        named = {name: number for (_, name), number in cumulative.items()}
        return Output(arguments.counts, incarnation, json.dumps(named).encode())

    transactional = transactional_options(connection, transactional_id=arguments.transactional_id)
    return Loop(
        Copy(arguments.sink, arguments.work_s),
        topics=[arguments.source],
        consumer=consumer,
        commits=AtLeastOnce(KafkaProducer(producer_options(connection), passing.append), faults=faults)
        if arguments.at_least_once
        else Transactional(KafkaTransactionalProducer(transactional, passing.append), faults=faults),
        shape=Shape(max_batch=arguments.max_batch),
        counts_record=counts_record,
        dead_letters=DeadLetters(
            record=lambda letter: Output(
                arguments.dead, None, f"{letter.reason}@{letter.position.offset}".encode()
            ),
            counts=lambda letter: {("", f"dead:{letter.reason}"): 1},
        ),
        metrics=Meters(),
        heartbeat=lambda: None,
        clock=SystemClock(),
    )


if __name__ == "__main__":
    main()

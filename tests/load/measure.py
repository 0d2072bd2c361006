"""What the benchmarks read off a running exercise: rates, latencies, and who used the processor."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import datetime

import psutil

from console.edges.kafka_read import KafkaReader
from services.contracts import codec, codec_fields, counts, topics
from services.contracts.counts import Count
from services.contracts.events import StageCounts


def records(bootstrap: str, topic: str) -> list[tuple[int, bytes]]:
    """Every committed record of a topic: the broker's time in ms, and the value."""
    with closing(KafkaReader(bootstrap)) as reader:
        return list(reader.timed_values(topic))


def stage_counts(bootstrap: str) -> list[StageCounts]:
    """All records of counts, in order."""
    events = (
        codec.open_clear(codec.peek(raw, topic=topics.COUNTS.name)) for _, raw in records(bootstrap, "counts")
    )
    return [event for event in events if isinstance(event, StageCounts)]


def rate(events: Iterable[StageCounts], name: Count, *, since: datetime, until: datetime) -> float:
    """A count's growth a second over the window, each incarnation by its own records' times."""
    seen: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for event in events:
        if since <= event.captured_at <= until:
            seen[event.event_id].append((event.captured_at, counts.by_name(event.totals)[name]))
    total = 0.0
    for points in seen.values():
        (first, low), (last, high) = points[0], points[-1]
        if last > first:
            total += (high - low) / (last - first).total_seconds()
    return total


def alert_latencies_ms(bootstrap: str, *, since: datetime) -> list[float]:
    """From capture to the alert's place on its topic, first revisions only: later ones wait for better shots."""
    found = []
    for at_ms, raw in records(bootstrap, topics.ALERTS.name):
        peeked = codec.peek(raw, topic=topics.ALERTS.name)
        if peeked.captured_at >= since and peeked.event_id.endswith(".r1"):
            found.append(at_ms - codec_fields.micros(peeked.captured_at) / 1000)
    return found


class CpuShares:
    """Processor seconds of our children by what they are, from its making to `shares`."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before = self._seconds()

    def shares(self) -> dict[str, float]:
        """Cores in use on average, by kind of process."""
        took = time.monotonic() - self._began
        after = self._seconds()
        return {
            kind: round((value - self._before.get(kind, 0.0)) / took, 3)
            for kind, value in sorted(after.items())
            if value - self._before.get(kind, 0.0) > 0.005 * took
        }

    @staticmethod
    def _seconds() -> dict[str, float]:
        found: defaultdict[str, float] = defaultdict(float)
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                used = process.cpu_times()
                found[kind_of(process.name(), process.cmdline())] += used.user + used.system
        return found


_KINDS = {
    "overhead_entry ingest": "ingest",
    "overhead_entry match": "match",
    "kafka.Kafka": "broker",
    "services.ingest": "ingest",
    "services.embed": "embed",
    "services.match": "match",
    "services.review": "review",
    "services.oversight": "oversight",
    "valkey": "redis",
    "ray::": "ray worker",
    "/ray/": "ray",
    "raylet": "ray",
    "gcs_server": "ray",
    "tests.load": "benchmark",
}


def kind_of(name: str, command: list[str]) -> str:
    """What a process is to us."""
    line = " ".join([name, *command])
    return next((kind for mark, kind in _KINDS.items() if mark in line), "other")


def cores() -> int:
    return len(os.sched_getaffinity(0))

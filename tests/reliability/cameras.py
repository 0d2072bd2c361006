"""Cameras that misbehave, a minute each and side by side: what they gave, and whether somebody was woken.

`python -m tests.reliability.cameras [--seconds 60] [--mode NAME ...]`, or `make cameras`. Readers, metrics, rules:
what ships, under a real Prometheus; leases are of a fake store. Writes build/cameras.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server

from console.stack.ports import free_ports
from services.contracts.authority import Authority
from services.ingest.cameras import Tools
from services.ingest.core.backoff import Backoff
from services.ingest.core.readings import Picture
from services.ingest.edges.reader_child import ReaderProcesses
from services.ingest.metrics import IngestMetrics
from services.ingest.outbox import Outbox, Run
from services.ingest.settings import IngestSettings
from services.ingest.sharing import Sharing
from services.runtime.clock import SystemClock
from services.runtime.metrics import new_registry
from tests.fakes.ingest import FakeLeases, FakeLeaseStore
from tests.fakes.standing import OpenStanding
from tests.integration.prometheus.server import Prometheus, program
from tests.reliability.misbehaving.modes import MODES, Mode
from tests.reliability.misbehaving.server import cameras

RATE_FPS = 5.0
# As the chart has it (values.yaml, monitoring.scrapeInterval).
_SCRAPE = "15s"
_LOOK_S = 0.1
_ALARMS = 'ALERTS{alertname=~"SignpostCamera.*",alertstate="firing"}'
_OUT = Path("build/cameras.json")
_JOB = "signpost-ingest"


@dataclass
class Result:
    """What came of one mode: the pictures from the first on, and whether the whole time had half of the rate."""

    pictures_per_s: float
    gave_its_rate: bool
    first_picture_after_s: float | None
    alarm_after_s: float | None
    clock_faults: dict[str, int]
    source_faults: list[str]

    @property
    def silent_without_alarm(self) -> bool:
        return not self.gave_its_rate and self.alarm_after_s is None


class _CountingOutbox(Outbox):
    """Counts what each camera gives; nobody takes anything out of it."""

    def __init__(self, metrics: IngestMetrics) -> None:
        super().__init__(frames_a_camera=1, metrics=metrics)
        self.given: Counter[str] = Counter()
        self.first_s: dict[str, float] = {}
        self.gaps: dict[str, set[str]] = {}

    def offer(self, run: Run, picture: Picture) -> None:
        self.given[run.camera.id] += 1
        self.first_s.setdefault(run.camera.id, time.monotonic())
        super().offer(run, picture)

    def count_gap(self, run: Run, reason: str) -> None:
        self.gaps.setdefault(run.camera.id, set()).add(reason)
        super().count_gap(run, reason)


def play(modes: Mapping[str, Mode], *, seconds: float, folder: Path, scrape: str = _SCRAPE) -> dict[str, Result]:
    """Read a camera of each mode for so long, under the alerts that ship. Needs Prometheus."""
    registry = new_registry()
    metrics = IngestMetrics(registry, list(modes))
    outbox = _CountingOutbox(metrics)
    fired: dict[str, float] = {}
    with (
        cameras(modes) as addresses,
        _exposed(registry) as port,
        _prometheus(folder, port, scrape) as prometheus,
        _sharing(_authority(addresses), metrics, outbox) as sharing,
    ):
        began_s = time.monotonic()
        look_s = 0.0
        while (passed_s := time.monotonic() - began_s) < seconds:
            sharing.turn()
            if passed_s >= look_s:
                look_s = passed_s + 1
                for labels, _ in prometheus.query(_ALARMS):
                    fired.setdefault(labels["camera"], round(passed_s, 1))
            time.sleep(_LOOK_S)  # what this measures is time
        ended_s = time.monotonic()
    return {
        name: Result(
            pictures_per_s=round(outbox.given[name] / (ended_s - outbox.first_s.get(name, began_s)), 2),
            gave_its_rate=outbox.given[name] >= seconds * RATE_FPS / 2,
            first_picture_after_s=_since(began_s, outbox.first_s.get(name)),
            alarm_after_s=fired.get(name),
            clock_faults=_clock_faults(registry, name),
            source_faults=sorted(outbox.gaps.get(name, ())),
        )
        for name in modes
    }


def _since(began_s: float, at_s: float | None) -> float | None:
    return None if at_s is None else round(at_s - began_s, 1)


def _clock_faults(registry: CollectorRegistry, camera: str) -> dict[str, int]:
    return {
        sample.labels["reason"]: int(sample.value)
        for family in registry.collect()
        if family.name == "signpost_ingest_clock_faults"
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels["camera"] == camera and sample.value
    }


def _authority(addresses: Mapping[str, str]) -> Authority:
    now = SystemClock().now()
    return Authority.model_validate(
        {
            "deployment": "misbehaving",
            "use_case": "exercise",
            "purpose": "what cameras do",
            "cameras": [
                {"id": name, "source": "rtsp", "address": address, "rate_fps": RATE_FPS}
                for name, address in addresses.items()
            ],
            "window": {"start": now, "end": now + timedelta(hours=1)},
            "watchlist": {"name": "none", "max_entries": 1, "score_kind": "raw", "thresholds": {1: 0.5}},
        }
    )


@contextmanager
def _sharing(authority: Authority, metrics: IngestMetrics, outbox: Outbox) -> Iterator[Sharing]:
    """Ingest's own settings, as they ship."""
    clock = SystemClock()
    fields = IngestSettings.model_fields
    stall_s = float(fields["stall_timeout_s"].default)
    tools = Tools(
        deployment=authority.deployment,
        sources=ReaderProcesses(timeout_s=stall_s * 0.8, max_source_px=40_000_000),
        outbox=outbox,
        metrics=metrics,
        clock=clock,
        stall_timeout_s=stall_s,
        backoff=Backoff(float(fields["restart_first_s"].default), float(fields["restart_max_s"].default)),
    )
    ttl_s = float(fields["lease_ttl_s"].default)
    leases = FakeLeases(FakeLeaseStore(clock), holder="ingest-a", ttl_s=ttl_s)
    standing = OpenStanding(authority, clock.now)
    sharing = Sharing(authority, standing, leases, tools, ttl_s=ttl_s, max_cameras=len(authority.cameras))
    try:
        yield sharing
    finally:
        sharing.stop_readings()


@contextmanager
def _exposed(registry: CollectorRegistry) -> Iterator[int]:
    (port,) = free_ports(1)
    server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def _prometheus(folder: Path, port: int, scrape: str) -> Iterator[Prometheus]:
    binary = program("prometheus")
    if binary is None:
        raise SystemExit("prometheus is not installed: apt-get install prometheus")
    with Prometheus(binary, folder, {_JOB: port}, scrape=scrape) as prometheus:
        yield prometheus


def summed_up(results: Mapping[str, Result]) -> dict[str, object]:
    """What is written."""
    silent = sorted(name for name, one in results.items() if one.silent_without_alarm)
    below = sorted(
        name
        for name, one in results.items()
        if MODES[name].gives is not None and one.pictures_per_s < RATE_FPS * (MODES[name].gives or 0)
    )
    return {
        "modes": len(results),
        "rate_fps": RATE_FPS,
        "pictures_per_s": {name: one.pictures_per_s for name, one in results.items()},
        "silent_without_alarm": len(silent),
        "without_alarm": silent,
        "below_what_they_should_give": below,
        "by_mode": {name: asdict(one) for name, one in results.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--mode", action="append", choices=sorted(MODES), help="only this one; may be repeated")
    parser.add_argument("--together", type=int, default=12, help="modes side by side: as many as the CPU decodes")
    told = parser.parse_args()
    modes = {name: MODES[name] for name in told.mode or MODES}
    results: dict[str, Result] = {}
    names = list(modes)
    for first in range(0, len(names), told.together):
        some = {name: modes[name] for name in names[first : first + told.together]}
        with tempfile.TemporaryDirectory() as folder:
            results |= play(some, seconds=told.seconds, folder=Path(folder))
    summary = summed_up(results)
    _OUT.parent.mkdir(exist_ok=True)
    _OUT.write_text(json.dumps(summary, indent=2) + "\n")
    for name, one in results.items():
        sys.stdout.write(
            f"{name:26} {one.pictures_per_s:5.2f}/s  alarm after {one.alarm_after_s or '-':>5} s  "
            f"{one.clock_faults or ''} {', '.join(one.source_faults)}\n"
        )
    sys.stdout.write(f"{len(results)} modes, silent without alarm: {summary['silent_without_alarm']} ({_OUT})\n")
    return 1 if summary["silent_without_alarm"] or summary["below_what_they_should_give"] else 0


if __name__ == "__main__":
    sys.exit(main())

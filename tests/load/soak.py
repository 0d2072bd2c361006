"""`make soak MINUTES=20`: the whole pipeline at full load; memory and disk stay flat. Writes build/soak.json.

Memory is PSS, which counts shared pages once: each process's mean over the last third of the run may be at most
1.05 times its first third's, once warm. Disk goes up and down (segments, rewritten logs): its highest in the
second half may be at most 1.1 times that of the first.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from console.run.exercise import Exercise
from services.contracts.counts import Count, Stage
from tests.load.bench import HOME, as_fast_as_taken, exercise, rounded
from tests.load.content import DESCRIPTION, write_folders
from tests.load.measure import kind_of, rate, stage_counts

RESULT = Path("build/soak.json")
MAX_GROWTH = 1.05
MAX_DISK_GROWTH = 1.1
FACES = 3
# One camera sees people who are on the list, over and over. Alerts are kept for a day, and what is known of a case
# as long: with every camera raising them all the time both would grow for a day before they are flat.
SEEING_LISTED = 1
_LOOK_EVERY_S = 10.0
# Nobody decides: a case lives for so long, its pictures for so much longer, and all are over several times in the
# run. At their defaults (2, 5 and 15 minutes) little of it would have ended before the run has.
_SOON = {"decide_within_s": 60, "fold_within_s": 30}
_GONE_SOON = {"CLOSED_PICTURES_S": "30"}
# Networks are compiled, caches filled, the JVM's heap grown, segments rolled for the first time.
_WARM_UP_SHARE = 0.2


def pss_mib() -> dict[str, float]:
    """PSS of each process of ours, by what it is and its pid."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            kind = kind_of(process.name(), process.cmdline())
            if kind not in ("other", "benchmark"):
                found[f"{kind}:{process.pid}"] = process.memory_full_info().pss / 2**20
    return found


def disk_mib(running: Exercise) -> dict[str, float]:
    """What Kafka and the Redis servers hold on disk."""
    stack = running.home / "stack"
    return {name.name: _size(name) / 2**20 for name in sorted(stack.iterdir()) if name.is_dir()}


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        # Segments come and go while we look.
        with suppress(FileNotFoundError):
            total += path.stat().st_blocks * 512
    return total


def growth(samples: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """By name: mean of the first and of the last third, and their ratio. Only what lived all the time."""
    third = max(1, len(samples) // 3)
    told = {}
    for name in set.intersection(*(set(sample) for sample in samples)):
        first = statistics.mean(sample[name] for sample in samples[:third])
        last = statistics.mean(sample[name] for sample in samples[-third:])
        told[name] = {"first_third_mib": first, "last_third_mib": last, "ratio": last / first if first else 1.0}
    return dict(sorted(told.items()))


def peaks(samples: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """By name: the highest of each half, and their ratio."""
    half = max(1, len(samples) // 2)
    told = {}
    for name in set.intersection(*(set(sample) for sample in samples)):
        first = max(sample[name] for sample in samples[:half])
        last = max(sample[name] for sample in samples[half:] or samples)
        told[name] = {"first_half_mib": first, "second_half_mib": last, "ratio": last / first if first else 1.0}
    return dict(sorted(told.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    minutes = parser.parse_args().minutes
    folders = write_folders(HOME / "content", FACES, seeing_listed=SEEING_LISTED)
    cameras = as_fast_as_taken(folders)
    memory: list[dict[str, float]] = []
    disk: list[dict[str, float]] = []
    with exercise("soak", cameras, verification=_SOON, review=_GONE_SOON) as running:
        running.start(Stage.REVIEW, Stage.MATCH, Stage.EMBED, Stage.INGEST)
        time.sleep(60 * minutes * _WARM_UP_SHARE)
        began = datetime.now(UTC)
        ends = time.monotonic() + 60 * minutes * (1 - _WARM_UP_SHARE)
        while time.monotonic() < ends:
            memory.append(pss_mib())
            disk.append(disk_mib(running))
            print(f"{datetime.now(UTC):%H:%M:%S}  {sum(memory[-1].values()):8.0f} MiB PSS  {disk[-1]}", flush=True)
            time.sleep(_LOOK_EVERY_S)
        counted = stage_counts(running.stack.kafka.bootstrap)
        fps = rate(counted, Count.FRAMES_DECODED, since=began, until=datetime.now(UTC))
        running.services[Stage.INGEST].stop()
        reconciles = running.statement().reconciles
    result = report(memory, disk, minutes=minutes, fps=fps, reconciles=reconciles)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rounded(result), indent=2) + "\n")
    print(json.dumps(rounded(result), indent=2))
    raise SystemExit(0 if result["flat"] and result["disk_bounded"] and result["reconciles"] else 1)


def report(
    memory: Sequence[Mapping[str, float]],
    disk: Sequence[Mapping[str, float]],
    *,
    minutes: float,
    fps: float,
    reconciles: bool,
) -> dict[str, Any]:
    """The figures, and whether they are flat."""
    of_memory, of_disk = growth(memory), peaks(disk)
    died = sorted(set().union(*memory) - set(of_memory))
    return {
        "minutes": minutes,
        "content": DESCRIPTION | {"faces": FACES, "cameras_seeing_listed": SEEING_LISTED},
        "fps": fps,
        "pss": of_memory,
        "disk_peaks": of_disk,
        "came_or_went": died,
        "worst_ratio": max(one["ratio"] for one in of_memory.values()),
        "flat": all(one["ratio"] <= MAX_GROWTH for one in of_memory.values()),
        "disk_bounded": all(one["ratio"] <= MAX_DISK_GROWTH for one in of_disk.values()),
        "reconciles": reconciles,
    }


if __name__ == "__main__":
    main()

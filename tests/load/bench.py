"""`make bench`: the whole pipeline against what a user would pick instead, in one run on the same content.

Prints for people and writes build/bench.json. Absolute rates belong to the machine they were measured on; the
ratios are what carries over. Each side uses the same two cores.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from console.demo.people import demo_accounts, write_people
from console.run.deployment import ExerciseCamera
from console.run.exercise import Exercise, Setup
from console.sample.blue_list import write_blue_list
from services.contracts.authority import Pace
from services.contracts.counts import Count, Stage
from tests.load.content import CAMERAS, DESCRIPTION, FPS, PICTURES, write_folders
from tests.load.measure import CpuShares, alert_latencies_ms, cores, rate, stage_counts

HOME = Path("build/bench")
RESULT = Path("build/bench.json")
PROCESSES = 2
_WARM_UP_S = 12.0
# The first window's end is cut off, so that a batch's end does not fall outside it.
_EDGE_S = 1.0


@dataclass(frozen=True)
class Rates:
    """What one side did."""

    frames_per_s: float
    faces_per_s: float


def loop_rates(name: str, faces: int, seconds: float) -> Rates:
    """A plain loop, as two processes at once."""
    command = [sys.executable, "-m", "tests.load.loops", name, str(faces), str(seconds)]
    running = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for _ in range(PROCESSES)
    ]
    for one in running:
        assert one.stdout is not None
        if one.stdout.readline() != "ready\n":
            raise SystemExit(f"{' '.join(command)} did not start: run it by hand to see why")
    found = [json.loads(one.communicate("go\n")[0]) for one in running]
    return Rates(
        sum(one["frames"] / one["seconds"] for one in found),
        sum(one["faces"] / one["seconds"] for one in found),
    )


def exercise(
    name: str,
    cameras: Sequence[ExerciseCamera],
    *,
    modules: Mapping[str, Sequence[str]] = MappingProxyType({}),
    verification: Mapping[str, Any] = MappingProxyType({}),
    ingest: Mapping[str, str] = MappingProxyType({}),
    review: Mapping[str, str] = MappingProxyType({}),
) -> Exercise:
    """The whole pipeline on these cameras: Ray, two workers, a real list. `ingest` and `review` are settings of
    theirs, `modules` run a stage's service in place of its own."""
    home = HOME / name
    for stale in ("stack", "keys"):
        shutil.rmtree(home / stale, ignore_errors=True)
    write_blue_list(home / "list", PICTURES, now=datetime.now(UTC))
    write_people(home / "people.yaml", demo_accounts())
    return Exercise(
        Setup(
            deployment=f"bench-{name}",
            cameras=cameras,
            list_dir=home / "list",
            people_file=home / "people.yaml",
            home=home,
            ray_workers=PROCESSES,
            modules=modules,
            verification=verification,
            extra={Stage.INGEST: ingest, Stage.EMBED: {"MIN_WORKERS": str(PROCESSES)}, Stage.REVIEW: review},
        )
    )


def as_fast_as_taken(folders: Sequence[Path]) -> list[ExerciseCamera]:
    """A camera for each folder, over and over, at the pipeline's own pace."""
    return [
        ExerciseCamera(f"camera-{place}", folder, rate_fps=FPS, loop=True, pace=Pace.AS_FAST_AS_TAKEN)
        for place, folder in enumerate(folders, start=1)
    ]


@contextmanager
def a_neighbour() -> Iterator[None]:
    """While inside, another process uses as much of the processor as it is given."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
        try:
            yield
        finally:
            neighbour.kill()


@dataclass(frozen=True)
class Pipeline:
    """What the pipeline did alone, beside a neighbour, and who used the processor while it was alone."""

    alone: Rates
    beside: Rates
    cores: dict[str, float]


def pipeline_rates(faces: int, seconds: float, *, every_face: bool) -> Pipeline:
    """Sixteen cameras as fast as the pipeline takes them."""
    cameras = as_fast_as_taken(write_folders(HOME / "content", faces))
    name, modules = ("every", {str(Stage.EMBED): ("tests.load.every_face",)}) if every_face else ("full", {})
    with exercise(f"{name}-{faces}", cameras, modules=modules) as running:
        running.start(Stage.MATCH, Stage.EMBED)
        running.start(Stage.INGEST)
        time.sleep(_WARM_UP_S)
        alone, cores_used = window(running, seconds)
        with a_neighbour():
            time.sleep(_EDGE_S)
            beside, _ = window(running, seconds)
    return Pipeline(alone, beside, cores_used)


def window(running: Exercise, seconds: float) -> tuple[Rates, dict[str, float]]:
    """The pipeline's rates over so long, and who used the processor."""
    began, shares = datetime.now(UTC), CpuShares()
    time.sleep(seconds)
    used, ended = shares.shares(), datetime.now(UTC)
    counted = stage_counts(running.stack.kafka.bootstrap)
    until = ended - timedelta(seconds=_EDGE_S)
    return Rates(
        rate(counted, Count.FRAMES_DECODED, since=began, until=until),
        rate(counted, Count.FACES_DETECTED, since=began, until=until),
    ), used


def latencies_ms(faces: int, seconds: float, *, pipeline_fps: float) -> tuple[list[float], dict[str, float]]:
    """Capture to alert at half the pipeline's rate: as many cameras in real time as make half of it."""
    wanted = pipeline_fps / 2
    number = max(1, min(CAMERAS, int(wanted / FPS)))
    cameras = [
        ExerciseCamera(f"camera-{place}", folder, rate_fps=FPS, loop=True)
        for place, folder in enumerate(write_folders(HOME / "content", faces)[:number], start=1)
    ]
    with exercise(f"latency-{faces}", cameras) as running:
        running.start(Stage.MATCH, Stage.EMBED)
        running.start(Stage.INGEST)
        time.sleep(_WARM_UP_S)
        began = datetime.now(UTC)
        time.sleep(seconds)
        found = alert_latencies_ms(running.stack.kafka.bootstrap, since=began)
    return found, {"cameras": number, "offered_fps": number * FPS}


def measure(faces: int, seconds: float) -> dict[str, Any]:
    """Every figure for one number of faces in the frame."""
    figures: dict[str, Any] = {}
    for name in ("dlib", "opencv"):
        figures[f"{name}_fps"] = loop_rates(name, faces, seconds).frames_per_s
        say(faces, f"{name}_fps", figures[f"{name}_fps"])
    # The bare loop before and after: the machine drifts, and everything is held against it.
    before = loop_rates("bare", faces, seconds)
    every_face = pipeline_rates(faces, seconds, every_face=True)
    every = every_face.alone
    say(faces, "pipeline_every_face_fps", every.frames_per_s)
    shipped = pipeline_rates(faces, seconds, every_face=False)
    full = shipped.alone
    say(faces, "pipeline_fps", full.frames_per_s)
    with a_neighbour():
        opencv_beside = loop_rates("opencv", faces, seconds).frames_per_s
    after = loop_rates("bare", faces, seconds)
    bare = (before.frames_per_s + after.frames_per_s) / 2
    say(faces, "bare_fps", bare)
    found, load = latencies_ms(faces, 2 * seconds, pipeline_fps=full.frames_per_s)
    figures |= {
        "bare_fps": bare,
        "bare_fps_before_after": [before.frames_per_s, after.frames_per_s],
        "pipeline_every_face_fps": every.frames_per_s,
        "pipeline_every_face_faces_per_s": every.faces_per_s,
        "pipeline_fps": full.frames_per_s,
        "pipeline_faces_per_s": full.faces_per_s,
        "every_face_to_bare": every.frames_per_s / bare,
        "pipeline_to_opencv": full.frames_per_s / figures["opencv_fps"],
        "pipeline_to_dlib": full.frames_per_s / figures["dlib_fps"],
        "latency_p50_ms": statistics.median(found),
        "latency_p95_ms": statistics.quantiles(found, n=20)[-1],
        "latency_alerts": len(found),
        "latency_load": load,
        "cpu_cores_every_face": every_face.cores,
        "cpu_cores": shipped.cores,
        # What is left of each rate beside a neighbour: nobody may lose more than the neighbour takes.
        "beside_opencv": opencv_beside / figures["opencv_fps"],
        "beside_every_face": every_face.beside.frames_per_s / every.frames_per_s,
        "beside_pipeline": shipped.beside.frames_per_s / full.frames_per_s,
    }
    return figures


def say(faces: int, name: str, value: float) -> None:
    print(f"  {faces} face(s)  {name:<28} {value:10.2f}", flush=True)


def rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 3)
        case dict():
            return {name: rounded(one) for name, one in value.items()}
        case list():
            return [rounded(one) for one in value]
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="each side is measured for so long")
    seconds = parser.parse_args().seconds
    print(f"{cores()} cores; content: {DESCRIPTION}")
    result: dict[str, Any] = {"content": DESCRIPTION, "cores": cores(), "processes_a_side": PROCESSES}
    for faces, suffix in ((3, ""), (1, "_1")):
        result |= {f"{name}{suffix}": value for name, value in measure(faces, seconds).items()}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rounded(result), indent=2) + "\n")
    for name, value in rounded(result).items():
        print(f"{name:<34} {value}")


if __name__ == "__main__":
    main()

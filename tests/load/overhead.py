"""`make overhead`: what the checks and the encryption cost, the whole pipeline with them and without in turn.

One run of the pipeline, whose guards are the real ones and null ones in alternate windows of 15 seconds
(overhead_guards.py), so that machine, content and caches are the same for both. Prints for people and writes
build/overhead.json.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from console.edges.kafka_admin import KafkaAdmin
from console.edges.kafka_read import KafkaReader
from console.topics.plan import SetConfig
from services.contracts import codec, topics
from services.contracts.counts import Count, Stage
from services.contracts.errors import Undecodable
from tests.fakes.nulls import NULL_KEY, NullCipher
from tests.load import meter
from tests.load.bench import HOME, as_fast_as_taken, exercise, rounded
from tests.load.content import DESCRIPTION, write_folders
from tests.load.measure import CpuShares, cores, rate, stage_counts
from tests.load.overhead_guards import METERS, WINDOW_S, is_on
from tests.load.paired import compare, enough

RESULT = Path("build/overhead.json")
AIM = 0.03
_WARM_UP_S = 20.0
# What was captured in the window before should be through by then; `strays` tells how much was not. Each stray
# counts for the wrong side, so a share of them hides twice that share of the difference.
_SETTLED_S = 6.0
_FEW_STRAYS = 0.03
# When a segment of `counts` is closed only its last word is kept; here each is wanted, of the whole run.
_KEEP_COUNTS = timedelta(days=1)
# Frames of a partition on their way, so that they are soon through: 96 in all, where two workers fetch 64 ahead.
_IN_FLIGHT = {"MAX_BACKLOG_FRAMES": "6"}


@dataclass(frozen=True)
class Window:
    """Some seconds in which all that was captured had the same guards."""

    since: datetime
    until: datetime
    cpu: dict[str, float]
    """Cores in use, by kind of process."""


def keep_counts(bootstrap: str) -> None:
    """Have the broker keep every record of `counts` for as long as this runs."""
    was, becomes = (str(span // timedelta(milliseconds=1)) for span in (topics.COUNTS.segment, _KEEP_COUNTS))
    KafkaAdmin(bootstrap).set_config(SetConfig(topics.COUNTS.name, "segment.ms", was, becomes))


def windows(count: int) -> list[Window]:
    """The next ones, with and without in turn; blocks until they are over."""
    first = math.ceil(time.time() / (2 * WINDOW_S)) * 2 * WINDOW_S
    found = []
    for number in range(count):
        _sleep_until(first + number * WINDOW_S + _SETTLED_S)
        since, used = datetime.now(UTC), CpuShares()
        _sleep_until(first + (number + 1) * WINDOW_S)
        found.append(Window(since, datetime.now(UTC), used.shares()))
    return found


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.time()))


@dataclass(frozen=True)
class Faces:
    """The faces still on their topic: do we measure what we say?"""

    lie: Counter[tuple[str, str]]
    """How many, by (with or without guards, sealed or clear)."""
    lag_s: list[float]
    """From capture to there."""
    strayed: list[bool]
    """Of those that came there while a window was measured: whether they had been captured before it began."""


def faces_seen(bootstrap: str, deployment: str, *, since: datetime) -> Faces:
    found = Faces(Counter(), [], [])
    with closing(KafkaReader(bootstrap)) as reader:
        for at_ms, raw in reader.timed_values(topics.FACES.name):
            peeked = codec.peek(raw, topic=topics.FACES.name)
            if peeked.deployment == deployment and peeked.captured_at >= since:
                found.lie["on" if is_on(peeked.captured_at) else "off", _how_it_lies(peeked)] += 1
                lag_s = at_ms / 1000 - peeked.captured_at.timestamp()
                found.lag_s.append(lag_s)
                into_window_s = at_ms / 1000 % WINDOW_S
                if into_window_s >= _SETTLED_S:
                    found.strayed.append(lag_s > into_window_s)
    return found


def _how_it_lies(peeked: codec.Peeked) -> str:
    try:
        codec.open_sealed(peeked, key=NULL_KEY, cipher=NullCipher())
    except Undecodable:
        return "sealed"
    return "clear"


def report(measured: Sequence[Window], frames: Sequence[float]) -> dict[str, Any]:
    """The figures; `frames` a second of each window."""
    found = compare(list(zip(frames[::2], frames[1::2], strict=True)))
    on, off = measured[::2], measured[1::2]
    spent_on, spent_off = _spent(on), _spent(off)
    used_on, used_off = sum(map(_ours, on)), sum(map(_ours, off))
    shares = {str(part): spent_on[part] / used_on for part in meter.Part}
    return {
        "on_to_off": found.median,
        "interval": list(found.interval),
        "interval_confidence": found.confidence,
        "cpu_share": sum(shares.values()),
        "cpu_share_parts": shares,
        "cpu_share_of_nulls": sum(spent_off.values()) / used_off,
        "cpu_a_frame_on_to_off": (used_on / sum(frames[::2])) / (used_off / sum(frames[1::2])),
        "pairs": len(on),
        "window_s": WINDOW_S - _SETTLED_S,
        "fps_on": frames[::2],
        "fps_off": frames[1::2],
        "cpu_cores_on": _mean_of(on),
        "cpu_cores_off": _mean_of(off),
        "within_aim": 1 - found.median < AIM,
    }


def _spent(of: Sequence[Window]) -> Counter[meter.Part]:
    """Cores in use by what is measured, all windows together."""
    spent: Counter[meter.Part] = Counter()
    for window in of:
        spent.update(meter.spent(METERS, since=window.since.timestamp(), until=window.until.timestamp()))
    return spent


def _ours(window: Window) -> float:
    return sum(used for kind, used in window.cpu.items() if kind not in ("other", "benchmark"))


def _mean_of(of: Sequence[Window]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for window in of:
        total.update(window.cpu)
    return {kind: used / len(of) for kind, used in sorted(total.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--faces", type=int, default=3, help="in view of each camera")
    given = parser.parse_args()
    if not enough(given.pairs):
        parser.error(f"--pairs: {given.pairs} are too few for an interval, six are needed")
    shutil.rmtree(METERS, ignore_errors=True)
    cameras = as_fast_as_taken(write_folders(HOME / "content", given.faces))
    modules = {
        str(stage): ("tests.load.overhead_entry", str(stage)) for stage in (Stage.INGEST, Stage.EMBED, Stage.MATCH)
    }
    print(f"{cores()} cores; {given.faces} faces; {DESCRIPTION}", flush=True)
    with exercise("overhead", cameras, modules=modules, ingest=_IN_FLIGHT) as running:
        keep_counts(running.stack.kafka.bootstrap)
        running.start(Stage.MATCH, Stage.EMBED)
        running.start(Stage.INGEST)
        time.sleep(_WARM_UP_S)
        measured = windows(2 * given.pairs)
        counted = stage_counts(running.stack.kafka.bootstrap)
        faces = faces_seen(running.stack.kafka.bootstrap, running.deployment, since=measured[0].since)
    frames = [rate(counted, Count.FRAMES_DECODED, since=one.since, until=one.until) for one in measured]
    if not all(frames):
        raise SystemExit(f"no frame was counted in {frames.count(0.0)} of {len(frames)} windows: see {HOME}")
    result = {"content": DESCRIPTION | {"faces": given.faces}, "cores": cores()} | report(measured, frames)
    strays = statistics.mean(faces.strayed)
    result |= {"lag_p95_s": statistics.quantiles(faces.lag_s, n=20)[-1]}
    result |= {"strays": strays, "settled": strays < _FEW_STRAYS}
    result["faces"] = {f"{guards}_{how}": number for (guards, how), number in sorted(faces.lie.items())}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rounded(result), indent=2) + "\n")
    for name, value in rounded(result).items():
        print(f"{name:<24} {value}")
    if not result["settled"]:
        print("too many frames of one window were still under way in the next: measure again on a quieter machine")
    if set(faces.lie) != {("on", "sealed"), ("off", "clear")}:
        raise SystemExit("the guards were not on and off when they should have been: the figures mean nothing")


if __name__ == "__main__":
    main()

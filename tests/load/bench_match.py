"""Exact search as a share of what the machine can do: `python -m tests.load.bench_match`.

At batch 32 the bound is multiplication: the rate of the best plain float32 product of two square matrices. At
batch 1 every entry is read once for two operations a number: the bound is memory (or, for a list that fits,
cache) bandwidth, taken from reading the same list with the fastest plain reduction. Bound and search are timed
in turns within the same milliseconds, so that a busy machine slows both; the share is the median of the turns'
ratios, the rates are medians of their own.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.contracts import ids, scoring
from services.contracts.events import ScoreKind
from services.contracts.sealed.standing import Term
from services.match.core.matrix import ListMatrix
from services.match.core.search import search

Floats = npt.NDArray[np.float32]
Seconds = npt.NDArray[np.float64]

ENTRIES = (1_000, 10_000, 100_000)
BATCHES = (1, 32)
LENGTH = 128
# Nearly every search of a deployment ends without a hit: the threshold of a list of a thousand.
THRESHOLD = {ScoreKind.RAW: 0.55, ScoreKind.GALLERY_NORMALISED: 0.365}
_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
# A square product this large runs at the machine's best rate, and takes some 30 ms.
_SQUARE = 1024
# Turns of bound and search; the median of their ratio counts. Small sizes are repeated within a turn.
_TURNS = 41
_TURN_S = 0.004
REPORT = Path("build/bench-match.json")


@dataclass(frozen=True)
class Figure:
    """One size. `share` is of `bound`: gemm in Gflop/s, bandwidth in GB/s, `reached` in the same unit."""

    entries: int
    batch: int
    score_kind: str
    search_ms: float
    faces_per_s: float
    bound: str
    bound_rate: float
    reached: float
    share: float


def main() -> None:
    """Measure, print, write."""
    threads = os.cpu_count() or 1
    print(f"exact search, {LENGTH} numbers a template, {threads} cores; median of {_TURNS} turns of each")
    print(f"{'entries':>8} {'batch':>5} {'scores':>18} {'ms':>9} {'faces/s':>9}  share of the machine's")
    figures = [_figure(entries, batch, kind) for entries, batch, kind in product(ENTRIES, BATCHES, ScoreKind)]
    REPORT.parent.mkdir(exist_ok=True)
    document = {
        "template_length": LENGTH,
        "cores": threads,
        "machine": platform.machine(),
        "numpy": np.__version__,
        "turns": _TURNS,
        "figures": [asdict(figure) for figure in figures],
    }
    REPORT.write_text(json.dumps(document, indent=2) + "\n")
    print(f"written to {REPORT}")


def _figure(entries: int, batch: int, kind: ScoreKind) -> Figure:
    rng = np.random.default_rng(entries + batch)
    matrix = _matrix(_unit(rng, entries), kind)
    faces = list(_unit(rng, batch))
    thresholds = [THRESHOLD[kind]] * batch
    bound = _gemm(rng) if batch > 1 else _bandwidth(matrix.rows)
    turns = _in_turns(bound.run, lambda: search(matrix, faces, thresholds, at=_NOW))
    bound_s, search_s = np.median(turns, axis=0).tolist()
    work = 2.0 * entries * batch * LENGTH if batch > 1 else float(matrix.rows.nbytes)
    rate, reached = bound.work / bound_s / 1e9, work / search_s / 1e9
    share = float(np.median(turns[:, 0] / turns[:, 1])) * work / bound.work
    figure = Figure(
        entries, batch, kind.value, 1000 * search_s, batch / search_s, bound.name, rate, reached, share
    )
    _print(figure)
    return figure


@dataclass(frozen=True)
class _Bound:
    """Something the machine does at its best rate, and how much of it a run is."""

    name: str
    work: float
    run: Callable[[], object]


def _gemm(rng: np.random.Generator) -> _Bound:
    left, right = _normal(rng, _SQUARE, _SQUARE), _normal(rng, _SQUARE, _SQUARE)
    out = np.empty((_SQUARE, _SQUARE), dtype=np.float32)
    return _Bound("gemm, Gflop/s", 2.0 * _SQUARE**3, lambda: np.matmul(left, right, out=out))


def _bandwidth(rows: Floats) -> _Bound:
    """Reading the list once, by BLAS's product with one vector: one pass, two operations a number."""
    vector = np.ones(rows.shape[1], dtype=np.float32)
    out = np.empty(rows.shape[0], dtype=np.float32)
    return _Bound("read, GB/s", float(rows.nbytes), lambda: np.matmul(rows, vector, out=out))


def _in_turns(one: Callable[[], object], other: Callable[[], object]) -> Seconds:
    """Seconds of a call of each, [turns, 2]; a turn's two stand side by side in time."""
    calls = [(call, _repeats(call)) for call in (one, other)]
    return np.array([[_seconds(call, count) for call, count in calls] for _ in range(_TURNS)])


def _repeats(call: Callable[[], object]) -> int:
    call()
    return max(1, round(_TURN_S / max(_seconds(call, 1), 1e-7)))


def _seconds(call: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - began) / count


def _matrix(rows: Floats, kind: ScoreKind) -> ListMatrix:
    return ListMatrix(
        digest="bench",
        model_id="bench",
        score_kind=kind,
        cohort_size=scoring.COHORT_SIZE,
        cohort_weight=scoring.COHORT_WEIGHT,
        tokens=tuple(ids.SubjectToken(str(number)) for number in range(len(rows))),
        rows=rows,
        terms=(Term(_NOW, _NOW + _DAY, _NOW + _DAY),) * len(rows),
    )


def _unit(rng: np.random.Generator, count: int) -> Floats:
    raw = _normal(rng, count, LENGTH)
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), dtype=np.float32)


def _normal(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    return rng.standard_normal((rows, columns), dtype=np.float32)


def _print(figure: Figure) -> None:
    print(
        f"{figure.entries:>8} {figure.batch:>5} {figure.score_kind:>18} {figure.search_ms:>9.3f} "
        f"{figure.faces_per_s:>9.0f}  {figure.share:>4.0%} of {figure.bound_rate:.0f} ({figure.bound})"
    )


if __name__ == "__main__":
    main()

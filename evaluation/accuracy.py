"""`python -m evaluation.accuracy --faces DIR`: how many are found at a rate of false alarms, and the
thresholds for it, by list size, kind of score and number of shots."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from evaluation.faces import read_faces
from evaluation.protocol import Faces, SearchScores, Trial, draw, search
from evaluation.rates import Rate, fpir, tpir
from evaluation.thresholds import alarmed, at_rate, for_tracks, pooled
from services.contracts.events import ScoreKind
from services.contracts.scoring import MIN_NORMALISED_GALLERY
from services.embed.model.compile import RuntimeOptions
from services.embed.model.registry import load_detector, load_recogniser


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured. `stages` are the numbers of shots at which a growing track is searched."""

    sizes: tuple[int, ...]
    stages: tuple[int, ...]
    rates: tuple[float, ...]
    enrolled: int
    galleries: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """One operating point. Tracks of `shots` were searched at each stage up to it.

    `search_threshold` gives the rate to the last search alone; `track_thresholds`, by stage, give it to
    the track as a whole. The rates are the track's, `found` and `false_alarms` of the first list.
    """

    score_kind: str
    gallery_size: int
    shots: int
    fpir: float
    search_threshold: float
    track_thresholds: dict[int, float]
    threshold_sd: float
    tpir_mean: float
    tpir_sd: float
    found: Rate
    false_alarms: Rate
    strangers_pooled: int


def measure(faces: Faces, plan: Plan) -> Iterator[Row]:
    """Every operating point of `plan`; what the faces are too few for is left out."""
    for size in plan.sizes:
        for last, shots in enumerate(plan.stages):
            stages = plan.stages[: last + 1]
            for kind in ScoreKind:
                normalised = kind is ScoreKind.GALLERY_NORMALISED
                if normalised and size < MIN_NORMALISED_GALLERY:
                    continue
                try:
                    trials = [
                        search(_draw(faces, plan, size, shots, i), stages, normalised=normalised)
                        for i in range(plan.galleries)
                    ]
                    for rate in plan.rates:
                        yield _row(trials, kind, size, stages, rate)
                except ValueError as too_few:
                    print(f"left out: {kind}, list of {size}, {shots} shots: {too_few}")


def _draw(faces: Faces, plan: Plan, size: int, shots: int, number: int) -> Trial:
    rng = np.random.default_rng([plan.seed, size, shots, number])
    return draw(faces, rng, gallery_size=size, enrolled=plan.enrolled, shots=shots)


def _row(trials: list[SearchScores], kind: ScoreKind, size: int, stages: tuple[int, ...], rate: float) -> Row:
    every = pooled(trials)
    limits = for_tracks(every.strangers, rate)
    found = [alarmed(trial.own, limits) for trial in trials]
    own_limits = [np.quantile(trial.strangers[-1], 1 - rate) for trial in trials]
    return Row(
        score_kind=kind.value,
        gallery_size=size,
        shots=stages[-1],
        fpir=rate,
        search_threshold=at_rate(every.strangers[-1], rate),
        track_thresholds=dict(zip(stages, limits, strict=True)),
        threshold_sd=float(np.std(own_limits)),
        tpir_mean=float(np.mean([f.mean() for f in found])),
        tpir_sd=float(np.std([f.mean() for f in found])),
        found=tpir(found[0]),
        false_alarms=fpir(alarmed(trials[0].strangers, limits)),
        strangers_pooled=every.strangers.shape[1],
    )


def _text(row: Row) -> str:
    limits = " ".join(f"{shots}:{limit:.3f}" for shots, limit in row.track_thresholds.items())
    return (
        f"{row.score_kind:18} N={row.gallery_size:<5} shots={row.shots} FPIR={row.fpir:<6g} "
        f"threshold {row.search_threshold:.3f} (sd {row.threshold_sd:.3f}), over the track {limits:27} "
        f"TPIR {row.tpir_mean:.4f} sd {row.tpir_sd:.4f}, first list {row.found}; "
        f"FPIR of it {row.false_alarms} ({row.false_alarms.hits}/{row.false_alarms.trials}, "
        f"{row.strangers_pooled} pooled)"
    )


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure a recogniser on a folder with a folder a person.")
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--model", default="sface")
    parser.add_argument("--models-dir", type=Path, default=Path(".cache/assets/models"))
    parser.add_argument("--cache-dir", type=Path, default=Path(".cache/compiled"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pad-px", type=int, default=0, help="replicate the border of tight crops")
    parser.add_argument("--sizes", type=int, nargs="+", default=[30, 100, 500])
    parser.add_argument("--shots", type=int, nargs="+", default=[1, 3, 5])
    parser.add_argument("--fpir", type=float, nargs="+", default=[0.01, 0.001])
    parser.add_argument("--enrolled", type=int, default=1, help="pictures averaged for each list entry")
    parser.add_argument("--galleries", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the rows here too")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table. Raises Misconfigured for a model that cannot be loaded."""
    arguments = _arguments(argv)
    options = RuntimeOptions(cache_dir=arguments.cache_dir, intra_op_threads=arguments.threads)
    detector = load_detector(arguments.models_dir, options)
    recogniser = load_recogniser(arguments.model, arguments.models_dir, options)
    faces, without = read_faces(arguments.faces, detector, recogniser, pad_px=arguments.pad_px)
    people = int(faces.subjects.max()) + 1
    print(f"{recogniser.model_id} on {recogniser.info.engine} {recogniser.info.precision}")
    print(f"{len(faces.subjects)} faces of {people} people; {without} pictures without a face")
    plan = Plan(
        sizes=tuple(arguments.sizes),
        stages=tuple(sorted(arguments.shots)),
        rates=tuple(arguments.fpir),
        enrolled=arguments.enrolled,
        galleries=arguments.galleries,
        seed=arguments.seed,
    )
    rows = []
    for row in measure(faces, plan):
        rows.append(row)
        print(_text(row), flush=True)
    if arguments.json:
        report = {"model_id": recogniser.model_id, "plan": asdict(plan), "rows": [asdict(r) for r in rows]}
        arguments.json.write_text(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

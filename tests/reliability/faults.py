"""`make faults`: kill everything at least once while known people walk past, and count what is lost."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from console.ledger.table import as_table
from services.contracts.counts import Count
from tests.reliability.chaos import Chaos, Plan, Report
from tests.reliability.doom import Doom

FIGURES = Path("build/faults.json")

# By kind of process: what its lives die of, one after another. Numbers are deliveries (match and worker: a batch;
# review: a batch of alerts or of the outbox), so that each life has seen some work.
DOOMS = {
    "match": (
        Doom("before_produce", 15),
        Doom("after_produce", 20),
        Doom("before_commit", 15),
        Doom("after_commit", 20),
    ),
    "worker": (
        Doom("before_produce", 50),
        Doom("after_produce", 40),
        Doom("before_commit", 40),
        Doom("after_commit", 40),
    ),
    "review": (
        Doom("after_produce", 10),
        Doom("before_outbox_produce", 4),
        Doom("after_commit", 10),
        Doom("before_outbox_remove", 4),
    ),
}
AT_RANDOM = (
    *("ingest", "embed", "broker", "oversight", "redis_durable", "redis_volatile", "worker", "match"),
    *("ingest", "embed", "broker", "oversight", "redis_durable", "redis_volatile", "worker", "review"),
)
FEWER_DOOMS = {
    "match": (Doom("after_produce", 10), Doom("after_commit", 10)),
    "worker": (Doom("before_commit", 40),),
    "review": (Doom("before_outbox_produce", 3), Doom("before_outbox_remove", 3)),
}
FEWER_AT_RANDOM = ("ingest", "embed", "oversight", "redis_durable", "worker", "broker", "redis_volatile")


def figures(report: Report) -> dict[str, Any]:
    """The run as JSON."""
    verdict = report.verdict
    reasons = report.statement.reasons
    return {
        "kills": sum(report.kills.values()),
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "reconciles": report.reconciles,
        "kills_by": dict(sorted(report.kills.items())),
        "passages": verdict.passages,
        "found": verdict.found,
        "in_gaps": dict(verdict.in_gaps),
        "split": verdict.split,
        "straddled": verdict.straddled,
        "wrong": len(verdict.wrong),
        "alerts_repeated": verdict.repeated,
        "cases": report.cases,
        "frames_published": report.told,
        "frames_on_topic": report.on_topic,
        "frames_key_lost": reasons.get((Count.FRAMES_EXPIRED, "key_lost"), 0),
        "frames_late": reasons.get((Count.FRAMES_EXPIRED, "late"), 0),
        "faces_key_lost": reasons.get((Count.FACES_EXPIRED, "key_lost"), 0),
        # Nobody's authority lapses in this run: while oversight is away frames and faces wait.
        "refused": {
            f"{count}:{reason}": number
            for (count, reason), number in sorted(reasons.items())
            if count in (Count.FRAMES_REFUSED, Count.FACES_REFUSED, Count.ALERTS_REFUSED)
        },
        "restarts": dict(sorted(report.restarts.items())),
    }


def passed(report: Report) -> bool:
    """Nothing lost, nothing doubled, nobody accused who was not there, and the counts add up."""
    verdict = report.verdict
    return report.reconciles and not (verdict.lost or verdict.doubled or verdict.wrong or verdict.repeated)


def main(arguments: Sequence[str]) -> int:
    """Play the whole plan; 0 if `passed`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--brokers", type=int, default=3)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--short", action="store_true", help="what the test plays")
    options.add_argument("--home", type=Path, help="where films, data and logs stay; else a folder that goes")
    chosen = options.parse_args(arguments)
    victims = list(FEWER_AT_RANDOM if chosen.short else AT_RANDOM)
    random.Random(chosen.seed).shuffle(victims)
    screen = Console()
    plan = Plan(
        dooms=FEWER_DOOMS if chosen.short else DOOMS,
        at_random=victims,
        brokers=chosen.brokers,
        seed=chosen.seed,
        say=screen.print,
    )
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as folder,
        Chaos(chosen.home or Path(folder), plan) as chaos,
    ):
        report = chaos.run()
    screen.print(as_table(report.statement))
    found = figures(report)
    screen.print_json(json.dumps(found))
    for showing in (*report.verdict.lost, *report.verdict.doubled):
        screen.print(f"look at {showing}")
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if passed(report) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make attacks`: try everything, print a line an attack, write build/attacks.json."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from console.stack.local import LocalStack
from tests.integration.stack import KAFKA_CACHE
from tests.reliability.attacks.campaign import ALONE, ON_RECORDS, campaign
from tests.reliability.attacks.town import looked_on

FIGURES = Path("build/attacks.json")
# Enough that the 95th percentile is not the longest of them.
STOPS = 20


def main(arguments: Sequence[str]) -> int:
    """Play the run; 0 if every attack was withstood."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--stops", type=int, default=STOPS)
    options.add_argument("--only", nargs="*", default=[""], help="attacks whose names hold one of these")
    options.add_argument("--home", type=Path, help="where data and logs stay; else a folder that goes")
    chosen = options.parse_args(arguments)
    screen = Console(soft_wrap=True)
    with (
        tempfile.TemporaryDirectory(prefix="attacks-") as folder,
        LocalStack((home := chosen.home or Path(folder)) / "stack", KAFKA_CACHE) as stack,
        looked_on(
            stack.kafka.bootstrap, stack.redis_volatile.url, stack.redis_durable.url, home.resolve()
        ) as servers,
    ):
        report = campaign(
            servers,
            on_records=[attack for attack in ON_RECORDS if any(word in attack.name for word in chosen.only)],
            alone=[attack for attack in ALONE if any(word in attack.name for word in chosen.only)],
            stops=chosen.stops,
            say=lambda line: screen.print(line, markup=False, highlight=False),
        )
    figures = report.figures()
    screen.print_json(json.dumps({name: figures[name] for name in figures if name != "attacks"}))
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make fuzz SECONDS=600`: every surface for its share of the time; build/fuzz.json says what came of it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path

from tests.fuzz.campaign import for_so_long
from tests.fuzz.registry import ALL
from tests.fuzz.surface import Found, Surface

REPORT = Path("build/fuzz.json")
# Shares of the time: an input that is a call over a socket, or a process, takes longer.
_HEAVY, _PROCESS = 2.0, 3.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--only", default="", help="surfaces whose name holds this")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    surfaces = [one for one in ALL if arguments.only in one.name]
    shares = [_PROCESS if one.process else _HEAVY if one.heavy else 1.0 for one in surfaces]
    found: dict[str, Found] = {}
    for surface, share in zip(surfaces, shares, strict=True):
        one = found[surface.name] = for_so_long(surface, arguments.seconds * share / sum(shares))
        _say(surface, one)
    report = {
        "inputs": sum(one.inputs for one in found.values()),
        "surfaces": len(found),
        "crashes": sum(len(one.crashes) for one in found.values()),
        "stops": sum(len(one.stops) for one in found.values()),
        "by_surface": {name: asdict(one) for name, one in found.items()},
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1) + "\n")
    told = {name: report[name] for name in ("inputs", "surfaces", "crashes", "stops")}
    sys.stdout.write(f"{json.dumps(told)}\n{REPORT}\n")
    sys.exit(1 if report["crashes"] or report["stops"] else 0)


def _say(surface: Surface, found: Found) -> None:
    sys.stdout.write(
        f"{surface.name:24} {found.inputs:9} inputs {len(found.crashes):4} crashes {len(found.stops):4} stops\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()

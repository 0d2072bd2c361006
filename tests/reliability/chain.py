"""`make chain`: kill the sequencer at named points and at random while services ask; count gaps and doubles."""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from rich.console import Console

from console.audit.verify import verify_lines
from console.stack.kafka import KafkaCluster
from tests.integration.oversight.chain_ground import CHAINS, ChainGround, Missing
from tests.integration.oversight.chain_worker import FENCED, POINTS, preload
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.integration.stack import KAFKA_CACHE
from tests.reliability.tampering import TAMPERINGS, named
from tests.support import eventually
from tests.unit.contracts.audit.builders import CHAIN, PRODUCERS, root_fingerprint

FIGURES = Path("build/chain.json")
KILLED = -signal.SIGKILL
AT_RANDOM = "at random"
# A live sequencer is at work within half a second; a random death comes before, during and after that.
LONGEST_LIFE_S = 0.8
# In so many kills one sequencer is only stopped, and wakes up when its successor is at work.
AWAKENING_EVERY = 25
# Of each producer; together a batch or more a commit, and no more than a recovery reads in a moment.
EACH_S = 0.1
WITHIN_S = 60.0


@dataclass
class Report:
    """What a run has shown."""

    kills: Counter[str] = field(default_factory=Counter)
    fenced: int = 0
    requests: int = 0
    missing: Missing = field(default_factory=lambda: Missing(gaps=0, doubles=0))
    chains: int = 0
    verified: int = 0
    named: tuple[str, ...] = ()
    seconds: float = 0.0

    def __add__(self, other: Report) -> Report:
        """Of two that ran side by side; a tampering is named if it was in both."""
        return Report(
            kills=self.kills + other.kills,
            fenced=self.fenced + other.fenced,
            requests=self.requests + other.requests,
            missing=Missing(
                gaps=self.missing.gaps + other.missing.gaps,
                doubles=self.missing.doubles + other.missing.doubles,
            ),
            chains=self.chains + other.chains,
            verified=self.verified + other.verified,
            named=tuple(name for name in self.named if name in other.named),
            seconds=max(self.seconds, other.seconds),
        )


class Run:
    """One chain ground, and deaths on it."""

    def __init__(self, ground: ChainGround, *, seed: int, say: Callable[[str], None]) -> None:
        self._ground = ground
        # Not for secrets: a seed that failed can be played again.
        self._chance = random.Random(seed)
        self._say = say
        self._report = Report()

    def play(self, kills: int) -> Report:
        """Kill so often, then let one live until everything is recorded, and look."""
        began_s = time.monotonic()
        with self._ground.producers(each_s=EACH_S):
            for number, death in enumerate(self._deaths(kills), 1):
                self._killed_at(death)
                if number % AWAKENING_EVERY == 0:
                    self._awakened()
                    self._say(f"{number} kills, {self._ground.sent.total()} requests")
        self._report.seconds = time.monotonic() - began_s
        with self._ground.sequencer():
            eventually(self._settled, "every request recorded", within_s=WITHIN_S)
        return self._looked_at()

    def _deaths(self, kills: int) -> list[str]:
        """Half at the named points, each as often, and half at random; in a random order."""
        at_points = [POINTS[number % len(POINTS)] for number in range(kills // 2)]
        deaths = at_points + [AT_RANDOM] * (kills - len(at_points))
        self._chance.shuffle(deaths)
        return deaths

    def _killed_at(self, death: str) -> None:
        if death == AT_RANDOM:
            with self._ground.sequencer() as life:
                life.join(self._chance.uniform(0.0, LONGEST_LIFE_S))
        else:
            times = 1 if "recovery" in death else self._chance.randint(1, 3)
            with self._ground.sequencer(death, times) as life:
                life.join(WITHIN_S)
                if life.is_alive():
                    raise AssertionError(f"not dead {WITHIN_S} s after it was to die at {death}")
        if life.exitcode != KILLED:
            raise AssertionError(f"ended by itself ({life.exitcode}) where it was to die {death}")
        self._report.kills[death] += 1

    def _awakened(self) -> None:
        """One stands still, its successor takes over; the elder wakes up, and must end without a trace."""
        with self._ground.sequencer() as elder:
            self._at_work()
            assert elder.pid is not None
            os.kill(elder.pid, signal.SIGSTOP)
            with self._ground.sequencer():
                self._at_work()
                os.kill(elder.pid, signal.SIGCONT)
                elder.join(WITHIN_S)
            if elder.exitcode != FENCED:
                raise AssertionError(f"the elder ended with {elder.exitcode}, not fenced")
            self._report.fenced += 1

    def _at_work(self) -> None:
        seen = self._ground.entries()
        eventually(lambda: self._ground.entries() > seen, "something new recorded", within_s=WITHIN_S)

    def _settled(self) -> bool:
        return self._ground.entries() >= self._ground.sent.total()

    def _looked_at(self) -> Report:
        report, ground = self._report, self._ground
        report.requests = ground.sent.total()
        report.missing = ground.missing()
        for chain in CHAINS:
            verdict = verify_lines(ground.file(chain), root_fingerprint())
            report.chains += 1
            report.verified += verdict.ok
            self._say(next(verdict.lines()))
        report.named = tuple(named(ground.file(CHAIN)))
        return report


def play_on(cluster: KafkaCluster, kills: int, *, seed: int, say: Callable[[str], None]) -> Report:
    """One sequencer's deaths, on topics of its own."""
    world = KafkaWorld(cluster.bootstrap)
    try:
        return Run(ChainGround(world), seed=seed, say=say).play(kills)
    finally:
        world.close()


def figures(report: Report) -> dict[str, Any]:
    """The run as JSON."""
    kills = report.kills.total()
    return {
        "kills": kills,
        "gaps": report.missing.gaps,
        "doubles": report.missing.doubles,
        "tamperings_named": list(report.named),
        "kills_by": dict(sorted(report.kills.items())),
        "fenced": report.fenced,
        "producers": len(PRODUCERS),
        "requests": report.requests,
        "chains": report.chains,
        "chains_verified": report.verified,
        "kills_per_s": round(kills / report.seconds, 2),
    }


def passed(report: Report) -> bool:
    """Nothing lost, nothing doubled, every chain verified, every tampering named."""
    whole = report.missing == Missing(gaps=0, doubles=0) and report.verified == report.chains > 0
    return whole and len(report.named) == len(TAMPERINGS)


def main(arguments: Sequence[str]) -> int:
    """Play the run; 0 if `passed`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--sequencers", type=int, default=4, help="side by side, each with producers of its own")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args(arguments)
    screen = Console()
    preload("rich.console", "tests.integration.oversight.chain_ground", "tests.reliability.tampering")
    with (
        tempfile.TemporaryDirectory(prefix="chain-") as folder,
        KafkaCluster(Path(folder) / "kafka", KAFKA_CACHE) as cluster,
    ):
        shares = [chosen.kills // chosen.sequencers] * chosen.sequencers
        shares[0] += chosen.kills % chosen.sequencers

        def play(number: int) -> Report:
            return play_on(cluster, shares[number], seed=chosen.seed + number, say=screen.print)

        with ThreadPoolExecutor(chosen.sequencers) as beside:
            report = reduce(add, beside.map(play, range(chosen.sequencers)))
    found = figures(report)
    screen.print_json(json.dumps(found))
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if passed(report) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

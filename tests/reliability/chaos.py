"""One exercise with everything in it dying, and what is known of it afterwards."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import psutil

from console.ledger.statement import Statement
from console.run.exercise import OVERSIGHT, Exercise
from console.sample.passages import Passage
from console.sample.sitters import ADMIRAL, ASTRONAUT, FORTY_FOUR, FORTY_SIX
from console.stack.redis_server import RedisServer
from services.contracts import topics
from services.contracts.counts import Count, Stage
from services.contracts.topics import Topic
from services.runtime.kafka.broker import BrokerError
from services.runtime.kafka.config import Connection
from services.runtime.kafka.group import group_offsets
from services.runtime.kafka.types import Partition
from services.runtime.retry import retry
from tests.architecture.imports import ROOT
from tests.e2e.truth import Truth
from tests.e2e.world import a_setup, tokens_of
from tests.reliability.doom import Doom, Dooms
from tests.reliability.judge import Fold, KeysLost, Verdict, judge
from tests.reliability.keeper import Keeper
from tests.reliability.observer import Observer
from tests.reliability.reviewers import Reviewer
from tests.support import eventually

# A film that is shown over and over: each listed person on each camera, strangers in between.
SHOWING_S = 12.0
SCRIPT = {
    "gate-1": [
        Passage(FORTY_FOUR, 0.6),
        Passage(ADMIRAL, 4.0, lane=1, leftwards=True),
        Passage(FORTY_SIX, 7.8, leftwards=True),
    ],
    "gate-2": [
        Passage(FORTY_SIX, 0.6, leftwards=True),
        Passage(FORTY_FOUR, 5.0, lane=1),
        Passage(ASTRONAUT, 6.0, leftwards=True),
    ],
    "gate-3": [
        Passage(ASTRONAUT, 0.6),
        Passage(FORTY_SIX, 4.2, lane=1, leftwards=True),
        Passage(FORTY_FOUR, 8.0),
    ],
}
# Folding windows short enough that there are many cases, long enough that the parts of a split passage meet.
FOLD = Fold(decide_within=timedelta(seconds=90), fold_within=timedelta(seconds=60))
# Writers ask their store again each second whether a key still stands; until then they seal under the dead one.
_NEW_KEYS_WITHIN = timedelta(seconds=2)
_BACK_WITHIN_S = 60
_SETTLED_WITHIN_S = 90
_DOOMED_WITHIN_S = 150


@dataclass(frozen=True)
class Plan:
    """Who dies: at named points (by process, a doom a life), and at random moments, in this order."""

    dooms: Mapping[str, Sequence[Doom]]
    at_random: Sequence[str]
    every_s: float = 6.0
    brokers: int = 1
    seed: int = 1
    say: Callable[[str], None] = field(default=lambda line: None)


@dataclass(frozen=True)
class Report:
    """What came of it. `told` and `on_topic` are the published frames by the counts and by the topic itself."""

    kills: Mapping[str, int]
    restarts: Mapping[str, int]
    verdict: Verdict
    statement: Statement
    told: int
    on_topic: int
    cases: int

    @property
    def reconciles(self) -> bool:
        flying = any(line.in_flight for line in self.statement.lines)
        return self.statement.reconciles and not flying and self.told == self.on_topic


class Chaos:
    """A context manager around one run. One thread owns it; keeper, observer and reviewers have their own."""

    def __init__(self, home: Path, plan: Plan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._dooms = Dooms(home.resolve() / "dooms")
        modules = {
            stage: ("tests.reliability.entry", str(stage)) for stage in (Stage.EMBED, Stage.MATCH, Stage.REVIEW)
        }
        verification = {
            "decide_within_s": FOLD.decide_within.seconds,
            "fold_within_s": FOLD.fold_within.seconds,
            "claim_s": 5,
        }
        # Ray's workers find the tests only by an absolute path.
        path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'proto/gen'}", "MIN_WORKERS": "2"}
        setup = a_setup(
            home,
            SCRIPT,
            seconds=SHOWING_S,
            loop=True,
            ray_workers=2,
            brokers=plan.brokers,
            verification=verification,
            modules=modules,
            extra={Stage.EMBED: path},
            say=plan.say,
        )
        self._exercise = Exercise(setup)
        self._ended = ExitStack()
        self._losses: list[KeysLost] = []
        self._stack_kills: Counter[str] = Counter()

    def __enter__(self) -> Self:
        for name, dooms in self._plan.dooms.items():
            self._dooms.write(name, dooms)
        self._ended.enter_context(self._exercise)
        self._keeper = Keeper(self._exercise, OVERSIGHT, *Stage)
        self._observer = Observer(self._exercise.stack.kafka.bootstrap, self._exercise.deployment)
        address = f"127.0.0.1:{self._exercise.review_grpc_port}"
        self._reviewers = [Reviewer(address, user) for user in ("ann", "ben")]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.close()

    def run(self) -> Report:
        """Play, kill, let everything come back and drain, judge."""
        self._exercise.start(Stage.REVIEW, Stage.MATCH, Stage.EMBED)
        self._observer.start()
        self._ended.callback(self._observer.stop)
        self._keeper.start()
        self._ended.callback(self._keeper.stop)
        for reviewer in self._reviewers:
            reviewer.start()
            self._ended.callback(reviewer.finish)
        self._exercise.start(Stage.INGEST)
        self._plan.say("playing, and killing")
        # A life that is to die at a named point is not cut short: its like are killed at random afterwards.
        doomed = set(self._plan.dooms)
        self._kill_at_random([victim for victim in self._plan.at_random if victim not in doomed])
        self._await_dooms()
        self._kill_at_random([victim for victim in self._plan.at_random if victim in doomed])
        eventually(self._keeper.ready, "every service to be back", within_s=_BACK_WITHIN_S)
        # One undisturbed showing, so that the last to die is seen at work too.
        sleep(SHOWING_S)
        self._plan.say("all are back; ending the films and draining")
        return self._drained()

    def _kill_at_random(self, victims: Sequence[str]) -> None:
        for victim in victims:
            next_s = monotonic() + self._plan.every_s * self._random.uniform(0.6, 1.4)
            while monotonic() < next_s:
                sleep(0.1)
            self._plan.say(f"kill -9: {victim}")
            self._kill(victim)

    def _kill(self, victim: str) -> None:
        stack = self._exercise.stack
        if victim == "worker":
            self._kill_worker()
        elif victim == "broker":
            node = self._random.randrange(self._plan.brokers)
            stack.kafka.kill(node)
            stack.kafka.restart(node)
            self._stack_kills["broker"] += 1
        elif victim == "redis_volatile":
            self._lose_keys(stack.redis_volatile)
        elif victim == "redis_durable":
            stack.redis_durable.kill()
            stack.redis_durable.restart()
            self._stack_kills["redis_durable"] += 1
        else:
            self._keeper.kill(victim)

    def _kill_worker(self) -> None:
        pids = eventually(actors, "an embed worker to kill", within_s=_BACK_WITHIN_S)
        os.kill(self._random.choice(pids), signal.SIGKILL)
        self._stack_kills["worker"] += 1

    def _lose_keys(self, server: RedisServer) -> None:
        frames_from = self._committed(topics.FRAMES, Stage.EMBED)
        faces_from = self._committed(topics.FACES, Stage.MATCH)
        server.kill()
        server.restart()
        self._losses.append(KeysLost(datetime.now(UTC) + _NEW_KEYS_WITHIN, frames_from, faces_from))
        self._stack_kills["redis_volatile"] += 1

    def _committed(self, topic: Topic, stage: Stage) -> dict[int, int]:
        partitions = [Partition(topic.name, number) for number in range(topic.partitions)]
        connection = Connection(self._exercise.stack.kafka.bootstrap, "chaos")
        group = f"signpost-{stage}-{self._exercise.deployment}"

        def ask() -> dict[Partition, int]:
            # A worker that was killed may have left a transaction open: nobody waits for its end here.
            with group_offsets(connection, group, "read_uncommitted") as offsets:
                return offsets.committed(partitions, timeout_s=20)

        # The broker may have been killed a moment ago: asked anew, by another client, until it answers.
        known = retry(ask, on=(BrokerError,), deadline_s=_BACK_WITHIN_S)
        return {partition.number: known.get(partition, 0) for partition in partitions}

    def _await_dooms(self) -> None:
        wanted = {(name, doom.point) for name, dooms in self._plan.dooms.items() for doom in dooms}
        eventually(
            lambda: not wanted - set(self._dooms.carried_out()),
            f"every named death of {sorted(wanted)}",
            within_s=_DOOMED_WITHIN_S,
        )

    def _drained(self) -> Report:
        self._keeper.leave(Stage.INGEST)
        self._exercise.services[Stage.INGEST].stop()
        statement = self._settled()
        told = statement.totals[Count.FRAMES_PUBLISHED]
        alerts = statement.totals[Count.ALERTS_PUBLISHED]
        cases = statement.totals[Count.CASES_OPENED]
        eventually(
            lambda: len(self._observer.alerts) >= alerts and len(self._observer.opened) >= cases,
            "the observer to have read everything",
            within_s=_SETTLED_WITHIN_S,
        )
        truth = Truth(SCRIPT, tokens_of(self._exercise, SCRIPT), self._observer.frames)
        verdict = judge(
            truth,
            faces=self._observer.faces,
            alerts=self._observer.alerts,
            opened=list(self._observer.opened.values()),
            folded=self._observer.folded.values(),
            losses=self._losses,
            fold=FOLD,
        )
        named = Counter(f"{name} {point}" for name, point in self._dooms.carried_out())
        return Report(
            kills=dict(named + self._keeper.kills + self._stack_kills),
            restarts=dict(self._keeper.restarts),
            verdict=verdict,
            statement=statement,
            told=told,
            on_topic=self._observer.frame_records,
            cases=cases,
        )

    def _settled(self) -> Statement:
        """The statement once it stands still, or as it is when time is up: then it says itself what is wrong."""
        give_up_s = monotonic() + _SETTLED_WITHIN_S
        while True:
            found = self._exercise.statement()
            flying = any(line.in_flight for line in found.lines)
            still_open = found.totals.get(Count.CASES_OPEN, 0)
            if (found.reconciles and not flying and not still_open) or monotonic() > give_up_s:
                return found
            sleep(1.0)


def actors() -> list[int]:
    """The processes of this run's embed workers."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "SlotActor" in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.NoSuchProcess:
            continue
    return found

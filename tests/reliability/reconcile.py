"""`make reconcile`: ask for the statement every few seconds while everything pauses, dies and forgets.

Retention is played by deleting: all that a topic holds, at once. What is deleted before it was read is counted, so
the statement has to add up all the same. And losses are planted that nobody can have counted: counts that nobody
earned, under a stage's own key, and alerts that Kafka deletes; each has to be named, with its number, by every
statement after it. What a stranger writes to `counts` must change none.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from rich.console import Console

from console.ledger.statement import Statement
from console.run.exercise import Exercise
from console.sample.passages import Passage
from console.sample.sitters import FORTY_FOUR, FORTY_SIX
from services.contracts import counts, topics
from services.contracts.counts import Count, Stage
from services.contracts.events import StageCounts
from services.contracts.ids import DeploymentId
from services.contracts.topics import Topic
from services.runtime import counts_topic
from services.runtime.clock import SystemClock
from services.runtime.kafka.config import Connection, producer_options
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.proofs import Prove, Proving
from services.runtime.signing_key import read_signer
from tests.e2e.world import a_setup
from tests.integration.deleting import delete_all
from tests.proofs import proving
from tests.reliability.asking import Asker, Expected, Verdict, judged
from tests.support import eventually

FIGURES = Path("build/reconcile.json")
SHOWING_S = 10.0
# Somebody listed and somebody not, on two cameras: faces and alerts all the time.
SCRIPT = {
    "gate-1": [Passage(FORTY_FOUR, 0.5), Passage(FORTY_SIX, 5.0, lane=1, leftwards=True)],
    "gate-2": [Passage(FORTY_SIX, 0.5, leftwards=True), Passage(FORTY_FOUR, 5.5, lane=1)],
}
_BACK_WITHIN_S = 120
_QUIET_S = 4.0
_SETTLED_WITHIN_S = 60


class Reconciling:
    """One exercise, and what is done to it. One thread; the asker has its own."""

    def __init__(self, home: Path, say: Callable[[str], None]) -> None:
        self._say = say
        self._exercise = Exercise(a_setup(home, SCRIPT, seconds=SHOWING_S, loop=True, say=say))
        self._asker = Asker(self._exercise.statement)
        self._gaps: dict[Count, int] = {}
        self._lost = 0
        self._plants: list[str] = []
        self._strangers = itertools.count(1)

    def run(self, *, seconds: float, episodes: Sequence[str] = ()) -> dict[str, Any]:
        """Play these episodes, or all, once and then on until the time is up; what came of it."""
        with self._exercise as exercise:
            exercise.start(Stage.REVIEW, Stage.MATCH, Stage.EMBED, Stage.INGEST)
            self._bootstrap = exercise.stack.kafka.bootstrap
            self._expect()
            self._asker.start()
            try:
                self._play(monotonic() + seconds, episodes or tuple(_EPISODES))
                statement = self._settled()
            finally:
                self._asker.stop()
        return self._figures(judged(self._asker.asked, self._asker.expected), statement)

    def _play(self, until_s: float, episodes: Sequence[str]) -> None:
        for played, episode in enumerate(itertools.cycle(episodes), start=1):
            self._say(f"{episode}: {len(self._asker.asked)} asked, {monotonic() - until_s:+.0f} s")
            _EPISODES[episode](self)
            sleep(_QUIET_S)
            if played >= len(episodes) and monotonic() > until_s:
                return

    def _figures(self, verdict: Verdict, statement: Statement) -> dict[str, Any]:
        return {
            "asked": verdict.asked,
            "false_alarms": len(verdict.false_alarms),
            "missed": len(verdict.missed),
            "planted": self._plants,
            "examples": [*verdict.false_alarms[:5], *verdict.missed[:5]],
            "skipped": {
                name: statement.totals.get(name, 0)
                for name in (Count.FRAMES_SKIPPED, Count.FACES_SKIPPED, Count.ALERTS_SKIPPED)
            },
            "published": {
                name: statement.totals.get(name, 0)
                for name in (Count.FRAMES_PUBLISHED, Count.FACES_PUBLISHED, Count.ALERTS_PUBLISHED)
            },
        }

    # What happens.

    def _quiet(self) -> None:
        """No camera for a while, and everything that was read is deleted, the last markers too."""
        self._stop(Stage.INGEST)
        self._arrived(topics.FRAMES, topics.FACES, topics.ALERTS)
        self._delete(topics.FRAMES, topics.FACES, topics.ALERTS)
        sleep(_QUIET_S)
        self._start(Stage.INGEST)

    def _match_away(self) -> None:
        """For longer than faces are kept."""
        self._away(Stage.MATCH, topics.FACES, Count.FACES_PUBLISHED)

    def _embed_away(self) -> None:
        """For longer than frames are kept."""
        self._away(Stage.EMBED, topics.FRAMES, Count.FRAMES_PUBLISHED)

    def _all_die(self) -> None:
        """One after another, and come back."""
        for stage in (Stage.REVIEW, Stage.MATCH, Stage.EMBED, Stage.INGEST):
            self._exercise.services[stage].kill()
            sleep(1.0)
            self._start(stage)

    def _count_of_nobody(self) -> None:
        """Embed's own key says that faces were published: none of them can be found."""
        self._plant(Stage.EMBED, Count.FACES_PUBLISHED, 3)

    def _received_of_nobody(self) -> None:
        """Review's own key says that alerts were received: nobody raised them."""
        self._plant(Stage.REVIEW, Count.ALERTS_RECEIVED, 2)

    def _strangers_counts(self) -> None:
        """Somebody without a key writes figures, some of which add up and some do not: none of them counts."""
        key = proving("a stranger")
        self._write(Stage.EMBED, {Count.FACES_PUBLISHED: 7}, lambda output: output)
        self._write(Stage.MATCH, {Count.FACES_SEARCHED: 5, Count.FACES_BELOW_THRESHOLD: 5}, key)
        self._write(Stage.REVIEW, {Count.ALERTS_RECEIVED: 4}, self._signed_by(Stage.MATCH))

    def _alerts_deleted(self) -> None:
        """Before review has read them: the one loss that Kafka itself can make of what may not be lost."""
        # Not killed: what it has then taken in and not told yet would be among those that lie there.
        self._stop(Stage.REVIEW)
        self._published(Count.ALERTS_PUBLISHED)
        self._stop(Stage.INGEST)
        self._arrived(topics.FRAMES, topics.FACES)
        lying = self._between(Count.ALERTS_PUBLISHED)
        with self._asker.changing():
            self._delete(topics.ALERTS)
            self._lost += lying
            self._expect()
        self._plants.append(f"{lying} alerts deleted unread")
        sleep(_QUIET_S)
        self._start(Stage.REVIEW)
        self._start(Stage.INGEST)

    # With what.

    def _away(self, stage: Stage, topic: Topic, published: Count) -> None:
        self._exercise.services[stage].kill()
        self._published(published)
        self._delete(topic)
        sleep(_QUIET_S)
        self._start(stage)

    def _published(self, count: Count) -> None:
        """A few more of these than before."""
        before = self._exercise.statement().totals.get(count, 0)
        eventually(
            lambda: self._exercise.statement().totals.get(count, 0) > before,
            f"more {count}",
            within_s=_SETTLED_WITHIN_S,
        )

    def _arrived(self, *wanted: Topic) -> None:
        """Nothing lies on these topics any more."""
        wholes = {
            topics.FRAMES: Count.FRAMES_PUBLISHED,
            topics.FACES: Count.FACES_PUBLISHED,
            topics.ALERTS: Count.ALERTS_PUBLISHED,
        }
        eventually(
            lambda: not any(self._between(wholes[topic]) for topic in wanted),
            "everything to be read",
            within_s=_SETTLED_WITHIN_S,
        )

    def _between(self, whole: Count) -> int:
        return next(line.in_flight for line in self._exercise.statement().lines if line.arrow.whole is whole)

    def _delete(self, *those: Topic) -> None:
        for topic in those:
            delete_all(self._bootstrap, topic.name, topic.partitions)

    def _stop(self, stage: Stage) -> None:
        self._exercise.services[stage].stop()

    def _start(self, stage: Stage) -> None:
        service = self._exercise.services[stage]
        service.start()
        service.await_ready(within_s=_BACK_WITHIN_S)

    def _plant(self, stage: Stage, name: Count, amount: int) -> None:
        with self._asker.changing():
            self._write(stage, {name: amount}, self._signed_by(stage))
            self._gap(name, amount)
            self._expect()
        self._plants.append(f"{amount} {name} of nobody")

    def _signed_by(self, stage: Stage) -> Prove:
        signer = read_signer(self._exercise.service_key(stage), variable="SERVICE_KEY_FILE")
        return Proving(signer, SystemClock())

    def _write(self, stage: Stage, totals: Mapping[Count, int], prove: Prove) -> None:
        """A count of the stage's, under a name that no process has."""
        event = StageCounts(
            deployment=DeploymentId(self._exercise.deployment),
            trace_id="",
            captured_at=SystemClock().now(),
            stage=stage,
            incarnation=f"stranger-{next(self._strangers)}",
            totals={(str(name), ""): amount for name, amount in totals.items()},
            standing={},
        )
        producer = KafkaProducer(producer_options(Connection(self._bootstrap, "stranger")), lambda code: None)
        producer.send(prove(counts_topic.output(event)), lambda error: None)
        assert producer.flush(20) == 0, "the count was not written"

    def _gap(self, name: Count, amount: int) -> None:
        for arrow in counts.ARROWS:
            change = amount if arrow.whole is name else -amount if name in arrow.parts else 0
            if change:
                self._gaps[arrow.whole] = self._gaps.get(arrow.whole, 0) + change

    def _expect(self) -> None:
        gaps = {whole: gap for whole, gap in self._gaps.items() if gap}
        self._asker.expect(Expected(gaps, self._lost, len(self._plants)))

    def _settled(self) -> Statement:
        self._stop(Stage.INGEST)
        self._arrived(topics.FRAMES, topics.FACES, topics.ALERTS)
        sleep(_QUIET_S)
        return self._exercise.statement()


_EPISODES: dict[str, Callable[[Reconciling], None]] = {
    "quiet": Reconciling._quiet,
    "match away": Reconciling._match_away,
    "alerts deleted": Reconciling._alerts_deleted,
    "all die": Reconciling._all_die,
    "count of nobody": Reconciling._count_of_nobody,
    "strangers' counts": Reconciling._strangers_counts,
    "embed away": Reconciling._embed_away,
    "received of nobody": Reconciling._received_of_nobody,
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        console = Console()
        found = Reconciling(Path(home), console.print).run(seconds=60 * chosen.minutes)
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    console.print_json(data=found)
    return 1 if found["false_alarms"] or found["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())

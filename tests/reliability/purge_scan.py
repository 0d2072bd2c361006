"""`make purge-scan`: play an exercise, purge it, and look for what it was about in every place there is."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console

from console.purge import lines as of_certificate
from console.run.exercise import OVERSIGHT, Exercise
from console.sample.passages import Passage
from console.sample.sitters import ADMIRAL, ASTRONAUT, FORTY_FOUR
from services.contracts.authorisation.enums import Move
from services.contracts.counts import Count, Stage
from services.contracts.events import AlertRaised, FaceObserved, FrameCaptured
from tests.e2e.world import a_setup
from tests.reliability.keeper import Keeper
from tests.reliability.reviewers import Reviewer
from tests.reliability.scan.browser import CHROMIUM, look_at_a_case
from tests.reliability.scan.ground import Ground
from tests.reliability.scan.lives import lives
from tests.reliability.scan.needles import Needle, Search, forms, of_picture, of_vector
from tests.reliability.scan.plants import plant_face, plant_frame
from tests.reliability.scan.records import Record, event_in, opened
from tests.support import eventually

FIGURES = Path("build/purge-scan.json")
FILM_S = 20.0
SCRIPT = {"gate-1": [Passage(FORTY_FOUR, 1.0), Passage(ADMIRAL, 6.0, lane=1), Passage(ASTRONAUT, 12.0)]}
WITHIN_S = 90.0
# A plaintext that is still found after so long may stay until its process ends.
LIVES_WITHIN_S = 30.0
# Of each kind of event so many are canaries; the search is for each in dozens of forms.
_OF_A_KIND = 5


@dataclass
class Look:
    """What one look at everything has found: records opened, and needles by place."""

    keys: int
    opened: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    needles: dict[str, list[str]] = field(default_factory=dict)
    scanned: dict[str, int] = field(default_factory=dict)
    empty: dict[str, str] = field(default_factory=dict)

    @property
    def found(self) -> int:
        return self.opened.total() + sum(map(len, self.needles.values()))


class Purging:
    """One exercise, looked at before and after its purge. One thread owns it."""

    def __init__(self, folder: Path, *, ray_workers: int, say: Callable[[str], None]) -> None:
        self._say = say
        verification = {
            "decide_within_s": 120,
            "claim_s": 20,
            "reviewers": 1,
            "single_reviewer_reason": "what is confirmed is looked for, not how it was decided",
        }
        setup = a_setup(
            folder / "sources",
            SCRIPT,
            seconds=FILM_S,
            loop=True,
            ray_workers=ray_workers,
            verification=verification,
        )
        # The film and the list's pictures are the operator's own files, which no purge of ours is to touch.
        self._exercise = Exercise(replace(setup, home=folder / "run", say=say))
        self._aside = folder / "aside"
        self._canaries: list[Needle] = []
        self._lives: dict[str, float | None] = {}

    def run(self) -> dict[str, Any]:
        """Play, look, stop, purge, look again."""
        with ExitStack() as ended:
            exercise = ended.enter_context(self._exercise)
            self._ground = ended.enter_context(Ground(exercise, self._aside))
            exercise.start(Stage.REVIEW, Stage.MATCH, Stage.EMBED)
            keeper = Keeper(exercise, OVERSIGHT, *Stage)
            keeper.start()
            ended.callback(keeper.stop)
            exercise.start(Stage.INGEST)
            pictures = self._play()
            before = self._before()
            self._say(f"{before.found} found with {before.keys} keys; stopping and purging")
            began_s = monotonic()
            exercise.order(Move.STOP, reason="what follows is the purge")
            eventually(self._no_epochs, "the keys of frames gone at the stop", within_s=10.0)
            shed_s = monotonic() - began_s
            began_s = monotonic()
            certificate = exercise.purge(reason="to be proved")
            purged_s = monotonic() - began_s
            for line in of_certificate(certificate):
                self._say(line)
            eventually(self._all_alive, "every service to be started anew", within_s=WITHIN_S)
            self._ground.let_go()
            seen = self._ground.watch.seen
            self._say(f"looking for {len(seen)} keys, too")
            after = self._after(seen)
            return {
                **figures(before, after),
                "plaintext_life_s": self._lives,
                "keys_seen": len(seen),
                "pictures_shown": pictures,
                "shed_s": round(shed_s, 2),
                "purged_s": round(purged_s, 2),
                "restarts": dict(keeper.restarts),
            }

    def _play(self) -> int:
        exercise = self._exercise
        eventually(exercise.alerts_published, "an alert", within_s=WITHIN_S)
        self._plant()
        shown = look_at_a_case(exercise.page, self._ground.profile)
        self._say(f"a browser has seen {shown} pictures")
        reviewers = [Reviewer(f"127.0.0.1:{exercise.review_grpc_port}", user) for user in ("ann", "ben")]
        for reviewer in reviewers:
            reviewer.start()
        eventually(self._decided, "a match confirmed", within_s=2 * WITHIN_S)
        for reviewer in reviewers:
            reviewer.finish()
        return shown

    def _plant(self) -> None:
        """Of a stranger, and how long each can be found where it was read, once it is no longer needed."""
        exercise = self._exercise
        face = plant_face(exercise, self._ground)
        self._lives = lives([exercise.services[Stage.MATCH].pid], face, within_s=LIVES_WITHIN_S)
        frame = plant_frame(exercise, self._ground)
        self._lives |= lives(self._ground.workers(), frame, within_s=LIVES_WITHIN_S)
        self._say(f"seconds that a plaintext was found after its time: {self._lives}")
        self._canaries += [*face, *frame]

    def _before(self) -> Look:
        """Also copies what lies on the disks, to be brought back after the purge."""
        found, records = self._ground.found_keys(), self._ground.records()
        self._ground.copy()
        self._canaries += canaries(records, found)
        self._say(f"looking for {len(self._canaries)} forms of canaries in {len(records)} records and every place")
        return self._look(records, found, self._canaries)

    def _after(self, seen: Mapping[str, bytes]) -> Look:
        of_keys = chain.from_iterable(forms(f"key of {_kind(name)}", key) for name, key in seen.items())
        records = [*self._ground.records(), *self._ground.restored()]
        return self._look(records, self._ground.found_keys(), [*self._canaries, *of_keys])

    def _look(self, records: Sequence[Record], found: Mapping[str, bytes], needles: Iterable[Needle]) -> Look:
        look = Look(keys=len(found), records=Counter(record.place for record in records))
        look.opened.update(record.place for record in opened(records, found))
        search = Search(needles)
        for place in self._ground.places():
            hits = {
                f"{one.of} ({one.form}) in {where}"
                for where, stream in place.streams()
                for one in search.through(stream)
            }
            if place.parts:
                look.scanned[place.name] = place.bytes_read
            else:
                look.empty[place.name] = place.none
            if hits:
                look.needles[place.name] = sorted(hits)
        return look

    def _decided(self) -> int:
        return self._exercise.statement().totals.get(Count.CASES_DECIDED, 0)

    def _no_epochs(self) -> bool:
        return not any("/epoch/" in name for name in self._ground.found_keys())

    def _all_alive(self) -> bool:
        return all(service.alive() for service in self._exercise.services.values())


def canaries(records: Iterable[Record], found: Mapping[str, bytes]) -> Iterator[Needle]:
    """What the exercise itself has made of people: frames, crops, templates; some of each kind."""
    told: Counter[str] = Counter()
    for record in opened(records, found):
        event = event_in(record, found)
        if event is None or told[type(event).__name__] >= _OF_A_KIND:
            continue
        told[type(event).__name__] += 1
        number = told[type(event).__name__]
        match event:
            case FrameCaptured():
                yield from of_picture(f"frame {number}", event.jpeg)
            case FaceObserved():
                yield from of_vector(f"template {number}", event.vector)
                yield from of_picture(f"crop {number}", event.shots[0].jpeg)
            case AlertRaised():
                yield from of_picture(f"crop of alert {number}", event.shots[0].jpeg)
                yield from of_picture(f"surroundings of alert {number}", event.context_jpeg)


def _kind(key_id: str) -> str:
    """Of which kind a key is, never whose."""
    return key_id.split("/")[1] if "/" in key_id else key_id


def figures(before: Look, after: Look) -> dict[str, Any]:
    """Both looks as JSON."""
    return {
        "found_before": before.found,
        "found_after": after.found,
        "places_scanned": len(after.scanned) + len({*after.records} - {*after.scanned}),
        "opened_before": dict(before.opened),
        "opened_after": dict(after.opened),
        "needles_before": {place: len(found) for place, found in before.needles.items()},
        "needles_after": after.needles,
        "keys_found_before": before.keys,
        "keys_found_after": after.keys,
        "records_tried_after": dict(after.records),
        "bytes_scanned": after.scanned,
        "nothing_to_scan": after.empty
        | ({} if "dead letters" in after.records else {"dead letters": "there are none"}),
    }


def passed(found: Mapping[str, Any]) -> bool:
    """Something was there before, and nothing is any more."""
    return bool(found["found_before"] > 0 and found["found_after"] == 0)


def main(arguments: Sequence[str]) -> int:
    """Play the run; 0 if `passed`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ray-workers", type=int, default=1)
    options.add_argument("--home", type=Path, help="where everything stays; else a folder that goes")
    chosen = options.parse_args(arguments)
    if not CHROMIUM.exists():
        options.exit(2, f"{CHROMIUM} is missing, in which a reviewer looks at a case: apt-get install chromium\n")
    screen = Console()
    with tempfile.TemporaryDirectory(prefix="purge-") as folder:
        found = Purging(chosen.home or Path(folder), ray_workers=chosen.ray_workers, say=screen.print).run()
    screen.print_json(json.dumps(found))
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if passed(found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

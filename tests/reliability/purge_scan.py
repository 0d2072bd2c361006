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
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import simplejpeg
from rich.console import Console

from console.authority import files
from console.purge import lines
from console.run.exercise import OVERSIGHT, Exercise
from console.sample.passages import Passage
from console.sample.sitters import ADMIRAL, ASTRONAUT, FORTY_FOUR
from services.contracts import codec, ids, keys, topics
from services.contracts.authorisation.enums import Move
from services.contracts.codec import Sealing
from services.contracts.counts import Count, Stage
from services.contracts.errors import Permanent
from services.contracts.events import AlertRaised, Event, FaceObserved, FrameCaptured
from services.runtime.clock import SystemClock
from services.runtime.kafka.config import Connection
from services.runtime.kafka.types import Output
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.purging import publish
from tests.builders import a_face, a_shot, a_vector
from tests.e2e.world import a_setup
from tests.reliability.keeper import Keeper
from tests.reliability.reviewers import Reviewer
from tests.reliability.scan.browser import look_at_a_case
from tests.reliability.scan.ground import Ground
from tests.reliability.scan.needles import Needle, Search, forms, of_picture, of_vector
from tests.reliability.scan.records import Record, opened
from tests.support import eventually

FIGURES = Path("build/purge-scan.json")
FILM_S = 20.0
SCRIPT = {"gate-1": [Passage(FORTY_FOUR, 1.0), Passage(ADMIRAL, 6.0, lane=1), Passage(ASTRONAUT, 12.0)]}
WITHIN_S = 90.0
# On no list: what Signpost promises to forget at once.
STRANGER = "a stranger"
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
            for line in lines(certificate):
                self._say(line)
            eventually(self._all_alive, "every service to be started anew", within_s=WITHIN_S)
            self._ground.let_go()
            seen = self._ground.watch.seen
            self._say(f"looking for {len(seen)} keys, too")
            after = self._after(seen)
            return {
                **figures(before, after),
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
        """A face as embed would write it, of nobody on the list: match searches it and destroys its key."""
        exercise, now = self._exercise, datetime.now(UTC)
        vector, crop, context = a_vector(seed=20261122), _picture(1), _picture(2)
        face = a_face(
            deployment=ids.DeploymentId(exercise.deployment),
            captured_at=now,
            first_seen_at=now,
            camera=ids.CameraId("gate-1"),
            model_id=exercise.document.watchlist.model,
            vector=vector,
            shots=(a_shot(captured_at=now, jpeg=crop),),
            context_jpeg=context,
        )
        spec = keys.face(files.read_draft(exercise.draft).bounds(), face.event_id, now)
        store = VolatileKeys(self._ground.volatile, SystemClock())
        key = store.get_or_create(spec.id, expires_at=spec.expires_at)
        raw = codec.encode_sealed(face, topic=topics.FACES.name, sealing=Sealing(spec.id, key, AesGcm()))
        connection = Connection(exercise.stack.kafka.bootstrap, "plant")
        publish(connection, Output(topics.FACES.name, b"gate-1", raw, partition=0))
        self._canaries += [
            *of_vector(f"template of {STRANGER}", vector),
            *of_picture(f"crop of {STRANGER}", crop),
            *of_picture(f"surroundings of {STRANGER}", context),
        ]
        eventually(lambda: store.get_many([spec.id]) == [None], "the stranger's key destroyed", within_s=20.0)

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
        event = _event(record, found)
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


def _event(record: Record, found: Mapping[str, bytes]) -> Event | None:
    try:
        peeked = codec.peek(record.value, topic=record.name)
        return codec.open_sealed(peeked, key=found[peeked.key_id], cipher=AesGcm())
    except (Permanent, KeyError, ValueError):
        return None


def _kind(key_id: str) -> str:
    """Of which kind a key is, never whose."""
    return key_id.split("/")[1] if "/" in key_id else key_id


def _picture(seed: int) -> bytes:
    """A JPEG that nothing else has the bytes of."""
    pixels = np.random.default_rng(seed).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    return bytes(simplejpeg.encode_jpeg(pixels, quality=85, colorspace="RGB"))


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
    screen = Console()
    with tempfile.TemporaryDirectory(prefix="purge-") as folder:
        found = Purging(chosen.home or Path(folder), ray_workers=chosen.ray_workers, say=screen.print).run()
    screen.print_json(json.dumps(found))
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if passed(found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

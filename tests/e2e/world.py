"""A whole Signpost with a film of known passages, and what its topics hold in the end."""

from __future__ import annotations

import secrets
from contextlib import closing
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from console.authority import files
from console.demo.people import Account, write_people
from console.edges.kafka_read import KafkaReader
from console.ledger.statement import Statement
from console.run.deployment import ExerciseCamera
from console.run.exercise import Exercise, Setup
from console.sample import film
from console.sample.blue_list import write_blue_list
from services.contracts import codec, ids, keys, topics
from services.contracts.codec import Peeked
from services.contracts.events import Event
from services.contracts.sealed.entry import Relation
from services.runtime.clock import SystemClock
from services.runtime.keys.folder import FolderKeys
from tests.e2e.truth import FILM_FPS, Script, Truth, frame_seen, references
from tests.fakes.casework import FakeSessions
from tests.support import eventually

PICTURES = Path(".cache/assets/pictures")


def filmed(script: Script, folder: Path, *, seconds: float, loop: bool = False) -> list[ExerciseCamera]:
    """A camera for each entry of `script`, its film written below `folder`."""
    cameras = []
    for seed, (camera, passages) in enumerate(script.items(), start=1):
        path = folder / f"{camera}.mp4"
        film.write_film(path, PICTURES, passages, seconds=seconds, fps=FILM_FPS, seed=seed)
        cameras.append(ExerciseCamera(camera, path, loop=loop))
    return cameras


def a_setup(home: Path, script: Script, *, seconds: float, loop: bool = False, **more: Any) -> Setup:
    """An exercise of `script` below `home`, with reviewers ann and ben and the blue list, as if of brothers."""
    write_blue_list(home / "list", PICTURES, now=datetime.now(UTC), relation=Relation.SIBLING)
    people = home / "people.yaml"
    write_people(
        people, [Account(name, name.title(), "reviewer", FakeSessions.PASSWORD) for name in ("ann", "ben")]
    )
    return Setup(
        deployment=f"road-{secrets.token_hex(4)}",
        cameras=filmed(script, home / "media", seconds=seconds, loop=loop),
        list_dir=home / "list",
        people_file=people,
        home=home,
        **more,
    )


def tokens_of(exercise: Exercise, script: Script) -> dict[str, str]:
    """The subject token of each reference that walks, as the deployment's key makes them."""
    store = FolderKeys(exercise.home / "keys", SystemClock())
    key = store.get(keys.deployment(files.read_draft(exercise.draft).bounds()).id)
    assert key is not None
    return {reference: ids.subject_token(key, reference) for reference in references(script)}


class World:
    """Reads what a running exercise has written. One thread."""

    def __init__(self, exercise: Exercise, script: Script) -> None:
        self.exercise = exercise
        self.script = script

    def records(self, topic: str) -> list[Peeked]:
        """This deployment's records, clear parts only."""
        with closing(KafkaReader(self.exercise.stack.kafka.bootstrap)) as reader:
            found = [codec.peek(raw, topic=topic) for raw in reader.values(topic)]
        return [one for one in found if one.deployment == self.exercise.deployment]

    def decisions(self) -> list[Event]:
        """Every recorded move of a case."""
        return [codec.open_clear(one) for one in self.records(topics.DECISIONS.name)]

    @cached_property
    def truth(self) -> Truth:
        """As of the first asking: ask once the films are over."""
        frames = {one.event_id: frame_seen(one) for one in self.records(topics.FRAMES.name)}
        return Truth(self.script, tokens_of(self.exercise, self.script), frames)

    def settled(self, *, within_s: float) -> Statement:
        """The statement once every arrow adds up and nothing is on its way."""

        def standing() -> Statement | None:
            found = self.exercise.statement()
            return found if found.reconciles and not any(line.in_flight for line in found.lines) else None

        found = eventually(standing, "the counts to add up", within_s=within_s)
        assert found is not None
        return found

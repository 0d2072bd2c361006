"""A person is taken off the list while their face passes: from then on nothing alerts for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.edges.grpc_oversight import OversightClient
from console.run.exercise import Exercise
from console.sample.passages import Passage
from console.sample.sitters import FORTY_FOUR, FORTY_SIX
from console.stack.errors import StackUnavailableError
from console.watchlist import storing
from console.watchlist.revoking import take_off
from services.contracts import topics
from services.contracts.authorisation.enums import RevocationReason, Role
from services.contracts.codec import Peeked
from services.contracts.codec_fields import from_micros
from services.contracts.counts import Stage
from services.contracts.sealed.manifest import parse
from tests.e2e.world import World, a_setup
from tests.integration.stack import missing_server
from tests.support import eventually

# Both pass each time that the film is played again.
SCRIPT = {"gate-1": [Passage(FORTY_FOUR, 0.5), Passage(FORTY_SIX, 3.0, leftwards=True)]}
FILM_S = 7.0
EFFECT = timedelta(seconds=2)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One film, again and again."""
    exercise = Exercise(a_setup(tmp_path, SCRIPT, seconds=FILM_S, loop=True))
    try:
        exercise.__enter__()
    except StackUnavailableError as missing:
        missing_server(str(missing))
    try:
        exercise.start(Stage.REVIEW, Stage.MATCH, Stage.EMBED)
        exercise.start(Stage.INGEST)
        yield World(exercise, SCRIPT)
    finally:
        exercise.__exit__(None, None, None)


def alerts_of(world: World, token: str) -> list[Peeked]:
    return [one for one in world.records(topics.ALERTS.name) if one.text("subject") == token]


def searched_at(alert: Peeked) -> datetime:
    return from_micros(getattr(alert.body, "searched_at_us", 0))


def metric(exercise: Exercise, name: str) -> float:
    lines = exercise.services[Stage.MATCH].metrics().splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)


def test_within_two_seconds_nothing_alerts_for_who_was_taken_off(world: World) -> None:
    exercise = world.exercise
    manifest = parse(exercise.list.sealed.with_suffix(".manifest").read_bytes())
    token_of = storing.token_of(exercise.deployment, exercise.home / "keys")
    entries = {entry.subject_ref: entry.entry_id for entry in manifest.entries}
    off, stays = (token_of(one.reference) for one in (FORTY_FOUR, FORTY_SIX))
    eventually(lambda: alerts_of(world, off) and alerts_of(world, stays), "alerts for both", within_s=60)
    with OversightClient(exercise.oversight) as client:
        take_off(
            manifest,
            [entries[FORTY_FOUR.reference]],
            RevocationReason.LOCATED,
            token_of=token_of,
            key=exercise.sample.key(Role.LIST_MANAGER),
            oversight=client,
        )
    ordered_at = datetime.now(UTC)
    inert = 'signpost_match_inert_hits_total{reason="revoked"}'
    # The person passes at least twice more, and so does the other.
    eventually(lambda: metric(exercise, inert) >= 2, "two hits that raise nothing", within_s=60)
    last = max(searched_at(one) for one in alerts_of(world, off))
    assert last < ordered_at + EFFECT
    eventually(
        lambda: any(searched_at(one) > ordered_at + EFFECT for one in alerts_of(world, stays)),
        "an alert for who stays on the list",
        within_s=60,
    )

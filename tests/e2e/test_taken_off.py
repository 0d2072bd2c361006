"""A person is taken off the list while their face passes: from then on nothing alerts for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.authority.key_file import write_key
from console.commands.watchlist import app
from console.run.exercise import Exercise
from console.sample.passages import Passage
from console.sample.sitters import FORTY_FOUR, FORTY_SIX
from console.stack.errors import StackUnavailableError
from console.watchlist import storing
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


def taken_off(exercise: Exercise, entry: str) -> Result:
    """As the list's manager does it."""
    registry, key = exercise.home / "registry.jws", exercise.home / "manager.pem"
    registry.write_text(exercise.sample.registry())
    write_key(key, exercise.sample.secrets[Role.LIST_MANAGER])
    options = {
        "reason": RevocationReason.LOCATED,
        "key": key,
        "oversight": exercise.oversight,
        "registry": registry,
        "root": exercise.sample.root_fingerprint,
        "keys-dir": exercise.home / "keys",
    }
    given = (f"--{name}={value}" for name, value in options.items())
    manifest = exercise.list.sealed.with_suffix(".manifest")
    return CliRunner().invoke(app, ["revoke", str(manifest), entry, *given])


def test_within_two_seconds_nothing_alerts_for_who_was_taken_off(world: World) -> None:
    exercise = world.exercise
    manifest = parse(exercise.list.sealed.with_suffix(".manifest").read_bytes())
    token_of = storing.token_of(exercise.deployment, exercise.home / "keys")
    entries = {entry.subject_ref: entry.entry_id for entry in manifest.entries}
    off, stays = (token_of(one.reference) for one in (FORTY_FOUR, FORTY_SIX))
    eventually(lambda: alerts_of(world, off) and alerts_of(world, stays), "alerts for both", within_s=60)
    done = taken_off(exercise, entries[FORTY_FOUR.reference])
    assert done.exit_code == 0, done.output
    assert f"1 taken off {manifest.digest}; 1 revocations" in done.output
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

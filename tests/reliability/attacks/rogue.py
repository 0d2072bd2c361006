"""Attacks on review: what was searched outside an authority is shown to nobody."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.contracts.authorisation.enums import Move
from services.contracts.decisions import CaseOpened
from tests.integration.review.world import World
from tests.reliability.attacks.judge import Verdict
from tests.reliability.attacks.town import DWELL_S, EFFECT_S, WITHIN_S, Outcome, Servers
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import sha

# Alerts before the stop, and of each kind after it.
_EACH = 10


def rogue_matcher(servers: Servers) -> Outcome:
    """A matcher that minds no authority, with every key, publishes alerts: after the stop, and on another list."""
    with _world(servers) as world, world.review():
        asked = [world.subject(number) for number in range(3 * _EACH)]
        before, other, after = asked[:_EACH], asked[_EACH : 2 * _EACH], asked[2 * _EACH :]
        world.feed(*(world.alert(subject, number) for number, subject in enumerate(before)))
        eventually(lambda: _shown(world) == set(before), "cases of what was authorised", within_s=WITHIN_S)
        world.feed(*(world.alert(one, 100 + n, list_digest=sha("another list")) for n, one in enumerate(other)))
        world.signed.move(Move.STOP)
        time.sleep(EFFECT_S)
        world.feed(*(world.alert(subject, 200 + number) for number, subject in enumerate(after)))
        time.sleep(DWELL_S)
        wrong = _shown(world) - set(before)
        refused = sum(number for (name, _), number in world.tally().reasons.items() if name == "alerts_refused")
        told = f"{len(before)} cases of what was authorised, {refused} alerts refused"
        return Outcome(Verdict(0, tuple("a case of an alert that nobody authorised" for _ in wrong)), told)


def _shown(world: World) -> set[str]:
    """The subjects of whom there are cases."""
    return {str(event.subject) for event in world.decisions() if isinstance(event, CaseOpened)}


@contextmanager
def _world(servers: Servers) -> Iterator[World]:
    folder = servers.folder / f"review-{secrets.token_hex(4)}"
    folder.mkdir()
    world = World(servers.bootstrap, servers.volatile_url, servers.durable_url, folder)
    try:
        yield world
    finally:
        world.close()

"""Acknowledged is chained: over the sequencer's deaths, and over those of who asks."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from time import sleep

import pytest

from console.audit.verify import verify_lines
from console.stack.kafka import KafkaCluster
from services.contracts.audit.chain import Audited
from services.contracts.audit.numbering import Deed, Numbering, Under, incarnation
from services.contracts.audit.requests import Action
from services.runtime.audit_trail import AuditTrail, kafka_trail
from services.runtime.kafka.config import Connection
from tests.integration.oversight.chain_ground import ChainGround
from tests.integration.oversight.chain_worker import POINTS, keys_of_today
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.support import eventually
from tests.unit.contracts.audit.builders import CHAIN, SERVICES, root_fingerprint, verify

WITHIN_S = 60.0


@pytest.fixture
def ground(kafka: KafkaCluster) -> Iterator[ChainGround]:
    world = KafkaWorld(kafka.bootstrap)
    yield ChainGround(world)
    world.close()


def a_trail(bootstrap: str, requests: str, audit: str) -> AuditTrail:
    trail = kafka_trail(
        Connection(bootstrap, "test"),
        Numbering(incarnation("review"), Under.deployment(CHAIN, 3)),
        SERVICES["review"],
        registered=lambda key: True,
        entered=lambda entry: entry.is_entered(keys_of_today(), verify),
        on_error=lambda code: None,
        requests=requests,
        audit=audit,
    )
    trail.start()
    return trail


def a_view(about: str) -> Deed:
    return Deed(at=datetime.now(UTC), what=Action.FACE_VIEWED, about=about)


def chained(ground: ChainGround) -> list[str]:
    """What the entries are about, in their order."""
    return [record.request.content.about for record in ground.recorded() if isinstance(record, Audited)]


def whole(ground: ChainGround) -> None:
    verdict = verify_lines(ground.file(CHAIN), root_fingerprint())
    assert verdict.ok, verdict.fault


def test_every_entry_is_chained_once_whenever_the_sequencer_dies(ground: ChainGround) -> None:
    trail = a_trail(ground.world.connection.bootstrap, ground.names.requests, ground.names.audit)
    asked: list[Future[None]] = []
    try:
        for point in POINTS:
            with ground.sequencer(point, 1) as life:
                while life.is_alive():
                    asked.append(trail.record(a_view(f"view-{len(asked)}")))
                    life.join(0.05)
        with ground.sequencer():
            for one in asked:
                one.result(timeout=WITHIN_S)
    finally:
        trail.stop()
    assert chained(ground) == [f"view-{number}" for number in range(len(asked))]
    whole(ground)


def test_what_was_acknowledged_before_its_producer_died_is_there_once(ground: ChainGround) -> None:
    random.seed(7)
    known: list[str] = []
    with ground.sequencer():
        for life in range(8):
            for about in lived(ground, life):
                known.append(about)
        settled = ground.world.producer()
        settled.flush(WITHIN_S)
        eventually(lambda: set(known) <= set(chained(ground)), "all that was acknowledged", within_s=WITHIN_S)
    found = chained(ground)
    assert len(known) > 20
    assert len(set(found)) == len(found)
    whole(ground)


def lived(ground: ChainGround, life: int) -> list[str]:
    """What a producer heard acknowledged until it was killed."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    names = (ground.world.connection.bootstrap, ground.names.requests, ground.names.audit)
    process = multiprocessing.get_context("forkserver").Process(
        target=_ask_on, args=(*names, life, theirs), daemon=True
    )
    process.start()
    theirs.close()
    assert ours.poll(WITHIN_S), "its first acknowledgement"
    sleep(random.uniform(0.1, 0.6))
    process.kill()
    process.join(WITHIN_S)
    heard = []
    try:
        while ours.poll(0):
            heard.append(ours.recv())
    except EOFError:
        pass
    return heard


def _ask_on(
    bootstrap: str, requests: str, audit: str, life: int, heard: multiprocessing.connection.Connection
) -> None:
    trail = a_trail(bootstrap, requests, audit)
    number = 0
    while True:
        about = f"life-{life}/{number}"
        trail.record(a_view(about)).result(WITHIN_S)
        heard.send(about)
        number += 1

"""The sequencer on Apache Kafka, killed wherever it can be."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from time import sleep

import pytest

from console.audit.verify import verify_lines
from console.stack.kafka import KafkaCluster
from tests.integration.oversight.chain_ground import CHAINS, ChainGround, Missing
from tests.integration.oversight.chain_worker import FENCED, POINTS
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.support import eventually
from tests.unit.contracts.audit.builders import CHAIN, PRODUCERS, a_request, root_fingerprint, signed

WITHIN_S = 60.0
KILLED = -signal.SIGKILL


@pytest.fixture
def ground(kafka: KafkaCluster) -> Iterator[ChainGround]:
    world = KafkaWorld(kafka.bootstrap)
    yield ChainGround(world)
    world.close()


def whole(ground: ChainGround) -> None:
    """Everything sent is recorded once, and each chain verifies offline."""
    assert ground.missing() == Missing(gaps=0, doubles=0)
    for chain in CHAINS:
        verdict = verify_lines(ground.file(chain), root_fingerprint())
        assert verdict.ok, verdict.fault
        assert verdict.entries == sum(last for (of, _), last in ground.sent.items() if of == chain)


def test_killed_at_every_point_and_at_random_it_leaves_no_gap_and_no_double(ground: ChainGround) -> None:
    random.seed(4)
    with ground.producers(each_s=0.05):
        for point in POINTS:
            with ground.sequencer(point, 1 if "recovery" in point else 2) as life:
                life.join(WITHIN_S)
                assert life.exitcode == KILLED, point
        for _ in range(10):
            with ground.sequencer() as life:
                # When it dies is left to chance.
                sleep(random.uniform(0.0, 0.8))
                assert life.is_alive()
    with ground.sequencer():
        eventually(lambda: ground.entries() >= ground.sent.total(), "every request recorded", within_s=WITHIN_S)
    whole(ground)


def test_a_sequencer_that_wakes_up_after_its_successor_has_begun_adds_nothing(ground: ChainGround) -> None:
    with ground.producers(each_s=0.02), ground.sequencer() as elder:
        eventually(lambda: ground.entries() > 10, "the elder at work", within_s=WITHIN_S)
        assert elder.pid is not None
        os.kill(elder.pid, signal.SIGSTOP)
        with ground.sequencer() as younger:
            seen = ground.entries()
            eventually(lambda: ground.entries() > seen + 10, "the younger at work", within_s=WITHIN_S)
            os.kill(elder.pid, signal.SIGCONT)
            elder.join(WITHIN_S)
            assert elder.exitcode == FENCED
            assert younger.is_alive()
            eventually(lambda: ground.entries() >= ground.sent.total() - 20, "it catches up", within_s=WITHIN_S)
    with ground.sequencer():
        eventually(lambda: ground.entries() >= ground.sent.total(), "every request recorded", within_s=WITHIN_S)
    whole(ground)


def test_a_stop_drains_and_the_next_goes_on_where_it_was(ground: ChainGround) -> None:
    for _ in range(2):
        ground.send(*(ground.next_request(name) for name in PRODUCERS))
        with ground.sequencer() as life:
            eventually(lambda: ground.entries() == ground.sent.total(), "recorded", within_s=WITHIN_S)
            life.terminate()
            life.join(WITHIN_S)
            assert life.exitcode == 0
    whole(ground)


def test_what_cannot_be_chained_holds_up_nobody_else(ground: ChainGround) -> None:
    """It parked its partition: every process with its requests there showed no face until somebody looked."""
    first, second = PRODUCERS[:2]
    skipped = signed(a_request(producer=f"{first}-too", sequence=2, chain=CHAIN))
    ground.send_as(first, skipped)
    ground.send(*(ground.next_request(name) for name in (first, second) for _ in range(3)))
    with ground.sequencer():
        eventually(lambda: ground.entries() == 6, "all others", within_s=WITHIN_S)
    whole(ground)


def test_a_request_that_is_sent_again_after_its_offset_was_lost_is_recorded_once(ground: ChainGround) -> None:
    requests = [ground.next_request(name) for name in PRODUCERS for _ in range(3)]
    ground.send(*requests)
    with ground.sequencer():
        eventually(lambda: ground.entries() == len(requests), "recorded", within_s=WITHIN_S)
    ground.send(*requests, ground.next_request(PRODUCERS[0]))
    with ground.sequencer():
        eventually(lambda: ground.entries() == len(requests) + 1, "the new one", within_s=WITHIN_S)
    whole(ground)

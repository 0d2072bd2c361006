"""The pipeline on the real loop and the fake broker, while commits are refused and the group moves on."""

from __future__ import annotations

import random
import threading

import pytest

from services.contracts import codec, counts, topics
from services.contracts.counts import Count, Stage
from services.contracts.events import StageCounts
from services.contracts.ids import DeploymentId
from services.embed.core.frames import Frame
from services.embed.metrics import LOOP
from services.runtime import counts_topic, dead_letter_topic
from services.runtime.clock import SystemClock
from services.runtime.kafka.broker import Abortable
from services.runtime.kafka.commit import Transactional
from services.runtime.kafka.figures import LoopFigures
from services.runtime.kafka.loop import Loop, Shape
from services.runtime.kafka.types import Output, Partition
from tests.fakes.broker import FakeBroker
from tests.support import eventually
from tests.unit.embed.toys import BLUE, GREEN, RED, Person, Street, scene

GROUP = "signpost-embed-high-street"
FRAMES = 60
REFUSED = Abortable("PLANNED", "a broker that moves")


def a_broker(street: Street, chance: random.Random) -> FakeBroker:
    """Two cameras, each with a face that is published and faces too small that come and go."""
    broker = FakeBroker()
    for topic in topics.ALL:
        broker.create_topic(topic.name, partitions=topic.partitions)
    for step in range(FRAMES // 2):
        for camera in ("gate-1", "gate-2"):
            people = [Person(RED, 20 + 5 * step)] if camera == "gate-1" else [Person(BLUE, 20 + 5 * step)]
            people += [Person(GREEN, 400, size=30)] if chance.random() < 0.3 else []
            record = street.record(scene(*people), camera=camera)
            broker.append(Output("frames", record.key, record.value, partition=record.partition))
        street.clock.advance(0.2)
    return broker


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_refused_committed_counts_add_up_and_no_face_is_doubled(seed: int) -> None:
    chance = random.Random(seed)
    street = Street()
    broker = a_broker(street, chance)
    consumer = broker.consumer(GROUP)
    loop: Loop[Frame] = Loop(
        street.pipeline,
        topics=["frames"],
        consumer=consumer,
        commits=Transactional(broker.transactional("embed-1")),
        shape=Shape(max_batch=4, max_wait_ms=0, prefetch_records=8, tick_s=0.02),
        counts_record=counts_topic.writer(DeploymentId("high-street"), Stage.EMBED, "life-1", SystemClock()),
        dead_letters=dead_letter_topic.writer(
            DeploymentId("high-street"),
            topics.FRAMES_DEAD,
            SystemClock(),
            received=Count.FRAMES_RECEIVED,
            dead=Count.FRAMES_DEAD,
            foreign=Count.FRAMES_FOREIGN,
        ),
        metrics=LoopFigures(street.registry, LOOP, dead_lettered=street.metrics.dead_lettered),
        heartbeat=lambda: None,
        clock=SystemClock(),
    )
    stop = threading.Event()
    thread = threading.Thread(target=loop.run, args=(stop,), name="signpost-test-loop")
    thread.start()
    try:
        for reached in sorted(chance.sample(range(2, FRAMES - 2), 5)):
            eventually(lambda: _committed(broker) >= reached, "some progress", within_s=20)  # noqa: B023 - called here
            if chance.random() < 0.6:
                broker.fail_next("commit", REFUSED, times=chance.randint(1, 3))
            else:
                broker.expire(consumer)
        eventually(lambda: _committed(broker) == FRAMES, "all frames", within_s=20)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    records = [record.value for record in broker.records("counts")]
    told = [codec.expect(codec.open_clear(codec.peek(v, topic="counts")), StageCounts) for v in records]
    lives = [one for one in told if one.stage == Stage.EMBED]
    for number in range(1, len(lives) + 1):
        totals = counts.tally(lives[:number]).totals
        wholes = (Count.FRAMES_RECEIVED, Count.FRAMES_DECODED, Count.TRACKS_STARTED)
        assert [a for a in counts.ARROWS if a.whole in wholes and a.gap(totals)] == [], totals
    totals = counts.tally(lives).totals
    assert totals[Count.FRAMES_RECEIVED] == totals[Count.FRAMES_DECODED] == FRAMES
    assert totals[Count.FRAMES_SKIPPED] == 0
    faces = [codec.peek(record.value, topic="faces").event_id for record in broker.records("faces")]
    assert totals[Count.FACES_PUBLISHED] == len(faces) == len(set(faces))


def _committed(broker: FakeBroker) -> int:
    return sum(
        offset
        for partition, offset in broker.committed(GROUP).items()
        if partition in (Partition("frames", 0), Partition("frames", 1))
    )

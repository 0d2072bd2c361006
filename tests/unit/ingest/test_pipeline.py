"""What a frame has to pass before it is sent, and what is said of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from services.contracts import codec, keys, topics
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import Authority
from services.contracts.events import FrameCaptured, StageCounts
from services.ingest.core.holding import Holding
from services.ingest.edges.kafka_outlet import KafkaOutlet
from services.ingest.outbox import Outbox, Run
from services.ingest.pipeline import Pipeline
from services.runtime import counts_topic
from services.runtime.kafka.types import Output
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.ring import Found, Keyring
from tests.fakes.broker import FakeBroker
from tests.fakes.clock import A_MORNING, ManualClock
from tests.fakes.ingest import FakeOutlet
from tests.fakes.keys import FakeKeys
from tests.fakes.standing import OpenStanding
from tests.proofs import proving
from tests.unit.ingest.builders import a_camera, a_picture, a_run, an_authority, metrics


@dataclass
class Rig:
    """A pipeline on fakes, with one run to offer frames to."""

    authority: Authority = field(default_factory=lambda: an_authority(a_camera("gate-0"), a_camera("gate-1")))
    max_unacked: int = 10

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.standing = OpenStanding(self.authority, self.clock.now)
        self.volatile, self.store = FakeKeys(self.clock), FakeKeys(self.clock)
        self.ring = Keyring(self.volatile, self.store, self.clock)
        self.outlet = FakeOutlet()
        live = metrics("gate-0", "gate-1")
        self.outbox = Outbox(frames_a_camera=5, metrics=live)
        self.pipeline = Pipeline(
            self.authority,
            self.standing,
            self.outbox,
            self.outlet,
            keys=self.ring,
            cipher=AesGcm(),
            account=counts_topic.output,
            clock=self.clock,
            metrics=live,
            max_unacked=self.max_unacked,
        )

    def begin(self, holding: Holding | None = None) -> Run:
        run = a_run(a_camera("gate-1"), holding=holding)
        self.outbox.begin(run)
        return run

    def newest_counts(self) -> StageCounts:
        newest = self.outlet.on(topics.COUNTS.name)[-1]
        return codec.expect(codec.open_clear(codec.peek(newest.value, topic=newest.topic)), StageCounts)


def test_a_frame_is_sealed_under_its_epochs_key_on_its_cameras_partition() -> None:
    rig = Rig()
    run = rig.begin()
    rig.outbox.offer(run, a_picture(4))
    rig.pipeline.turn()
    (output,) = rig.outlet.on(topics.FRAMES.name)
    assert (output.key, output.partition) == (b"gate-1", 1)
    assert b"a picture" not in output.value
    peeked = codec.peek(output.value, topic=topics.FRAMES.name)
    found = rig.ring.find(keys.frame(rig.authority, peeked.captured_at))
    assert isinstance(found, Found)
    frame = codec.expect(codec.open_sealed(peeked, key=found.key, cipher=AesGcm()), FrameCaptured)
    assert frame.event_id == "gate-1.5.1.1"
    assert (frame.read, frame.dropped_before, frame.jpeg) == (4, 0, a_picture().jpeg)


@pytest.mark.parametrize(
    ("hours", "use_case", "reason"),
    [(-1, "exercise", "outside_window"), (1, "exercise", "outside_window")],
)
def test_a_frame_outside_the_window_is_never_sent(hours: int, use_case: str, reason: str) -> None:
    rig = Rig()
    run = rig.begin()
    rig.outbox.offer(run, a_picture(1, at=A_MORNING + timedelta(hours=hours)))
    rig.pipeline.turn()
    assert rig.outlet.on(topics.FRAMES.name) == []
    assert run.tally.dropped == {reason: 1}


def test_a_frame_too_large_for_its_topic_is_dropped_by_reason_and_the_next_goes_out() -> None:
    """One picture that does not compress ended ingest for all cameras, and the next holder met the same one."""
    rig = Rig()
    run = rig.begin()
    rig.outbox.offer(run, replace(a_picture(1), jpeg=bytes(topics.FRAMES.max_message_bytes)))
    rig.outbox.offer(run, a_picture(2))
    rig.pipeline.turn()
    rig.pipeline.turn()
    assert run.tally.dropped == {"too_large": 1}
    (output,) = rig.outlet.on(topics.FRAMES.name)
    assert codec.peek(output.value, topic=output.topic).event_id == "gate-1.5.1.2"


def test_a_frame_that_its_broker_finds_too_large_is_dropped_by_reason() -> None:
    """A cluster whose limit is below the table's: `signpost topics check` says so, and ingest goes on."""
    broker = FakeBroker()
    broker.create_topic(topics.FRAMES.name, partitions=2, max_message_bytes=10_000)
    broker.create_topic(topics.COUNTS.name)
    outlet = KafkaOutlet(broker.producer(), proving("ingest"))
    answers: list[str | None] = []
    for size in (20_000, 10):
        outlet.send(Output(topics.FRAMES.name, b"gate-1", bytes(size), partition=1), answers.append)
        outlet.serve()
    assert answers == ["too_large", None]


def test_a_frame_of_a_source_the_authority_does_not_admit_is_never_sent() -> None:
    rig = Rig(an_authority(a_camera("gate-1", source="folder"), use_case="live"))
    run = rig.begin()
    rig.outbox.offer(run, a_picture(1))
    rig.pipeline.turn()
    assert rig.outlet.on(topics.FRAMES.name) == []
    assert run.tally.dropped == {"source_not_admitted": 1}


def test_a_frame_that_waited_while_the_authority_ended_is_never_sent() -> None:
    rig = Rig()
    run = rig.begin()
    rig.outbox.offer(run, a_picture(1))
    rig.standing.why = Refusal.NOT_ACTIVE
    rig.pipeline.turn()
    assert rig.outlet.on(topics.FRAMES.name) == []
    assert run.tally.dropped == {"not_active": 1}


def test_a_frame_waits_for_a_lease_that_is_late() -> None:
    rig = Rig()
    run = rig.begin()
    rig.outbox.offer(run, a_picture(1))
    rig.standing.why = Refusal.LEASE_STALE
    rig.pipeline.turn()
    assert rig.outlet.on(topics.FRAMES.name) == []
    rig.standing.why = None
    rig.pipeline.turn()
    assert len(rig.outlet.on(topics.FRAMES.name)) == 1
    assert run.tally.dropped == {}


def test_a_frame_of_a_camera_that_is_not_ours_for_certain_is_never_sent() -> None:
    rig = Rig()
    run = rig.begin(Holding(a_run().holding.camera, 5, asked_s=0.0, ttl_s=4.0))
    rig.outbox.offer(run, a_picture(1))
    rig.clock.advance(3.0)
    rig.pipeline.turn()
    assert rig.outlet.on(topics.FRAMES.name) == []
    assert run.tally.dropped == {"lease_lost": 1}


def test_without_keys_frames_are_dropped_and_the_store_is_not_asked_for_each() -> None:
    rig = Rig()
    run = rig.begin()
    rig.volatile.away = True
    for read in (1, 2):
        rig.outbox.offer(run, a_picture(read))
        rig.pipeline.turn()
    assert run.tally.dropped == {"key_unavailable": 2}
    assert not rig.pipeline.keys_usable
    rig.volatile.away = False
    rig.clock.advance(1.0)
    rig.outbox.offer(run, a_picture(3))
    rig.pipeline.turn()
    assert len(rig.outlet.on(topics.FRAMES.name)) == 1
    assert rig.pipeline.keys_usable


def test_a_frame_that_waited_until_nobody_could_read_it_is_dropped_as_expired() -> None:
    rig = Rig()
    run = rig.begin()
    rig.outbox.offer(run, a_picture(1))
    rig.clock.advance(120)
    rig.pipeline.turn()
    assert run.tally.dropped == {"expired": 1}


def test_a_frame_counts_as_published_when_it_is_acknowledged_and_as_dropped_when_it_is_refused() -> None:
    rig = Rig()
    run = rig.begin()
    for read, failure in ((1, None), (2, "_MSG_TIMED_OUT")):
        rig.outbox.offer(run, a_picture(read))
        rig.pipeline.turn()
        assert run.tally.in_hand == 1
        rig.outlet.answer(failure)
    assert (run.tally.published, run.tally.dropped) == (1, {"delivery_failed": 1})


def test_with_too_many_answers_outstanding_frames_wait_in_their_queues() -> None:
    rig = Rig(max_unacked=1)
    run = rig.begin()
    for read in (1, 2):
        rig.outbox.offer(run, a_picture(read))
        rig.pipeline.turn()
    assert len(rig.outlet.on(topics.FRAMES.name)) == 1
    assert rig.outbox.depth() == 1
    rig.outlet.answer()
    rig.pipeline.turn()
    assert len(rig.outlet.on(topics.FRAMES.name)) == 2


def test_a_run_is_accounted_for_about_every_second_and_at_its_end() -> None:
    rig = Rig()
    run = rig.begin()
    rig.outbox.advance(run, 7)
    rig.pipeline.turn()
    assert len(rig.outlet.on(topics.COUNTS.name)) == 1
    rig.pipeline.turn()
    assert len(rig.outlet.on(topics.COUNTS.name)) == 1, "a second has not passed"
    rig.outbox.offer(run, a_picture(8))
    rig.clock.advance(1.1)
    rig.pipeline.turn()
    counts = rig.newest_counts()
    assert (counts.stage, counts.incarnation, counts.final) == ("ingest", "gate-1.5.1", False)
    assert counts.standing == {("frames_in_hand", ""): 1}
    rig.outlet.answer()
    rig.outbox.end(run)
    rig.clock.advance(1.1)
    rig.pipeline.turn()
    last = rig.newest_counts()
    assert last.final
    assert last.totals == {
        ("frames_read", ""): 8,
        ("frames_not_sampled", ""): 7,
        ("frames_sampled", ""): 1,
        ("frames_published", ""): 1,
    }

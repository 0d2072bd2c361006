"""A frame's way through embed, with toys for models and everything else real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from services.contracts import codec, counts, topics
from services.contracts.authorisation.refusals import Refusal
from services.contracts.counts import Count
from services.contracts.errors import Permanent, Transient
from services.contracts.events import StageCounts
from services.embed.core.frames import Frame
from services.embed.core.shots import BestShots, EveryFace, Place, Published, Taken
from services.embed.edges import pictures, run_counts
from services.runtime.kafka.types import NOTHING, Dropped, Outcome, Partition
from services.runtime.keys.ring import Keyring
from tests.unit.embed.toys import BLUE, GREEN, RED, WIDTH, Person, Street, scene, total

ALL = [Partition("frames", number) for number in range(8)]


def adds_up(*outcomes: Outcome) -> None:
    """Every arrow of embed holds over what was committed."""
    totals: Counter[Count] = Counter()
    for outcome in outcomes:
        for (_, name), value in outcome.counts.items():
            totals[Count(name.partition(":")[0])] += value
    for (_, name), value in outcomes[-1].gauges.items():
        totals[Count(name)] = value
    wholes = (Count.FRAMES_RECEIVED, Count.FRAMES_DECODED, Count.TRACKS_STARTED)
    assert [arrow for arrow in counts.ARROWS if arrow.whole in wholes and arrow.gap(totals)] == []


def test_the_first_usable_shot_is_published_with_its_frame() -> None:
    street = Street()
    outcome = street.see(Person(RED, 100), camera="gate-2")
    (face,) = street.faces(outcome)
    (output,) = [output for output in outcome.outputs if output.topic == "faces"]
    assert (output.partition, output.key) == (1, b"gate-2")
    assert (face.camera, face.track, face.revision, face.model_id) == ("gate-2", "gate-2.1.1.1.0", 1, "colours-1")
    assert face.shots[0].box.left_px == pytest.approx(100, abs=4)
    assert int(np.argmax(face.vector[:3])) == 2
    assert total(Count.FACES_PUBLISHED, outcome) == total(Count.TRACKS_USABLE, outcome) == 1
    adds_up(outcome)


def test_a_frame_without_a_face_is_counted_and_gone() -> None:
    outcome = Street().see()
    assert [output.topic for output in outcome.outputs] == ["counts"]
    assert total(Count.FRAMES_WITHOUT_FACE, outcome) == total(Count.FRAMES_DECODED, outcome) == 1
    adds_up(outcome)


def test_a_track_is_published_again_with_each_shot_it_gains_and_then_no_more() -> None:
    street = Street()
    outcomes = [street.see(Person(RED, 100 + 10 * step)) for step in range(15)]
    faces = street.faces(*outcomes)
    assert [face.revision for face in faces] == [1, 2, 3, 4]
    assert [len(face.shots) for face in faces] == [1, 2, 3, 4]
    assert {face.track for face in faces} == {"gate-1.1.1.1.0"}
    assert len({face.trace_id for face in faces}) == 1
    assert sum(street.recogniser.batches) == 4
    adds_up(*outcomes)


def test_shots_of_all_cameras_are_embedded_in_one_batch() -> None:
    street = Street()
    jpeg = scene(Person(RED, 100), Person(BLUE, 400))
    outcome = street.handle(street.record(jpeg), street.record(jpeg, camera="gate-2"))
    assert street.recogniser.batches == [4]
    assert len(street.faces(outcome)) == 4


def test_of_near_identical_frames_in_a_batch_one_shot_is_embedded() -> None:
    street = Street()
    records = []
    for _ in range(2):
        records.append(street.record(scene(Person(RED, 100))))
        street.clock.advance(0.2)
    assert len(street.faces(street.handle(*records))) == 1
    assert street.recogniser.batches == [1]


class TheNewestShot:
    """A policy that keeps the newest shot alone, and tells of it when it is told to."""

    asked = True

    def admits(self, kept: Sequence[Taken], new: Taken) -> Place:
        return Place(0) if kept else Place()

    def is_news(self, last: Published | None, *, shots: int, quality: float) -> bool:
        return self.asked

    def keeps(self, published: Sequence[Taken]) -> Sequence[int]:
        return range(len(published))


def test_a_shot_that_is_replaced_before_its_track_is_published_again_costs_no_embedding() -> None:
    policy = TheNewestShot()
    street = Street(policy=policy)
    street.see(Person(RED, 100))
    policy.asked = False
    assert not street.faces(street.see(Person(GREEN, 104)), street.see(Person(BLUE, 108)))
    assert street.recogniser.batches == [1]
    policy.asked = True
    (face,) = street.faces(street.see(Person(BLUE, 112)))
    assert street.recogniser.batches == [1, 1]
    assert face.vector[0] > 2 * face.vector[2], "the newest shot's colour, BGR"


def test_a_file_played_faster_than_it_was_filmed_gives_the_same_passages() -> None:
    street = Street()
    outcomes = []
    for step in range(15):
        jpeg = scene(Person(RED, 20 + 60 * (step % 8)))
        outcomes.append(street.handle(street.record(jpeg, position_s=0.2 * step)))
        street.clock.advance(0.001)
    slowly = Street()
    expected = [slowly.see(Person(RED, 20 + 60 * (step % 8))) for step in range(15)]
    assert [len(face.shots) for face in street.faces(*outcomes)] == [
        len(face.shots) for face in slowly.faces(*expected)
    ]
    assert total(Count.TRACKS_STARTED, *outcomes) == total(Count.TRACKS_STARTED, *expected)


def test_the_benchmarks_policy_embeds_every_face_of_every_frame() -> None:
    street = Street(policy=EveryFace())
    outcomes = [street.see(Person(RED, 100), Person(BLUE, 400)) for _ in range(5)]
    assert sum(street.recogniser.batches) == 10
    assert total(Count.FACES_PUBLISHED, *outcomes) == 10


def test_a_face_too_small_is_followed_but_never_searched_and_the_reason_is_counted() -> None:
    street = Street()
    outcomes = [street.see(Person(GREEN, 100, size=30)), street.see(Person(GREEN, 104, size=30))]
    assert outcomes[-1].gauges[counts.key("high-street", Count.TRACKS_PENDING)] == 1
    outcomes += [street.see() for _ in range(7)]
    assert total(Count.TRACKS_UNUSABLE, *outcomes, reason="too_small") == 1
    assert street.faces(*outcomes) == []
    assert street.recogniser.batches == []
    adds_up(*outcomes)


def test_a_face_whose_key_would_be_dead_at_birth_is_counted_late_and_others_of_its_batch_are_searched() -> None:
    street = Street()
    waited = street.prepared(street.record(scene(Person(RED, 100))))
    street.clock.advance(400)
    fresh = street.prepared(street.record(scene(Person(RED, 100)), camera="gate-2"))
    outcome = street.pipeline.handle([waited, fresh])
    assert [face.camera for face in street.faces(outcome)] == ["gate-2"]
    street.clock.advance(6)
    ended = street.pipeline.tick()
    assert total(Count.TRACKS_UNUSABLE, ended, reason="late") == 1
    assert total(Count.TRACKS_USABLE, outcome) == 1
    adds_up(outcome, ended)


def test_a_frame_taken_while_suspended_is_not_looked_at_though_it_was_prepared_before_anybody_knew() -> None:
    street = Street()
    taken_at = street.clock.now()
    prepared = street.prepared(street.record(scene(Person(RED, 100))))
    street.clock.advance(1)
    street.standing.suspended = (taken_at, street.clock.now())
    after = street.prepared(street.record(scene(Person(BLUE, 100)), camera="gate-2"))
    outcome = street.pipeline.handle([prepared, after])
    assert [face.camera for face in street.faces(outcome)] == ["gate-2"]
    assert total(Count.FRAMES_REFUSED, outcome, reason="not_active") == 1
    assert total(Count.FRAMES_RECEIVED, outcome) == 2
    assert not np.any(prepared.item.small), "its pixels are gone"
    adds_up(outcome)


def test_a_shot_of_a_moment_that_turned_out_suspended_leaves_its_track() -> None:
    """A template is of all its shots: one taken while suspended was searched with the others after resumption."""
    street = Street()
    first = street.see(Person(RED, 100))
    taken_at = street.clock.now()
    street.clock.advance(0.3)
    street.see(Person(RED, 104))
    street.clock.advance(0.3)
    street.standing.suspended = (taken_at, street.clock.now())
    third = street.see(Person(RED, 108))
    assert [len(face.shots) for face in street.faces(first)] == [1]
    (face,) = street.faces(third)
    assert all(
        shot.captured_at < taken_at or shot.captured_at >= taken_at + timedelta(seconds=0.6) for shot in face.shots
    )
    assert len(face.shots) == 2
    adds_up(first, third)


def with_crops_of(street: Street, monkeypatch: pytest.MonkeyPatch, size: int, context: int = 100) -> None:
    monkeypatch.setattr(pictures, "encode_crop", lambda image: bytes(size))
    monkeypatch.setattr(pictures, "encode_context", lambda image: bytes(context))


def test_a_face_with_many_large_shots_is_published_with_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its record was above its topic's limit: the worker ended, and so did the next that read the same frames."""
    street = Street(policy=BestShots(max_shots=8, spread_s=0.0, better=1.0))
    with_crops_of(street, monkeypatch, 500_000)
    frames = []
    for step in range(6):
        frames.append(street.prepared(street.record(scene(Person(RED, 100 + step)))))
        street.clock.advance(0.2)
    outcome = street.pipeline.handle(frames)
    (face,) = street.faces(outcome)
    assert 1 <= len(face.shots) <= 4
    assert face.context_jpeg == b""
    assert total(Count.FACES_PUBLISHED, outcome) == total(Count.TRACKS_USABLE, outcome) == 1
    adds_up(outcome)


def test_a_face_that_no_record_could_hold_is_counted_and_others_of_its_batch_are_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    street = Street()
    with_crops_of(street, monkeypatch, topics.FACES.max_message_bytes)
    large = street.prepared(street.record(scene(Person(RED, 100))))
    refused = street.pipeline.handle([large])
    assert street.faces(refused) == []
    with_crops_of(street, monkeypatch, 1000)
    small = street.handle(street.record(scene(Person(BLUE, 100)), camera="gate-2"))
    assert [face.camera for face in street.faces(small)] == ["gate-2"]
    street.clock.advance(6)
    ended = street.pipeline.tick()
    assert total(Count.TRACKS_UNUSABLE, ended, reason="too_large") == 1
    adds_up(refused, small, ended)


def test_a_new_run_of_a_camera_begins_new_tracks() -> None:
    street = Street()
    outcomes = [street.see(Person(RED, 100)), street.see(Person(RED, 100), lease=2)]
    assert [face.track for face in street.faces(*outcomes)] == ["gate-1.1.1.1.0", "gate-1.2.1.1.0"]
    adds_up(*outcomes)


def test_a_silent_camera_ends_its_tracks_by_the_clock() -> None:
    street = Street()
    seen = street.see(Person(GREEN, 100, size=30))
    assert street.pipeline.tick() is NOTHING
    street.clock.advance(6)
    ended = street.pipeline.tick()
    assert total(Count.TRACKS_UNUSABLE, ended, reason="too_small") == 1
    adds_up(seen, ended)


def test_revoked_partitions_cut_their_pending_tracks_short() -> None:
    street = Street()
    seen = street.see(Person(GREEN, 100, size=30), Person(GREEN, 300, size=30))
    street.pipeline.revoked(ALL[:1])
    cut = street.pipeline.tick()
    assert total(Count.TRACKS_CUT_SHORT, cut) == 2
    adds_up(seen, cut)


def test_after_an_abort_the_same_frames_give_the_same_faces() -> None:
    street = Street()
    records = [street.record(scene(Person(RED, 100)))]
    lost = street.handle(*records)
    street.pipeline.revoked(ALL)
    street.pipeline.assigned(ALL)
    assert street.pipeline.tick() is NOTHING
    again = street.handle(*records)
    assert [f.event_id for f in street.faces(lost)] == [f.event_id for f in street.faces(again)]
    assert total(Count.TRACKS_CUT_SHORT, again) == 0
    adds_up(again)


def test_a_store_that_is_away_leaves_everything_as_it_was() -> None:
    street = Street()
    batch = [street.prepared(street.record(scene(Person(RED, 100))))]
    street.volatile.away = True
    with pytest.raises(Transient):
        street.pipeline.handle(batch)
    street.volatile.away = False
    outcome = street.pipeline.handle(batch)
    (face,) = street.faces(outcome)
    assert face.event_id == "gate-1.1.1.1.0.r1"
    assert total(Count.TRACKS_STARTED, outcome) == 1
    adds_up(outcome)


def test_pixels_are_overwritten_once_a_frame_is_handled() -> None:
    street = Street()
    one = street.prepared(street.record(scene(Person(RED, 100))))
    street.pipeline.handle([one])
    assert not one.item.small.any()


def test_a_run_is_told_as_its_newest_frame_tells_it() -> None:
    street = Street()
    outcome = street.handle(*[street.record(scene()) for _ in range(3)])
    (output,) = [output for output in outcome.outputs if output.topic == "counts"]
    told = codec.expect(codec.open_clear(codec.peek(output.value, topic="counts")), StageCounts)
    assert (told.stage, told.incarnation) == ("ingest", "gate-1.1.1")
    assert told.totals[Count.FRAMES_READ, ""] == 9
    assert told.totals[Count.FRAMES_SAMPLED, ""] == told.totals[Count.FRAMES_PUBLISHED, ""] == 3
    assert told.totals[Count.FRAMES_NOT_SAMPLED, ""] == 6


def test_a_late_frame_is_counted_as_late() -> None:
    street = Street()
    record = street.record(scene())
    street.clock.advance(80)
    dropped = street.pipeline.prepare(record)
    assert isinstance(dropped, Dropped)
    assert dropped.counts == {("high-street", "frames_received"): 1, ("high-street", "frames_expired:late"): 1}
    assert dropped.outputs == (run_counts.of_unopened(codec.peek(record.value, topic="frames")),)


def test_a_frame_whose_key_was_lost_is_counted_as_that() -> None:
    street = Street()
    record = street.record(scene())
    street.volatile.lose_all()
    told = run_counts.of_unopened(codec.peek(record.value, topic="frames"))
    lost = Dropped({("high-street", "frames_received"): 1, ("high-street", "frames_expired:key_lost"): 1}, (told,))
    assert street.pipeline.prepare(record) == lost
    street.record(scene())
    # ingest has minted a new key under the same name meanwhile.
    street.clock.advance(2)
    street.keyring.drop_expired()
    assert street.pipeline.prepare(record) == lost


def test_a_frame_sealed_with_a_key_that_replaced_a_lost_one_is_read() -> None:
    street = Street()
    before = street.record(scene())
    assert isinstance(street.pipeline.prepare(before), Frame)
    street.volatile.lose_all()
    street.keyring = Keyring(street.volatile, street.store, street.clock)
    assert isinstance(street.pipeline.prepare(street.record(scene())), Frame)
    assert isinstance(street.pipeline.prepare(before), Dropped)


def test_another_deployments_frame_is_left_to_its_own_workers() -> None:
    street = Street()
    assert street.pipeline.prepare(street.record(scene(), deployment="other-street")) == Dropped({})


@pytest.mark.parametrize(
    ("camera", "back_s", "reason"),
    [("gate-9", 0, "unknown_camera"), ("gate-1", 7200, "outside_window")],
)
def test_a_frame_outside_the_authority_is_refused(camera: str, back_s: float, reason: str) -> None:
    street = Street()
    street.clock.advance(-back_s)
    record = street.record(scene(), camera=camera)
    dropped = street.pipeline.prepare(record)
    assert isinstance(dropped, Dropped)
    assert dropped.counts == {
        ("high-street", "frames_received"): 1,
        ("high-street", f"frames_refused:{reason}"): 1,
    }


def test_no_frame_is_opened_while_the_authority_does_not_stand() -> None:
    street = Street()
    street.standing.why = Refusal.NOT_ACTIVE
    record = street.record(scene())
    told = run_counts.of_unopened(codec.peek(record.value, topic="frames"))
    assert street.pipeline.prepare(record) == Dropped(
        {("high-street", "frames_received"): 1, ("high-street", "frames_refused:not_active"): 1}, (told,)
    )


def test_frames_wait_sealed_for_a_lease_that_is_late() -> None:
    street = Street()
    record = street.record(scene())
    street.standing.why = Refusal.LEASE_STALE
    with pytest.raises(Transient):
        street.pipeline.prepare(record)
    street.standing.why = None
    assert isinstance(street.pipeline.prepare(record), Frame)


@pytest.mark.parametrize(
    ("jpeg", "width_px", "reason"),
    [
        (b"not a picture", WIDTH, "not_a_picture"),
        (scene(Person(RED, 100))[:900], WIDTH, "not_a_picture"),
        (scene(), 2 * WIDTH, "wrong_size"),
    ],
    ids=["no picture", "torn", "another size than said"],
)
def test_a_frame_that_cannot_be_decoded_is_a_dead_letter_with_its_reason(
    jpeg: bytes, width_px: int, reason: str
) -> None:
    street = Street()
    with pytest.raises(Permanent) as refused:
        street.pipeline.prepare(street.record(jpeg, width_px=width_px))
    assert refused.value.reason == reason

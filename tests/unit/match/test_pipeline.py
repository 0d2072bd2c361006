"""match's handler: what is refused, expired, searched and raised, and what is gone afterwards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from services.contracts import codec, ids, keys
from services.contracts.authorisation.refusals import Refusal
from services.contracts.errors import Tampered, Transient, Undecodable
from services.contracts.events import AlertRaised, FaceObserved, StageCounts, Vector
from services.match.core.matrix import ListMatrix
from services.match.core.search import Found, search
from services.match.pipeline import SealedFace
from services.runtime.kafka.types import Dropped, Output, Prepared, Record
from tests.builders import DEPLOYMENT, NOON, a_face, a_frame, a_shot, a_vector
from tests.fakes.keys import FakeKeys
from tests.unit.match.lists_builder import DIGEST, MODEL, a_filler, a_matrix, a_subject, near, token_of
from tests.unit.match.rig import CIPHER, Rig, an_authority


def counted(**totals: int) -> dict[tuple[str, str], int]:
    return {(DEPLOYMENT, name.replace("__", ":")): value for name, value in totals.items()}


def opened(rig: Rig, output: Output) -> AlertRaised:
    peeked = codec.peek(output.value, topic="alerts")
    spec = keys.alert(rig.authority, rig.clock.now())
    assert peeked.key_id == spec.id
    key = rig.store.get(spec.id)
    assert key is not None
    return codec.expect(codec.open_sealed(peeked, key=key, cipher=CIPHER), AlertRaised)


def test_a_listed_face_raises_one_alert_sealed_under_the_hours_key() -> None:
    rig = Rig()
    face = a_face(model_id=MODEL, vector=a_subject().vector)
    outcome = rig.matcher.handle([rig.prepared(face)])
    (output,) = outcome.outputs
    raised = opened(rig, output)
    assert output.topic == "alerts"
    assert output.key == f"{DEPLOYMENT}/{token_of('ref-7731')}".encode()
    assert raised.alert == ids.alert_id(face.track, DIGEST, token_of("ref-7731"))
    assert raised.searched_at == rig.clock.now()
    assert (raised.threshold, raised.list_digest, raised.authority_version) == (0.5, DIGEST, 1)
    assert raised.raw_score == raised.score == pytest.approx(1.0, abs=1e-5)
    assert raised.shots == face.shots
    assert raised.trace_id == face.trace_id
    assert outcome.counts == counted(faces_received=1, faces_searched=1, faces_alerted=1, alerts_published=1)


def test_the_same_face_again_gives_the_same_alert() -> None:
    rig = Rig()
    vector = a_subject().vector
    first = opened(rig, rig.matcher.handle([rig.prepared(vector=vector)]).outputs[0])
    rig.clock.advance(3)
    again = opened(rig, rig.matcher.handle([rig.prepared(vector=vector)]).outputs[0])
    better = opened(rig, rig.matcher.handle([rig.prepared(vector=vector, revision=2)]).outputs[0])
    assert again.event_id == first.event_id
    assert better.alert == first.alert
    assert better.event_id != first.event_id


def test_below_the_threshold_nothing_leaves_but_a_number(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    caplog.set_level(logging.DEBUG)
    outcome = rig.matcher.handle([rig.prepared(vector=near(a_subject().vector, 0.49))])
    assert outcome.outputs == ()
    assert outcome.counts == counted(faces_received=1, faces_searched=1, faces_below_threshold=1)
    assert not caplog.records


@pytest.mark.parametrize(("shots", "alerts"), [(1, 1), (2, 1), (3, 0), (4, 0)])
def test_the_threshold_is_that_of_the_tracks_number_of_shots(shots: int, alerts: int) -> None:
    rig = Rig()
    vector = near(a_subject().vector, 0.55)
    outcome = rig.matcher.handle([rig.prepared(vector=vector, shots=(a_shot(),) * shots)])
    assert len(outcome.outputs) == alerts


def test_a_face_of_another_model_is_refused_and_its_key_still_destroyed() -> None:
    rig = Rig()
    face = rig.prepared(model_id="dlib-resnet-0123", vector=a_subject().vector)
    outcome = rig.matcher.handle([face])
    assert outcome.outputs == ()
    assert outcome.counts == counted(faces_received=1, faces_refused__model_not_admitted=1)
    rig.matcher.delivered(outcome)
    assert rig.value("signpost_match_face_keys_destroyed_total") == 1
    assert rig.value("signpost_match_faces_refused_total", reason="model_not_admitted") == 1


def test_a_face_of_the_window_is_not_searched_once_the_window_is_over() -> None:
    rig = Rig()
    rig.clock.advance((rig.authority.window.end - rig.clock.now()).total_seconds() - 1)
    late = a_face(
        model_id=MODEL, captured_at=rig.clock.now() - timedelta(milliseconds=200), vector=a_subject().vector
    )
    prepared = rig.prepared(late)
    rig.clock.advance(1)
    outcome = rig.matcher.handle([prepared])
    assert outcome.outputs == ()
    assert outcome.counts == counted(faces_received=1, faces_refused__outside_window=1)
    rig.matcher.delivered(outcome)
    assert rig.value("signpost_match_face_keys_destroyed_total") == 1
    dropped = rig.matcher.prepare(rig.record(late))
    assert dropped == Dropped(counted(faces_received=1, faces_refused__outside_window=1))


def test_a_model_that_the_authority_does_not_name_is_refused_unread() -> None:
    rig = Rig(bounds=an_authority(more=f"  model: {MODEL}\n"))
    dropped = rig.matcher.prepare(rig.record(a_face(model_id="dlib-resnet-0123")))
    assert dropped == Dropped(counted(faces_received=1, faces_refused__model_not_admitted=1))


def test_a_template_of_the_lists_model_but_another_length_is_a_dead_letter() -> None:
    rig = Rig()
    torn, good = rig.prepared(vector=a_vector(size=64)), rig.prepared(vector=a_subject().vector, revision=2)
    outcome = rig.matcher.handle([torn, good])
    assert [letter.reason for letter in outcome.dead] == ["undecodable"]
    assert len(outcome.outputs) == 1
    # The loop adds the dead letter's own counts.
    assert outcome.counts == counted(faces_received=1, faces_searched=1, faces_alerted=1, alerts_published=1)


@pytest.mark.parametrize(
    ("face", "refusal"),
    [
        (a_face(camera=ids.CameraId("gate-9")), "unknown_camera"),
        (a_face(camera=ids.CameraId("folder-1")), "source_not_admitted"),
        (a_face(captured_at=NOON - timedelta(hours=5)), "outside_window"),
    ],
    ids=["unknown camera", "file source in a live deployment", "outside the window"],
)
def test_what_the_authority_does_not_cover_is_refused_and_counted(face: FaceObserved, refusal: str) -> None:
    rig = Rig()
    raw = rig.record()
    # Sealed by hand: its key's time may be over, and it must be refused before anybody asks.
    sealing = codec.Sealing(keys.face(rig.authority, face.event_id, face.captured_at).id, bytes(32), CIPHER)
    record = Record(
        "faces", 0, 0, b"", codec.encode_sealed(face, topic="faces", sealing=sealing), (), raw.timestamp_ms
    )
    reads = rig.volatile.reads
    assert rig.matcher.prepare(record) == Dropped(
        {(DEPLOYMENT, "faces_received"): 1, (DEPLOYMENT, f"faces_refused:{refusal}"): 1}
    )
    assert rig.volatile.reads == reads


def test_another_deployments_face_is_left_to_its_own_match() -> None:
    rig = Rig()
    dropped = rig.matcher.prepare(rig.record(a_face(deployment=ids.DeploymentId("elsewhere-1"))))
    assert dropped == Dropped({})
    assert isinstance(dropped, Dropped)
    dropped.tell()
    assert rig.value("signpost_match_faces_refused_total", reason="other_deployment") == 1


def test_a_face_whose_time_is_over_is_late() -> None:
    rig = Rig()
    face = rig.prepared()
    rig.clock.advance(121)
    assert rig.matcher.handle([face]).counts == counted(faces_received=1, faces_expired__late=1)
    assert rig.value("signpost_match_faces_expired_total", reason="late") == 1


def test_a_face_whose_key_died_before_its_time_is_key_lost() -> None:
    rig = Rig()
    face = rig.prepared()
    rig.volatile.lose_all()
    assert rig.matcher.handle([face]).counts == counted(faces_received=1, faces_expired__key_lost=1)
    assert rig.value("signpost_match_faces_expired_total", reason="key_lost") == 1


def test_a_face_under_a_key_that_was_lost_and_minted_anew_is_key_lost_and_that_key_stays() -> None:
    rig = Rig()
    face = rig.prepared()
    rig.volatile.lose_all()
    rig.record()
    outcome = rig.matcher.handle([face])
    assert outcome.counts == counted(faces_received=1, faces_expired__key_lost=1)
    rig.matcher.delivered(outcome)
    assert rig.volatile.get(face.item.key.id) is not None


def test_what_cannot_be_opened_does_not_keep_the_rest_of_its_batch_from_being_searched() -> None:
    rig = Rig()
    lost = rig.prepared()
    rig.volatile.lose_all()
    face = a_face(model_id=MODEL, revision=2)
    spec = keys.face(rig.authority, face.event_id, face.captured_at)
    key = rig.volatile.get_or_create(spec.id, expires_at=spec.expires_at)
    moved = codec.encode_sealed(face, topic="elsewhere", sealing=codec.Sealing(spec.id, key, CIPHER))
    record = Record("faces", 0, 7, b"", moved, (), 0)
    item = rig.matcher.prepare(record)
    assert isinstance(item, SealedFace)
    listed = rig.prepared(revision=3, vector=a_subject().vector)
    outcome = rig.matcher.handle([lost, Prepared(record, item), listed])
    assert [(one.reason, one.position.offset) for one in outcome.dead] == [("not_authentic", 7)]
    # The loop adds the dead letter's own counts.
    assert outcome.counts == counted(
        faces_received=2, faces_expired__key_lost=1, faces_searched=1, faces_alerted=1, alerts_published=1
    )
    assert [one.key for one in outcome.done] == [listed.item.key]


def test_a_batchs_keys_are_found_in_one_round_trip() -> None:
    rig = Rig()
    faces = [rig.prepared(revision=number) for number in range(1, 6)]
    reads = rig.volatile.reads
    assert rig.matcher.handle(faces).counts[DEPLOYMENT, "faces_searched"] == 5
    assert rig.volatile.reads == reads + 1


def test_a_face_that_names_another_faces_key_is_not_authentic() -> None:
    rig = Rig()
    face, other = a_face(model_id=MODEL), a_face(model_id=MODEL, revision=2)
    spec = keys.face(rig.authority, other.event_id, other.captured_at)
    key = rig.volatile.get_or_create(spec.id, expires_at=spec.expires_at)
    raw = codec.encode_sealed(face, topic="faces", sealing=codec.Sealing(spec.id, key, CIPHER))
    with pytest.raises(Tampered):
        rig.matcher.prepare(Record("faces", 0, 0, b"", raw, (), 0))


@pytest.mark.parametrize("raw", [b"\xff\xff", b""], ids=["garbage", "nothing"])
def test_what_is_no_face_is_undecodable(raw: bytes) -> None:
    with pytest.raises(Undecodable):
        Rig().matcher.prepare(Record("faces", 0, 0, b"", raw, (), 0))


def test_another_kind_of_event_on_the_topic_is_undecodable() -> None:
    sealing = codec.Sealing("some/key", bytes(32), CIPHER)
    frame = codec.encode_sealed(a_frame(), topic="faces", sealing=sealing)
    counts_event = StageCounts(
        deployment=DEPLOYMENT, trace_id="", captured_at=NOON, stage="x", incarnation="y", totals={}, standing={}
    )
    for raw in (frame, codec.encode(counts_event, topic="faces")):
        with pytest.raises(Undecodable):
            Rig().matcher.prepare(Record("faces", 0, 0, b"", raw, (), 0))


def test_the_faces_key_dies_after_the_commit_and_not_before() -> None:
    rig = Rig()
    face = a_face(model_id=MODEL)
    spec = keys.face(rig.authority, face.event_id, face.captured_at)
    outcome = rig.matcher.handle([rig.prepared(face)])
    assert rig.volatile.get(spec.id) is not None
    rig.matcher.delivered(outcome)
    assert rig.volatile.get(spec.id) is None
    assert rig.value("signpost_match_face_keys_destroyed_total") == 1
    # Published 100 ms after its capture, destroyed at 400 ms.
    assert rig.value("signpost_match_face_key_life_seconds_sum") == pytest.approx(0.3)
    assert rig.value("signpost_match_face_life_seconds_sum") == pytest.approx(0.4)


def test_keys_that_cannot_be_destroyed_are_counted_and_left_to_their_deadline() -> None:
    rig = Rig()
    outcome = rig.matcher.handle([rig.prepared()])
    rig.volatile.away = True
    with pytest.raises(Transient):
        rig.matcher.delivered(outcome)
    assert rig.value("signpost_match_face_keys_left_total") == 1


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[Vector]:
    """Every vector that was searched; not a copy."""
    seen: list[Vector] = []

    def watched(matrix: ListMatrix, probes: Sequence[Vector], *args: Any, **named: Any) -> Found:
        assert all(np.any(one) for one in probes)
        seen.extend(probes)
        return search(matrix, probes, *args, **named)

    monkeypatch.setattr("services.match.pipeline.search", watched)
    return seen


def test_vectors_are_overwritten_once_searched(searched: list[Vector]) -> None:
    rig = Rig()
    rig.matcher.handle([rig.prepared(), rig.prepared(revision=2)])
    assert len(searched) == 2
    assert not np.any(searched)


def test_vectors_of_a_batch_that_could_not_be_finished_are_overwritten_too(searched: list[Vector]) -> None:
    rig = Rig()
    face = rig.prepared(vector=a_subject().vector)
    rig.store.away = True
    with pytest.raises(Transient):
        rig.matcher.handle([face])
    assert len(searched) == 1
    assert not np.any(searched)


def test_a_batch_that_had_to_wait_for_a_store_is_searched_anew() -> None:
    rig = Rig()
    face = rig.prepared(vector=a_subject().vector)
    rig.store.away = True
    with pytest.raises(Transient):
        rig.matcher.handle([face])
    rig.store.away = False
    assert len(rig.matcher.handle([face]).outputs) == 1


def test_without_a_list_a_batch_waits() -> None:
    rig = Rig()
    face = rig.prepared()
    rig.lists.held = None
    with pytest.raises(Transient):
        rig.matcher.handle([face])


def test_expired_entries_and_fillers_raise_nothing() -> None:
    stale = a_subject(stale_at=NOON - timedelta(days=1))
    filler = a_filler(1)
    rig = Rig(held=a_matrix(stale, filler))
    faces = [rig.prepared(vector=stale.vector), rig.prepared(vector=filler.vector, revision=2)]
    outcome = rig.matcher.handle(faces)
    assert outcome.outputs == ()
    assert outcome.counts == counted(faces_received=2, faces_searched=2, faces_below_threshold=2)


def test_a_batch_is_searched_against_one_list_even_if_another_comes() -> None:
    rig = Rig()
    old, new = a_subject(), a_subject("ref-2")
    faces = [rig.prepared(vector=old.vector), rig.prepared(vector=new.vector, revision=2)]
    assert len(rig.matcher.handle(faces).outputs) == 1
    rig.lists.held = a_matrix(new)
    faces = [rig.prepared(vector=old.vector), rig.prepared(vector=new.vector, revision=2)]
    (output,) = rig.matcher.handle(faces).outputs
    assert opened(rig, output).subject == new.token


def test_faces_that_waited_while_the_authority_ended_are_not_searched_and_not_kept(
    searched: list[Vector],
) -> None:
    rig = Rig()
    face = rig.prepared(vector=a_subject().vector)
    rig.standing.why = Refusal.NOT_ACTIVE
    outcome = rig.matcher.handle([face])
    assert searched == []
    assert outcome.outputs == ()
    assert outcome.counts == counted(faces_received=1, faces_refused__not_active=1)
    rig.matcher.delivered(outcome)
    assert rig.value("signpost_match_face_keys_destroyed_total") == 1
    assert rig.matcher.prepare(rig.record()) == Dropped(counted(faces_received=1, faces_refused__not_active=1))


def test_faces_wait_for_a_lease_that_is_late_and_no_longer_than_their_keys_live() -> None:
    rig = Rig()
    face = rig.prepared(vector=a_subject().vector)
    rig.standing.why = Refusal.LEASE_STALE
    with pytest.raises(Transient):
        rig.matcher.prepare(rig.record())
    with pytest.raises(Transient):
        rig.matcher.handle([face])
    rig.standing.why = None
    assert len(rig.matcher.handle([face]).outputs) == 1
    face = rig.prepared(vector=a_subject().vector)
    rig.standing.why = Refusal.LEASE_STALE
    rig.clock.advance((face.item.key.expires_at - rig.clock.now()).total_seconds())
    outcome = rig.matcher.handle([face])
    assert outcome.counts == counted(faces_received=1, faces_refused__lease_stale=1)


def test_a_stop_that_comes_while_faces_are_searched_raises_no_alert(
    searched: list[Vector], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig()

    def stops_meanwhile(list_digest: str) -> frozenset[str]:
        rig.standing.why = Refusal.NOT_ACTIVE
        return frozenset()

    # Asked last before the search.
    monkeypatch.setattr(rig.standing, "revoked", stops_meanwhile)
    outcome = rig.matcher.handle([rig.prepared(vector=a_subject().vector)])
    assert len(searched) == 1
    assert not np.any(searched)
    assert outcome.outputs == ()
    assert outcome.counts == counted(faces_received=1, faces_refused__not_active=1)


SUSPENDED = (NOON - timedelta(seconds=3), NOON - timedelta(seconds=1))
WHILE_SUSPENDED = NOON - timedelta(seconds=2)


def test_a_face_taken_while_suspended_is_not_searched_after_resumption(searched: list[Vector]) -> None:
    """Prepared before the suspension was heard of, it was searched once the authority stood again: the people it
    suspended the search for were searched all the same."""
    rig = Rig()
    vector = a_subject().vector
    taken_then = rig.prepared(
        vector=vector, captured_at=WHILE_SUSPENDED, shots=(a_shot(captured_at=WHILE_SUSPENDED),)
    )
    before = NOON - timedelta(seconds=4)
    taken_before = rig.prepared(vector=vector, revision=2, captured_at=before, shots=(a_shot(captured_at=before),))
    rig.standing.suspended = SUSPENDED
    outcome = rig.matcher.handle([taken_then, taken_before])
    assert len(searched) == 1
    assert len(outcome.outputs) == 1
    assert outcome.counts == counted(
        faces_received=2, faces_refused__not_active=1, faces_searched=1, faces_alerted=1, alerts_published=1
    )
    assert {one.key for one in outcome.done} == {taken_then.item.key, taken_before.item.key}
    assert rig.value("signpost_match_faces_refused_total", reason="not_active") == 1


def test_a_track_with_one_shot_of_a_moment_that_was_suspended_is_not_searched(searched: list[Vector]) -> None:
    """Its template is of all its shots, whatever the newest one's moment is."""
    rig = Rig()
    shots = (a_shot(captured_at=WHILE_SUSPENDED), a_shot(captured_at=NOON))
    face = rig.prepared(vector=a_subject().vector, captured_at=NOON, shots=shots)
    rig.standing.suspended = SUSPENDED
    outcome = rig.matcher.handle([face])
    assert searched == []
    assert outcome.counts == counted(faces_received=1, faces_refused__not_active=1)


def test_a_suspension_that_is_heard_of_while_faces_are_searched_takes_back_those_it_is_about(
    searched: list[Vector], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig()
    vector = a_subject().vector
    then = rig.prepared(vector=vector, captured_at=WHILE_SUSPENDED, shots=(a_shot(captured_at=WHILE_SUSPENDED),))
    now = rig.prepared(vector=vector, revision=2, captured_at=NOON)

    def heard_meanwhile(list_digest: str) -> frozenset[str]:
        rig.standing.suspended = SUSPENDED
        return frozenset()

    monkeypatch.setattr(rig.standing, "revoked", heard_meanwhile)
    outcome = rig.matcher.handle([then, now])
    assert len(outcome.outputs) == 1
    assert outcome.counts == counted(
        faces_received=2, faces_refused__not_active=1, faces_searched=1, faces_alerted=1, alerts_published=1
    )
    assert not np.any(searched), "also what was searched in vain is overwritten"


def test_a_stop_that_comes_while_a_store_keeps_faces_waiting_is_in_time(searched: list[Vector]) -> None:
    class StopsMeanwhile(FakeKeys):
        def get_many(self, key_ids: Sequence[str]) -> dict[str, bytes]:
            rig.standing.why = Refusal.NOT_ACTIVE
            return super().get_many(key_ids)

    rig = Rig(volatile=StopsMeanwhile)
    outcome = rig.matcher.handle([rig.prepared(vector=a_subject().vector)])
    assert searched == []
    assert outcome.counts == counted(faces_received=1, faces_refused__not_active=1)


def test_a_revoked_subject_raises_no_alert_and_the_others_do() -> None:
    twins = a_matrix(a_subject(), a_subject("ref-2", vector=a_subject().vector))
    rig = Rig(held=twins)
    rig.standing.off = frozenset({token_of("ref-7731")})
    outcome = rig.matcher.handle([rig.prepared(vector=a_subject().vector)])
    (output,) = outcome.outputs
    assert opened(rig, output).subject == token_of("ref-2")
    rig.standing.off = frozenset({token_of("ref-7731"), token_of("ref-2")})
    outcome = rig.matcher.handle([rig.prepared(vector=a_subject().vector, revision=2)])
    assert outcome.counts == counted(faces_received=1, faces_searched=1, faces_below_threshold=1)

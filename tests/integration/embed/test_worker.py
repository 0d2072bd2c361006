"""Frames go in, faces come out: one worker as a plain process, on real Kafka, Redis and models."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from console.run.service import ServiceProcess
from console.sample.sitters import ADMIRAL, FORTY_FOUR
from services.contracts import codec, counts, topics
from services.contracts.counts import Count
from services.contracts.events import DeadLettered
from tests.integration.embed.street import Street, picture
from tests.support import eventually


def worker(street: Street, name: str = "embed", **more: str) -> ServiceProcess:
    return ServiceProcess(name, ["services.embed"], home=street.home, settings=street.settings(**more))


def adds_up(totals: Mapping[Count, int]) -> None:
    """Every arrow of embed holds."""
    wholes = (Count.FRAMES_RECEIVED, Count.FRAMES_DECODED, Count.TRACKS_STARTED)
    assert [arrow for arrow in counts.ARROWS if arrow.whole in wholes and arrow.gap(totals)] == []


def test_each_passage_is_published_once_and_its_counts_add_up(make_street: Callable[..., Street]) -> None:
    street = make_street(cameras=2)
    process = worker(street)
    process.start()
    try:
        process.await_ready()
        street.walk([0, 1], [FORTY_FOUR, ADMIRAL], 8)
        eventually(lambda: street.totals()[Count.FRAMES_DECODED] == 16, "16 frames counted", within_s=30)
        totals = street.totals()
        faces = street.faces()
    finally:
        process.stop()
    tracks = {face.track for face in faces}
    assert len(tracks) == 4
    assert len({face.event_id for face in faces}) == len(faces)
    assert totals[Count.TRACKS_STARTED] == totals[Count.TRACKS_USABLE] == 4
    assert totals[Count.FACES_DETECTED] == 32
    assert totals[Count.FACES_PUBLISHED] == len(faces)
    adds_up(totals)
    best = {
        face.track: max((f for f in faces if f.track == face.track), key=lambda f: f.revision) for face in faces
    }
    vectors = np.stack([face.vector for face in best.values()])
    alike = np.sort((vectors @ vectors.T)[np.triu_indices(4, 1)])
    # Two people, each on two cameras: two pairs are the same person, four are not.
    assert alike[-2] > 0.6
    assert alike[-3] < 0.4


def test_a_worker_that_is_killed_loses_and_doubles_no_frame(make_street: Callable[..., Street]) -> None:
    """A crash may cut tracks short and split passages; each frame is still counted once, and each face
    that was committed has an id of its own."""
    street = make_street(cameras=2)
    process = worker(street, INSTANCE="slot-1")
    process.start()
    try:
        process.await_ready()
        street.walk([0, 1], [FORTY_FOUR], 10)
        eventually(lambda: street.totals()[Count.FRAMES_DECODED] > 0, "the first commit", within_s=30)
        street.walk([0, 1], [FORTY_FOUR], 10, lease=2)
        process.kill()
        process.start()
        process.await_ready()
        street.walk([0, 1], [FORTY_FOUR], 10, lease=3)
        eventually(lambda: street.totals()[Count.FRAMES_DECODED] >= 60, "60 frames counted", within_s=60)
        totals = street.totals()
        faces = street.faces()
    finally:
        process.stop()
    assert totals[Count.FRAMES_DECODED] == 60
    assert totals[Count.FACES_PUBLISHED] == len(faces) == len({face.event_id for face in faces})
    for lease in (1, 2, 3):
        for camera in (0, 1):
            assert any(face.track.startswith(f"gate-{camera}.{lease}.") for face in faces)
    adds_up(totals)


def test_workers_that_come_and_go_share_the_cameras_without_losing_or_doubling(
    make_street: Callable[..., Street],
) -> None:
    street = make_street(cameras=4)
    first, second = worker(street, "first"), worker(street, "second")
    first.start()
    try:
        first.await_ready()
        street.walk(range(4), [FORTY_FOUR], 5)
        second.start()
        second.await_ready()
        street.walk(range(4), [FORTY_FOUR], 5, lease=2)
        first.stop()
        street.walk(range(4), [FORTY_FOUR], 5, lease=3)
        eventually(lambda: street.totals()[Count.FRAMES_DECODED] >= 60, "60 frames counted", within_s=60)
        totals, faces = street.totals(), street.faces()
    finally:
        first.stop()
        second.stop()
    assert totals[Count.FRAMES_DECODED] == 60
    assert totals[Count.FACES_PUBLISHED] == len(faces) == len({face.event_id for face in faces})
    assert {face.track.rsplit(".", 2)[0] for face in faces} == {
        f"gate-{camera}.{lease}.1" for camera in range(4) for lease in (1, 2, 3)
    }
    adds_up(totals)


def test_what_cannot_be_read_is_counted_by_its_reason_and_the_rest_goes_on(
    make_street: Callable[..., Street],
) -> None:
    street = make_street(cameras=2)
    street.show(0, picture([FORTY_FOUR], 0))
    street.redis.flushall()
    street.put(0, b"no record of ours")
    street.forget_keys()
    torn = picture([FORTY_FOUR], 0)
    street.show(0, torn[:-2000])
    street.show(0, picture([FORTY_FOUR], 0))
    process = worker(street)
    process.start()
    try:
        process.await_ready()
        eventually(lambda: street.totals()[Count.FRAMES_DECODED] == 1, "the good frame", within_s=30)
        totals = street.totals()
    finally:
        process.stop()
    assert totals[Count.FRAMES_EXPIRED] == 1
    # The topic is shared: what other tests left there and nobody can read is counted here too.
    assert totals[Count.FRAMES_DEAD] >= 1
    assert totals[Count.FRAMES_FOREIGN] >= 1
    assert totals[Count.TRACKS_USABLE] == 1
    adds_up(totals)
    dead = [codec.peek(value, topic=topics.FRAMES_DEAD.name) for value in street.dead()]
    letters = [
        codec.expect(codec.open_clear(one), DeadLettered) for one in dead if one.deployment == street.deployment
    ]
    assert {letter.reason for letter in letters} >= {"not_a_picture", "undecodable"}

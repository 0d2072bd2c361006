"""Frames go in, faces come out: one worker as a plain process, on real Kafka, Redis and models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from console.run.service import ServiceProcess
from console.sample.sitters import ADMIRAL, FORTY_FOUR
from services.contracts import counts
from services.contracts.counts import Count
from tests.integration.embed.street import Street
from tests.support import eventually


def worker(street: Street, name: str = "embed", **more: str) -> ServiceProcess:
    return ServiceProcess(name, ["services.embed"], home=street.home, settings=street.settings(**more))


def test_each_passage_is_published_once_and_its_counts_add_up(make_street: Callable[..., Street]) -> None:
    street = make_street(cameras=2)
    process = worker(street)
    process.start()
    try:
        process.await_ready()
        street.walk([0, 1], [FORTY_FOUR, ADMIRAL], 8)
        eventually(lambda: street.totals()[Count.FRAMES_RECEIVED] == 16, "16 frames counted", within_s=30)
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
    for arrow in counts.ARROWS:
        if arrow.whole in (Count.FRAMES_RECEIVED, Count.FRAMES_DECODED, Count.TRACKS_STARTED):
            assert arrow.gap(totals) == 0, arrow
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
        eventually(lambda: street.totals()[Count.FRAMES_RECEIVED] > 0, "the first commit", within_s=30)
        street.walk([0, 1], [FORTY_FOUR], 10, lease=2)
        process.kill()
        process.start()
        process.await_ready()
        street.walk([0, 1], [FORTY_FOUR], 10, lease=3)
        eventually(lambda: street.totals()[Count.FRAMES_RECEIVED] >= 60, "60 frames counted", within_s=60)
        totals = street.totals()
        faces = street.faces()
    finally:
        process.stop()
    assert totals[Count.FRAMES_RECEIVED] == 60
    assert totals[Count.FACES_PUBLISHED] == len(faces) == len({face.event_id for face in faces})
    for lease in (1, 2, 3):
        for camera in (0, 1):
            assert any(face.track.startswith(f"gate-{camera}.{lease}.") for face in faces)
    for arrow in counts.ARROWS:
        if arrow.whole in (Count.FRAMES_RECEIVED, Count.FRAMES_DECODED, Count.TRACKS_STARTED):
            assert arrow.gap(totals) == 0, arrow

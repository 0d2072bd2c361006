"""Which faces are one passage: by place, size and time, never by looks."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.ids import FrameId
from services.embed.core.tracks import Bounds, Floats, Step, Track, advance, expire

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
BOUNDS = Bounds()


def boxes(*places: tuple[float, float, float]) -> Floats:
    """Square faces: left, top, size."""
    return np.array([[x, y, x + s, y + s] for x, y, s in places], np.float32).reshape(-1, 4)


def walk(*frames: tuple[float, Floats]) -> list[Step]:
    """One step a frame of (seconds, boxes)."""
    tracks: tuple[Track, ...] = ()
    steps = []
    for number, (seconds, found) in enumerate(frames):
        step = advance(
            tracks,
            found,
            frame=FrameId(f"gate.1.1.{number}"),
            captured_at=NOON,
            position_s=seconds,
            bounds=BOUNDS,
        )
        tracks = step.open
        steps.append(step)
    return steps


def test_a_face_that_moves_by_its_own_width_between_frames_stays_one_track() -> None:
    steps = walk(*[(0.2 * i, boxes((100 + 90 * i, 200, 60))) for i in range(6)])
    assert [step.started for step in steps] == [1, 0, 0, 0, 0, 0]
    assert {track for step in steps for track in step.by_detection} == {"gate.1.1.0.0"}


def test_a_track_is_named_for_its_first_frame_and_its_place_in_it() -> None:
    (step,) = walk((0, boxes((0, 0, 50), (600, 0, 50))))
    assert step.by_detection == ("gate.1.1.0.0", "gate.1.1.0.1")


def test_two_people_who_cross_keep_their_tracks_by_their_speed() -> None:
    frames = [(0.2 * i, boxes((100 + 60 * i, 200, 50), (580 - 60 * i, 230, 50))) for i in range(9)]
    steps = walk(*frames)
    assert sum(step.started for step in steps) == 2
    assert {step.by_detection for step in steps} == {steps[0].by_detection}


def test_a_face_missed_for_two_frames_is_found_again() -> None:
    steps = walk((0, boxes((100, 100, 60))), (0.2, boxes((120, 100, 60))), (0.8, boxes((180, 100, 60))))
    assert steps[-1].started == 0


def test_a_face_unseen_for_longer_than_the_gap_is_a_new_track_and_the_old_one_is_closed() -> None:
    first, second = walk((0, boxes((100, 100, 60))), (1.5, boxes((100, 100, 60))))
    assert second.started == 1
    assert [track.id for track in second.closed] == list(first.by_detection)


@pytest.mark.parametrize(
    ("change", "why"),
    [((400, 100, 60), "too far"), ((100, 100, 130), "too much larger"), ((100, 100, 25), "too much smaller")],
)
def test_what_cannot_be_the_same_face_begins_a_track(change: tuple[float, float, float], why: str) -> None:
    assert walk((0, boxes((100, 100, 60))), (0.2, boxes(change)))[-1].started == 1, why


def test_a_face_joins_one_track_and_a_track_takes_one_face() -> None:
    steps = walk((0, boxes((100, 100, 60))), (0.2, boxes((105, 100, 60), (130, 100, 60))))
    assert steps[-1].started == 1
    assert len(set(steps[-1].by_detection)) == 2


def test_a_frame_older_than_the_last_still_joins_by_place_and_does_not_turn_time_back() -> None:
    steps = walk((1, boxes((100, 100, 60))), (0.9, boxes((104, 100, 60))))
    assert steps[-1].started == 0
    assert steps[-1].open[0].seen_s == 1


def test_a_stream_whose_time_jumps_back_begins_new_tracks() -> None:
    here = boxes((100, 100, 60))
    steps = walk((100, here), (3, here), (3.2, here), (5, here))
    assert [step.started for step in steps] == [1, 1, 0, 1]
    assert [len(step.closed) for step in steps] == [0, 1, 0, 1]
    assert [len(step.open) for step in steps] == [1, 1, 1, 1]


def test_expiring_splits_by_the_gap() -> None:
    (step,) = walk((0, boxes((0, 0, 50))))
    assert expire(step.open, position_s=1, bounds=BOUNDS) == (step.open, ())
    assert expire(step.open, position_s=1.1, bounds=BOUNDS) == ((), step.open)


_places = st.lists(st.tuples(st.floats(0, 1200), st.floats(0, 700), st.floats(10, 300)), max_size=5)


@given(st.lists(st.tuples(st.floats(0, 3), _places), max_size=12))
def test_every_detection_has_one_open_track_and_no_track_is_lost(
    frames: list[tuple[float, list[tuple[float, float, float]]]],
) -> None:
    tracks: tuple[Track, ...] = ()
    begun, ended = 0, 0
    for number, (seconds, places) in enumerate(frames):
        frame = FrameId(f"f{number}")
        step = advance(tracks, boxes(*places), frame=frame, captured_at=NOON, position_s=seconds, bounds=BOUNDS)
        assert len(step.by_detection) == len(set(step.by_detection)) == len(places)
        assert set(step.by_detection) <= {track.id for track in step.open}
        begun, ended, tracks = begun + step.started, ended + len(step.closed), step.open
        assert begun == ended + len(tracks)

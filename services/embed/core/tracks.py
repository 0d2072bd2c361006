"""Which detections are one passage of one person past one camera.

By place and size only: nothing of how a face looks is compared, and no camera knows another's tracks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from services.contracts import ids

Floats = NDArray[np.float32]
Corners = tuple[float, float, float, float]

# How much of the newest speed goes into the estimate: detections jitter by a few pixels.
_SPEED_GAIN = 0.6


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What may still be the same face. Distances are in face sizes (the root of the box's area)."""

    # Somebody who turns away for longer is a new passage: searched again, never missed.
    max_gap_s: float = 1.0
    # At five frames a second a walker moves up to 1.8 face sizes between two frames, before a speed is known.
    max_step: float = 2.2
    # Once a speed is known the guess is better than that.
    max_step_moving: float = 1.5
    max_growth: float = 1.8


@dataclass(frozen=True, kw_only=True)
class Track:
    """One passage so far. `corners` are left, top, right, bottom in full-frame pixels, `seen_s` is in the source's
    own time."""

    id: ids.TrackId
    trace_id: str
    first_seen_at: datetime
    seen_s: float
    corners: Corners
    speed: tuple[float, float] | None = None
    sightings: int = 1


@dataclass(frozen=True)
class Step:
    """What one frame did: the open tracks, those that ended, and the open track of each detection."""

    open: tuple[Track, ...]
    closed: tuple[Track, ...]
    by_detection: tuple[ids.TrackId, ...]
    started: int


def advance(
    tracks: tuple[Track, ...],
    boxes: Floats,
    *,
    frame: ids.FrameId,
    captured_at: datetime,
    position_s: float,
    bounds: Bounds,
) -> Step:
    """Give each of `boxes` [n, 4] (corners) to a track or begin one; end those unseen for too long.

    Time is the source's own, `position_s`. A track begun here is named for `frame` and its detection's index. A
    frame that is a little older than a track's last one still joins by place.
    """
    open_, closed = expire(tracks, position_s=position_s, bounds=bounds)
    owner = _assign(open_, boxes, position_s, bounds)
    taken = set(owner.values())
    kept = [track for i, track in enumerate(open_) if i not in taken]
    by_detection: list[ids.TrackId] = []
    for index, box in enumerate(boxes):
        corners = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        if index in owner:
            track = _seen(open_[owner[index]], corners, position_s)
        else:
            track = _begun(frame, index, corners, captured_at, position_s)
        kept.append(track)
        by_detection.append(track.id)
    return Step(tuple(kept), closed, tuple(by_detection), len(boxes) - len(owner))


def expire(
    tracks: tuple[Track, ...], *, position_s: float, bounds: Bounds
) -> tuple[tuple[Track, ...], tuple[Track, ...]]:
    """Split into those still open at `position_s` and those that have ended.

    A stream's time may also jump back: a track that lies ahead of it would stay open until time has caught up, and
    take in whoever passes its place.
    """
    open_ = tuple(track for track in tracks if abs(position_s - track.seen_s) <= bounds.max_gap_s)
    closed = tuple(track for track in tracks if abs(position_s - track.seen_s) > bounds.max_gap_s)
    return open_, closed


def _begun(frame: ids.FrameId, index: int, corners: Corners, captured_at: datetime, position_s: float) -> Track:
    return Track(
        id=ids.track_id(frame, index),
        trace_id=ids.derived("trace", frame),
        first_seen_at=captured_at,
        seen_s=position_s,
        corners=corners,
    )


def _seen(track: Track, corners: Corners, position_s: float) -> Track:
    elapsed_s = position_s - track.seen_s
    speed = track.speed
    if elapsed_s > 0:
        old, new = _centre(track.corners), _centre(corners)
        measured = ((new[0] - old[0]) / elapsed_s, (new[1] - old[1]) / elapsed_s)
        speed = measured if speed is None else _mixed(speed, measured)
    return Track(
        id=track.id,
        trace_id=track.trace_id,
        first_seen_at=track.first_seen_at,
        seen_s=max(position_s, track.seen_s),
        corners=corners,
        speed=speed,
        sightings=track.sightings + 1,
    )


def _assign(tracks: tuple[Track, ...], boxes: Floats, position_s: float, bounds: Bounds) -> dict[int, int]:
    """Detection index -> track index: cheapest pairs first, each detection and track once."""
    if not tracks or len(boxes) == 0:
        return {}
    costs = _costs(tracks, np.asarray(boxes, np.float64), position_s, bounds)
    owner: dict[int, int] = {}
    used: set[int] = set()
    for flat in np.argsort(costs, axis=None, kind="stable"):
        t, d = divmod(int(flat), len(boxes))
        if not np.isfinite(costs[t, d]):
            break
        if t not in used and d not in owner:
            owner[d] = t
            used.add(t)
    return owner


def _costs(
    tracks: tuple[Track, ...], boxes: NDArray[np.float64], position_s: float, bounds: Bounds
) -> NDArray[np.float64]:
    """[tracks, boxes]: distance from the guessed place plus change of size, inf where it cannot be."""
    costs = np.full((len(tracks), len(boxes)), np.inf)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sizes = np.sqrt(np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), 1.0))
    for t, track in enumerate(tracks):
        guess, size = _guess(track, position_s), _size(track.corners)
        away = np.hypot(centres[:, 0] - guess[0], centres[:, 1] - guess[1]) / np.minimum(sizes, size)
        growth = np.maximum(sizes / size, size / sizes)
        reach = bounds.max_step if track.speed is None else bounds.max_step_moving
        possible = (away <= reach) & (growth <= bounds.max_growth)
        costs[t, possible] = away[possible] + np.log(growth[possible])
    return costs


def _guess(track: Track, position_s: float) -> tuple[float, float]:
    x, y = _centre(track.corners)
    elapsed_s = max(0.0, position_s - track.seen_s)
    return (x, y) if track.speed is None else (x + track.speed[0] * elapsed_s, y + track.speed[1] * elapsed_s)


def _centre(corners: Corners) -> tuple[float, float]:
    return (corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2


def _size(corners: Corners) -> float:
    return float(np.sqrt(max(1.0, (corners[2] - corners[0]) * (corners[3] - corners[1]))))


def _mixed(old: tuple[float, float], new: tuple[float, float]) -> tuple[float, float]:
    return (
        old[0] + _SPEED_GAIN * (new[0] - old[0]),
        old[1] + _SPEED_GAIN * (new[1] - old[1]),
    )

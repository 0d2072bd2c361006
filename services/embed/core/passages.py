"""What is remembered of the people in front of each camera: open tracks and their kept shots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from services.contracts import ids
from services.contracts.counts import Count
from services.contracts.events import Box, Vector
from services.embed.core.shots import Place, Published, Taken
from services.embed.core.tracks import Track


@dataclass(frozen=True)
class Whereabouts:
    """The partition a camera's frames come on, the camera, and its place in the authority's list."""

    partition: Hashable
    camera: ids.CameraId
    index: int


@dataclass(frozen=True)
class KeptShot:
    """One shot of a passage. `chip` until it is embedded, which is when its track is published next; `vector`
    from then on."""

    taken: Taken
    captured_at: datetime
    box: Box
    sharpness: float
    crop_jpeg: bytes = field(repr=False)
    chip: NDArray[np.uint8] | None = field(repr=False, compare=False)
    vector: Vector | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Passage:
    """One track's shots, what was published of it, and why its last unusable sighting was that."""

    track: ids.TrackId
    trace_id: str
    first_seen_at: datetime
    at: Whereabouts
    shots: tuple[KeptShot, ...] = field(default=(), repr=False)
    published: Published | None = None
    refused: str = "unseen"
    # The surroundings of the best shot so far: a shot is only replaced by a better one, so it is still kept.
    context_jpeg: bytes = field(default=b"", repr=False)
    context_quality: float = -1.0

    @property
    def taken(self) -> tuple[Taken, ...]:
        return tuple(shot.taken for shot in self.shots)

    def with_shot(self, shot: KeptShot, place: Place) -> Passage:
        """The passage with `shot` added, or in the place of the one it replaces."""
        if place.replaces is None:
            return replace(self, shots=(*self.shots, shot))
        kept = list(self.shots)
        kept[place.replaces] = shot
        return replace(self, shots=tuple(kept))


@dataclass(frozen=True)
class CameraView:
    """One camera's open tracks. A new run of the camera (a reconnect, a loop) begins a new view."""

    run: str
    tracks: tuple[Track, ...] = ()
    # When a frame of it was last handled (monotonic): what ends tracks when no frame comes any more.
    handled_s: float = 0.0


@dataclass
class Draft:
    """What a batch makes of the state; taken over as a whole, or dropped when the batch must come again."""

    views: dict[Whereabouts, CameraView]
    passages: dict[ids.TrackId, Passage]
    counts: Counter[tuple[Count, str]] = field(default_factory=Counter)
    touched: dict[ids.TrackId, None] = field(default_factory=dict)
    # Every chip cut for this batch, also of shots that were replaced within it.
    cut: list[NDArray[np.uint8]] = field(default_factory=list, repr=False)
    ended: list[ids.TrackId] = field(default_factory=list)

    def copy(self) -> Draft:
        """The state as it stands, for the next batch to draft on."""
        return Draft(dict(self.views), dict(self.passages))

    def end(self, tracks: Iterable[Track]) -> None:
        """These tracks are over; they are counted when the batch has published what it can."""
        self.ended.extend(track.id for track in tracks)

    def settle_ended(self) -> None:
        """Forget the tracks that are over, counting those of which nothing could be published."""
        for track in self.ended:
            passage = self.passages.pop(track)
            if passage.published is None:
                self.counts[Count.TRACKS_UNUSABLE, passage.refused] += 1
        self.ended.clear()

    def chips(self) -> list[NDArray[np.uint8]]:
        """The pixels that wait to be embedded."""
        return [shot.chip for one in self.passages.values() for shot in one.shots if shot.chip is not None]

    def wipe_all_but(self, kept: Draft) -> None:
        """Overwrite the pixels of which `kept`, the state from now on, has no need."""
        needed = {id(chip) for chip in kept.chips()}
        for chip in (*self.cut, *self.chips()):
            if id(chip) not in needed:
                chip[:] = 0

    def drop(self, partitions: Iterable[Hashable]) -> None:
        """Forget all of these partitions."""
        gone = set(partitions)
        self.views = {at: view for at, view in self.views.items() if at.partition not in gone}
        self.passages = {
            track: passage for track, passage in self.passages.items() if passage.at.partition not in gone
        }

    @property
    def pending(self) -> int:
        """Tracks of which nothing is published yet."""
        return sum(passage.published is None for passage in self.passages.values())

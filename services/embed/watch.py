"""What one frame does to a camera's tracks: follow, judge, and keep the shots worth embedding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from services.contracts import ids
from services.contracts.counts import Count
from services.contracts.events import Box
from services.embed.core import tracks
from services.embed.core.detections import Detections
from services.embed.core.frames import Frame, chosen
from services.embed.core.passages import CameraView, Draft, KeptShot, Passage, Whereabouts
from services.embed.core.quality import QualityLimits, Unusable, measure
from services.embed.core.shots import Policy, Taken
from services.embed.model.card import ModelCard
from services.embed.model.warp import align
from services.embed.ports import Image, Pictures

# A face before anybody has looked how sharp it is: as sharp as any, or this much sharper than the sharpest shot of
# its passage. At 1 a face that was blurred at first is never looked at again; without the bound every face is.
_NO_CHIP = np.zeros((16, 16, 3), np.uint8)
_SHARPEST = 1e9
_SHARPER = 2.0


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a worker watches."""

    limits: QualityLimits
    bounds: tracks.Bounds
    policy: Policy
    max_pixels: int
    # A track whose camera is silent for so long (by our clock) has ended, whatever the frames' times say.
    silent_s: float = 5.0


class Sight:
    """One frame and its faces while it is looked at; decodes the whole picture once, if anybody asks."""

    def __init__(self, frame: Frame, found: Detections, pictures: Pictures, max_pixels: int) -> None:
        self.frame = frame
        # All that may be a face, so that none of them shows in a neighbour's context.
        self.found = frame.in_full_px(found)
        self.small_boxes = found.boxes
        self._pictures = pictures
        self._max_pixels = max_pixels

    @cached_property
    def full(self) -> Image:
        return self._pictures.decode(self.frame.event.jpeg, max_pixels=self._max_pixels)

    def wipe(self) -> None:
        """Overwrite the pixels: what stays in memory after this is only what was kept of them."""
        self.frame.small[:] = 0
        if "full" in self.__dict__:
            self.full[:] = 0


class Watch:
    """The work thread's; all state is in the draft it is given."""

    def __init__(
        self, rules: Rules, card: ModelCard, pictures: Pictures, stands: Callable[[Image, float], bool]
    ) -> None:
        """`stands` says of a cut face and its score whether it stands upright; asked of what would be kept."""
        self._stands = stands
        self._rules = rules
        self._card = card
        self._pictures = pictures

    def look(self, draft: Draft, sight: Sight, at: Whereabouts, *, now_s: float) -> None:
        """Follow the faces of one frame and keep what is worth embedding."""
        event = sight.frame.event
        strong = sight.found.scores >= self._rules.limits.min_detector_score
        faces = chosen(sight.found, strong)
        view = draft.views.get(at)
        if view is None or view.run != event.run:
            draft.end(view.tracks if view else ())
            view = CameraView(event.run)
        step = tracks.advance(
            view.tracks,
            faces.boxes,
            frame=ids.FrameId(event.event_id),
            captured_at=event.captured_at,
            position_s=event.position_s,
            bounds=self._rules.bounds,
        )
        draft.end(step.closed)
        draft.views[at] = CameraView(event.run, step.open, now_s)
        self._count(draft, len(faces), step.started)
        by_id = {track.id: track for track in step.open}
        for index, track in enumerate(step.by_detection):
            passage = draft.passages.get(track) or _begun(by_id[track], at)
            draft.passages[track] = passage
            self._consider(draft, sight, passage, faces, index)

    def end_silent(self, draft: Draft, *, now_s: float) -> None:
        """End the tracks of cameras that have given no frame for a while."""
        for at, view in list(draft.views.items()):
            if now_s - view.handled_s > self._rules.silent_s:
                draft.end(view.tracks)
                del draft.views[at]

    def _count(self, draft: Draft, faces: int, started: int) -> None:
        draft.counts[Count.FRAMES_DECODED, ""] += 1
        draft.counts[Count.FRAMES_WITH_FACE if faces else Count.FRAMES_WITHOUT_FACE, ""] += 1
        draft.counts[Count.FACES_DETECTED, ""] += faces
        draft.counts[Count.TRACKS_STARTED, ""] += started

    def _consider(self, draft: Draft, sight: Sight, passage: Passage, faces: Detections, index: int) -> None:
        """Keep the face if it is good enough and better than what is kept.

        Asked twice: as if it were as sharp as can be hoped for, and then of its real pixels; most faces need no
        full decode.
        """
        points, score = faces.landmarks[index], float(faces.scores[index])
        position_s = sight.frame.event.position_s
        hoped = _SHARPER * max((shot.sharpness for shot in passage.shots), default=_SHARPEST)
        quality = replace(measure(points, score, _NO_CHIP), sharpness=hoped)
        refused = quality.unusable(self._rules.limits)
        if refused is None:
            if self._rules.policy.admits(passage.taken, Taken(quality.score, position_s)) is None:
                return
            chip = align(sight.full, points[None], self._card)[0]
            draft.cut.append(chip)
            quality = measure(points, score, chip)
            refused = quality.unusable(self._rules.limits)
            taken = Taken(quality.score, position_s)
            if refused is None:
                place = self._rules.policy.admits(passage.taken, taken)
                if place is not None and not self._stands(chip, score):
                    refused = Unusable.NOT_UPRIGHT
                elif place is not None:
                    shot = self._shot(sight, faces.boxes[index], taken, quality.sharpness, chip)
                    grown = passage.with_shot(shot, place)
                    draft.passages[passage.track] = self._in_context(grown, sight, faces.boxes[index], taken)
                    draft.touched[passage.track] = None
            if refused is None:
                return
        draft.passages[passage.track] = replace(passage, refused=refused.value)

    def _shot(self, sight: Sight, box: tracks.Floats, taken: Taken, sharpness: float, chip: Image) -> KeptShot:
        others = sight.found.boxes[~np.all(sight.found.boxes == box, axis=1)]
        left, top, right, bottom = (float(edge) for edge in box)
        return KeptShot(
            taken=taken,
            captured_at=sight.frame.event.captured_at,
            box=Box(left, top, right - left, bottom - top),
            sharpness=sharpness,
            crop_jpeg=self._pictures.encode_crop(self._pictures.cut_crop(sight.full, box, others)),
            chip=chip,
        )

    def _in_context(self, passage: Passage, sight: Sight, box: tracks.Floats, taken: Taken) -> Passage:
        """The passage with the surroundings of this shot, if it is its best: where somebody was is clear
        enough at the detector's size."""
        if taken.quality <= passage.context_quality:
            return passage
        one = np.all(sight.found.boxes == box, axis=1)
        boxes = sight.small_boxes
        cut = self._pictures.cut_context(sight.frame.small, boxes[one][0], boxes[~one])
        encoded = self._pictures.encode_context(cut)
        return replace(passage, context_jpeg=encoded, context_quality=taken.quality)


def _begun(track: tracks.Track, at: Whereabouts) -> Passage:
    return Passage(track.id, track.trace_id, track.first_seen_at, at)

"""A picture becomes a template, or a refusal with its reason: the same models as for faces in frames."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from services.contracts.errors import Permanent
from services.contracts.events import Box
from services.embed.core.detections import Detections
from services.embed.core.quality import QualityLimits, Unusable, measure
from services.embed.core.templates import Refused, Template
from services.embed.model.warp import align
from services.embed.ports import Detector, Image, Photographs, Recogniser
from services.embed.upright import UprightCheck

# What is a face at all: below, a refusal for two faces would be about a shadow.
_IS_A_FACE = 0.6
# A face that fills its picture is found when there is something around it.
_PADDING = 0.5

_ADVICE = {
    Unusable.LOW_SCORE: "the face is not clear enough",
    Unusable.TOO_SMALL: "the eyes are {inter_eye_px:.0f} px apart, at least {min_inter_eye_px:.0f} are needed",
    Unusable.BAD_POSE: "the face is turned or tilted too far",
    Unusable.NOT_UPRIGHT: "the face lies or stands on its head: turn the picture",
    Unusable.TOO_BLURRED: "the face is too blurred (sharpness {sharpness:.0f}, at least {min_sharpness:.0f})",
}


class Enroller:
    """Any thread; one picture at a time, because the networks are one thread's at a time."""

    def __init__(
        self,
        detector: Detector,
        recogniser: Recogniser,
        pictures: Photographs,
        limits: QualityLimits,
        *,
        max_pixels: int,
    ) -> None:
        self.card = recogniser.card
        self.model_id = recogniser.model_id
        self._detector = detector
        self._upright = UprightCheck(detector)
        self._recogniser = recogniser
        self._pictures = pictures
        self._limits = limits
        self._max_pixels = max_pixels
        self._one_at_a_time = threading.Lock()

    def enrol(self, picture: bytes) -> Template | Refused:
        """The template of the one face in `picture`. Blocks for some 30 ms, longer in a queue."""
        try:
            image = self._pictures.decode_upright(picture, max_pixels=self._max_pixels)
        except Permanent as refused:
            reason = "too_large" if refused.reason == "too_large" else "unreadable"
            return Refused(reason, str(refused))
        with self._one_at_a_time:
            return self._enrolled(image)

    def _enrolled(self, image: Image) -> Template | Refused:
        faces = self._faces(image)
        if len(faces) != 1:
            if len(faces) == 0:
                return Refused("no_face", "no face was found")
            return Refused("several_faces", f"{len(faces)} faces were found: crop the picture to the one meant")
        chips = align(image, faces.landmarks, self._recogniser.card)
        quality = measure(faces.landmarks[0], float(faces.scores[0]), chips[0])
        unusable = quality.unusable(self._limits)
        if unusable is None and not self._upright.stands(chips[0], quality.detector_score):
            unusable = Unusable.NOT_UPRIGHT
        if unusable is not None:
            return Refused(unusable.value, _ADVICE[unusable].format(**vars(quality), **vars(self._limits)))
        left, top, right, bottom = (float(edge) for edge in faces.boxes[0])
        crop = self._pictures.cut_crop(image, faces.boxes[0], np.empty((0, 4), np.float32))
        return Template(
            model_id=self.model_id,
            vector=self._recogniser.embed(chips)[0],
            box=Box(left, top, right - left, bottom - top),
            quality=quality.score,
            reference_jpeg=self._pictures.encode_crop(crop),
        )

    def _faces(self, image: Image) -> Detections:
        found = self._detector.detect([image], min_score=_IS_A_FACE)[0]
        if len(found):
            return found
        height, width = image.shape[:2]
        down, across = int(height * _PADDING), int(width * _PADDING)
        padded = np.zeros((height + 2 * down, width + 2 * across, 3), np.uint8)
        padded[down : down + height, across : across + width] = image
        found = self._detector.detect([padded], min_score=_IS_A_FACE)[0]
        shift = np.array([across, down], np.float32)
        return replace(found, boxes=found.boxes - np.tile(shift, 2), landmarks=found.landmarks - shift)

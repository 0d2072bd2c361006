"""How well a face was seen: whether it may be searched or enrolled, and which shot is the best."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Unusable(StrEnum):
    """Why a face is not used. A closed set: it becomes a metric label and a refusal's reason."""

    LOW_SCORE = "low_score"
    TOO_SMALL = "too_small"
    BAD_POSE = "bad_pose"
    TOO_BLURRED = "too_blurred"
    # On its head or on its side: what a recogniser makes of it means nothing.
    NOT_UPRIGHT = "not_upright"


@dataclass(frozen=True, kw_only=True)
class QualityLimits:
    """What a face must be for one use of it."""

    min_detector_score: float
    min_inter_eye_px: float
    max_roll_deg: float
    max_yaw_ratio: float
    min_sharpness: float


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What can be told of a face from its five points, its detector score and its aligned chip.

    `inter_eye_px` in pixels of the picture it was taken from, not of a reduced one. `yaw_ratio` is how
    far the nose stands off the middle of the eyes, in inter-eye distances: 0 frontal, near .5 a three-
    quarter view. `sharpness` is the variance of the chip's Laplacian. `upright` is false where the mouth
    stands above the eyes; that a face lies or stands on its head its points need not show (`upright.py`).
    """

    inter_eye_px: float
    roll_deg: float
    yaw_ratio: float
    sharpness: float
    detector_score: float
    upright: bool = True

    def unusable(self, limits: QualityLimits) -> Unusable | None:
        """The first limit that this face fails, None if it may be used. NaN fails."""
        checks = (
            (self.detector_score >= limits.min_detector_score, Unusable.LOW_SCORE),
            (self.inter_eye_px >= limits.min_inter_eye_px, Unusable.TOO_SMALL),
            (self.upright, Unusable.NOT_UPRIGHT),
            (abs(self.roll_deg) <= limits.max_roll_deg, Unusable.BAD_POSE),
            (self.yaw_ratio <= limits.max_yaw_ratio, Unusable.BAD_POSE),
            (self.sharpness >= limits.min_sharpness, Unusable.TOO_BLURRED),
        )
        return next((reason for passed, reason in checks if not passed), None)

    @property
    def score(self) -> float:
        """One number in 0..1 to choose a track's best shots by; it decides nothing else.

        A product, so that one bad property is not made up for by the others; each saturates where more
        of it no longer helps a recogniser fed with small chips.
        """
        size = min(1.0, self.inter_eye_px / FULL_INTER_EYE_PX)
        frontal = max(0.0, 1 - self.yaw_ratio) * max(0.0, 1 - abs(self.roll_deg) / 90)
        sharp = self.sharpness / (self.sharpness + HALF_SHARPNESS)
        product = size**0.5 * frontal * sharp * min(1.0, max(0.0, self.detector_score))
        return float(np.nan_to_num(product, nan=0.0))


# Between the eyes of a face on a 112 px chip: a larger face is only scaled down to it.
FULL_INTER_EYE_PX = 35.0
# About the lower quartile of news photographs; strong blur (2 px on the chip) leaves a tenth of it.
HALF_SHARPNESS = 100.0

# Each set by what it costs in found people and saves in false alarms: `python -m evaluation.limits`, the table in
# docs/adr/0003-models-and-runtimes.md.
LIVE_LIMITS = QualityLimits(
    min_detector_score=0.6, min_inter_eye_px=20, max_roll_deg=45, max_yaw_ratio=0.6, min_sharpness=6
)
ENROLMENT_LIMITS = QualityLimits(
    min_detector_score=0.8, min_inter_eye_px=30, max_roll_deg=30, max_yaw_ratio=0.6, min_sharpness=30
)


def measure(landmarks: ArrayLike, detector_score: float, chip: NDArray[np.uint8]) -> Quality:
    """Measure one face: `landmarks` [5, 2] in picture pixels, `chip` uint8 [s, s, 3] aligned, BGR."""
    points = np.asarray(landmarks, np.float64)
    left_eye, right_eye, nose = points[:3]
    across = right_eye - left_eye
    inter_eye_px = float(np.hypot(*across))
    # Along the line of the eyes, so that a tilted head is not taken for a turned one.
    down = points[3:].mean(axis=0) - (left_eye + right_eye) / 2
    off = (nose - (left_eye + right_eye) / 2) @ across / max(inter_eye_px, 1e-6) ** 2
    return Quality(
        inter_eye_px=inter_eye_px,
        roll_deg=float(np.degrees(np.arctan2(across[1], across[0]))),
        yaw_ratio=abs(float(off)),
        sharpness=sharpness(chip),
        detector_score=float(detector_score),
        upright=not down[1] < 0,
    )


def sharpness(chip: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of `chip` [s, s, 3], over its inner part.

    The rim is left out: there a chip shows the background, or the black beyond a picture's edge.
    """
    rim = chip.shape[0] // 8
    # The green channel stands for brightness: it is most of it, and is there without a conversion.
    grey = chip[rim:-rim, rim:-rim, 1].astype(np.float32)
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * grey[1:-1, 1:-1]).var())

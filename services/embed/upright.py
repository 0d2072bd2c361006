"""Whether a face stands upright, told from its pixels.

A detector that was trained on upright faces puts upright points on a face that stands on its head, so its points
say nothing. But it is surer of a face the right way up. So a cut face is shown to it in four ways at once: one of
which it is surer turned does not stand upright.
"""

from __future__ import annotations

import numpy as np

from services.embed.ports import Detector, Image

# A score from here on is an upright face's: of 689 that were turned upside down or on their side, none had it.
_CERTAIN = 0.91
# Around a chip: a face is found when there is something around it.
_RIM_PX = 24
_WAYS = 4
_LEAST_SCORE = 0.05


class UprightCheck:
    """One inference for a face of which the detector is not certain. The detector's thread."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def stands(self, chip: Image, score: float) -> bool:
        """Whether the face on `chip` (aligned by the points found) stands upright; `score` is its detector's."""
        if score >= _CERTAIN:
            return True
        upright, *turned = self._scores(chip)
        return upright >= max(turned)

    def _scores(self, chip: Image) -> list[float]:
        """Of the chip as it is, and turned by a quarter, by half and by three quarters."""
        side_px = chip.shape[0]
        tile_px = side_px + 2 * _RIM_PX
        shown = np.zeros((tile_px, _WAYS * tile_px, 3), np.uint8)
        for way in range(_WAYS):
            left = way * tile_px + _RIM_PX
            shown[_RIM_PX : _RIM_PX + side_px, left : left + side_px] = np.rot90(chip, way)
        [found] = self._detector.detect([shown], min_score=_LEAST_SCORE)
        scores = [0.0] * _WAYS
        for box, score in zip(found.boxes, found.scores, strict=True):
            way = int(np.clip((box[0] + box[2]) / 2 // tile_px, 0, _WAYS - 1))
            scores[way] = max(scores[way], float(score))
        return scores

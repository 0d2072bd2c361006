"""A face that lies or stands on its head is told by what the detector is surer of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from services.embed.core.detections import NO_DETECTIONS, Detections
from services.embed.upright import UprightCheck


class MarkDetector:
    """As sure of a tile as its upper left corner is bright: a chip's mark tells which way it is turned."""

    def __init__(self) -> None:
        self.asked = 0

    def detect(
        self,
        images: Sequence[NDArray[np.uint8]],
        *,
        min_score: float,
        sizes: Sequence[tuple[int, int]] | None = None,
    ) -> list[Detections]:
        self.asked += 1
        return [self._one(image) for image in images]

    def _one(self, image: NDArray[np.uint8]) -> Detections:
        height = image.shape[0]
        rows = [
            (way * height + 20, 20, (way + 1) * height - 20, height - 20, image[30, way * height + 30, 0] / 255)
            for way in range(image.shape[1] // height)
        ]
        found = np.array([row for row in rows if row[4] > 0], np.float32)
        if not len(found):
            return NO_DETECTIONS
        return Detections(found[:, :4], np.zeros((len(found), 5, 2), np.float32), found[:, 4])


def a_chip(quarters: int, size: int = 112) -> NDArray[np.uint8]:
    chip = np.full((size, size, 3), 40, np.uint8)
    chip[: size // 2, : size // 2] = 200
    return np.ascontiguousarray(np.rot90(chip, quarters))


@pytest.mark.parametrize("size", [112, 150])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_face_of_which_the_detector_is_surer_turned_does_not_stand(quarters: int, size: int) -> None:
    """A camera mounted upside down: its faces were usable, and their templates nobody's (cosine .05)."""
    assert UprightCheck(MarkDetector()).stands(a_chip(quarters, size), 0.75) is (quarters == 0)


def test_a_face_of_which_the_detector_is_certain_costs_nothing() -> None:
    detector = MarkDetector()
    assert UprightCheck(detector).stands(a_chip(2), 0.93)
    assert detector.asked == 0


def test_a_face_that_is_found_in_no_way_stays_what_it_was() -> None:
    assert UprightCheck(MarkDetector()).stands(np.zeros((112, 112, 3), np.uint8), 0.7)

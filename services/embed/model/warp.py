"""Cutting aligned chips out of a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from services.embed.core.align import similarity
from services.embed.model.card import ModelCard


def align(image: NDArray[np.uint8], landmarks: NDArray[np.float32], card: ModelCard) -> NDArray[np.uint8]:
    """The chip of each face, as `card` wants it: uint8 [n, size, size, 3], colours as in `image`.

    `image` uint8 [h, w, 3], `landmarks` [n, 5, 2] in its pixels. What lies outside the picture is
    black. Raises ValueError if a face's five points coincide.
    """
    size = card.input_size_px
    chips = np.empty((len(landmarks), size, size, 3), np.uint8)
    if len(landmarks) == 0:
        return chips
    for chip, matrix in zip(chips, similarity(landmarks, card.template), strict=True):
        cv2.warpAffine(image, matrix, (size, size), dst=chip, flags=cv2.INTER_LINEAR)
    return chips

"""A folder of pictures, one folder a person, as vectors: the same detector, aligner and recogniser."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.protocol import Faces
from services.embed.model.recogniser import BATCH_CHIPS, Recogniser
from services.embed.model.warp import align
from services.embed.model.yunet import YuNetDetector

_PICTURES = {".jpg", ".jpeg", ".png"}
_MIN_SCORE = 0.5


def read_faces(folder: Path, detector: YuNetDetector, recogniser: Recogniser, *, pad_px: int) -> tuple[Faces, int]:
    """The most central face of each picture under `folder/<person>/`, and how many pictures had none.

    `pad_px` replicates a picture's border first, for crops too tight to detect in. Pictures are read one
    by one; vectors are all that stays. Raises ValueError when there is no face at all.
    """
    vectors, subjects, without = [], [], 0
    chips: list[NDArray[np.uint8]] = []
    for number, person in enumerate(sorted(p for p in folder.iterdir() if p.is_dir())):
        for path in sorted(p for p in person.iterdir() if p.suffix.lower() in _PICTURES):
            chip = _central_chip(path, detector, recogniser, pad_px)
            if chip is None:
                without += 1
                continue
            chips.append(chip)
            subjects.append(number)
            if len(chips) == BATCH_CHIPS:
                vectors.append(recogniser.embed(np.stack(chips)))
                chips.clear()
    if chips:
        vectors.append(recogniser.embed(np.stack(chips)))
    if not vectors:
        raise ValueError(f"no face was found in {folder}")
    _, numbered = np.unique(subjects, return_inverse=True)
    return Faces(np.concatenate(vectors), numbered), without


def _central_chip(
    path: Path, detector: YuNetDetector, recogniser: Recogniser, pad_px: int
) -> NDArray[np.uint8] | None:
    decoded = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if decoded is None:
        return None
    padded = cv2.copyMakeBorder(decoded, pad_px, pad_px, pad_px, pad_px, cv2.BORDER_REPLICATE)
    image = np.asarray(padded, np.uint8)
    [found] = detector.detect([image], min_score=_MIN_SCORE)
    if len(found) == 0:
        return None
    middle = np.array(image.shape[1::-1]) / 2
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    nearest = int(np.argmin(np.linalg.norm(centres - middle, axis=1)))
    chips = align(image, found.landmarks[nearest : nearest + 1], recogniser.card)
    return np.asarray(chips[0])

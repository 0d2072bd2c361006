"""A folder of pictures, one folder a person, as vectors: the same detector, aligner and recogniser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.protocol import Faces, Floats
from services.embed.core.quality import Quality, measure
from services.embed.model.recogniser import BATCH_CHIPS, Recogniser
from services.embed.model.warp import align
from services.embed.model.yunet import YuNetDetector

Image = NDArray[np.uint8]

_PICTURES = {".jpg", ".jpeg", ".png"}
_MIN_SCORE = 0.5


@dataclass(frozen=True)
class Picture:
    """A file, and whose it is: people are numbered as their folders are sorted."""

    subject: int
    path: Path = field(repr=False)

    def read(self, pad_px: int) -> Image | None:
        """BGR, its border replicated `pad_px` outwards, for crops too tight to detect in; None for no picture."""
        decoded = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if decoded is None:
            return None
        return np.asarray(
            cv2.copyMakeBorder(decoded, pad_px, pad_px, pad_px, pad_px, cv2.BORDER_REPLICATE), np.uint8
        )


@dataclass(frozen=True)
class Seen:
    """The most central face of a picture: its aligned chip, and how well it was seen."""

    chip: Image = field(repr=False)
    quality: Quality


def pictures(folder: Path) -> Iterator[Picture]:
    """Every picture of `folder/<person>/`, in order."""
    for number, person in enumerate(sorted(p for p in folder.iterdir() if p.is_dir())):
        for path in sorted(p for p in person.iterdir() if p.suffix.lower() in _PICTURES):
            yield Picture(number, path)


def central_face(
    image: Image, detector: YuNetDetector, recogniser: Recogniser, *, min_score: float = _MIN_SCORE
) -> Seen | None:
    """The most central face of `image`, None where no face is found."""
    [found] = detector.detect([image], min_score=min_score)
    if len(found) == 0:
        return None
    middle = np.array(image.shape[1::-1]) / 2
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    nearest = int(np.argmin(np.linalg.norm(centres - middle, axis=1)))
    chip = np.asarray(align(image, found.landmarks[nearest : nearest + 1], recogniser.card)[0])
    return Seen(chip, measure(found.landmarks[nearest], float(found.scores[nearest]), chip))


def embedded(chips: Sequence[Image], recogniser: Recogniser) -> Floats:
    """The vectors of these chips, [n, d]."""
    batches = [chips[at : at + BATCH_CHIPS] for at in range(0, len(chips), BATCH_CHIPS)]
    return np.concatenate([recogniser.embed(np.stack(batch)) for batch in batches])


def read_faces(folder: Path, detector: YuNetDetector, recogniser: Recogniser, *, pad_px: int) -> tuple[Faces, int]:
    """The most central face of each picture under `folder/<person>/`, and how many pictures had none.

    Vectors are all that stays. Raises ValueError when there is no face at all.
    """
    chips: list[Image] = []
    subjects: list[int] = []
    without = 0
    for picture in pictures(folder):
        image = picture.read(pad_px)
        found = None if image is None else central_face(image, detector, recogniser)
        if found is None:
            without += 1
            continue
        chips.append(found.chip)
        subjects.append(picture.subject)
    if not chips:
        raise ValueError(f"no face was found in {folder}")
    _, numbered = np.unique(subjects, return_inverse=True)
    return Faces(embedded(chips, recogniser), numbered), without

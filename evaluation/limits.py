"""`python -m evaluation.limits --faces DIR`: what a limit of quality costs in found people, saves in false alarms.

For pictures as they are, and for some of them made smaller, blurred and turned.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from evaluation.faces import Image, Picture, central_face, embedded, pictures
from evaluation.protocol import Floats, Indices
from services.contracts.events import ScoreKind
from services.contracts.operating_points import BY_MODEL
from services.contracts.scoring import raw_scores
from services.embed.core.quality import LIVE_LIMITS, Quality
from services.embed.model.compile import RuntimeOptions
from services.embed.model.recogniser import Recogniser
from services.embed.model.registry import load_detector, load_recogniser
from services.embed.model.yunet import YuNetDetector

Change = Callable[[Image, Quality], Image]

_FPIR = 0.001
_LISTS = (2, 10, 100)
_EDGES: dict[str, tuple[float, ...]] = {
    "yaw_ratio": (0, 0.1, 0.2, 0.3, 0.35, 0.45, 0.6, 9),
    "roll_deg": (0, 5, 10, 15, 20, 45),
    "sharpness": (0, 15, 30, 50, 100, 200, 400, 1e9),
    "detector_score": (0.6, 0.7, 0.8, 0.85, 0.9, 1.001),
}
_SIZES_PX = (40, 30, 25, 20, 17, 15, 12, 10, 8)
# Deviations of a Gaussian, in distances between the eyes.
_BLURS = (0.014, 0.027, 0.041, 0.055, 0.082)
_ROLLS_DEG = (15, 30, 45, 90, 180)
# A camera's, for pictures that are made as small as a camera would have made them.
_JPEG_QUALITY = 85
_CANVAS_PX = 128
_GREY = 127


@dataclass(frozen=True)
class Measured:
    """The faces found in some pictures, [n]: which picture, whose, vector [n, d], how well it was seen."""

    places: Indices = field(repr=False)
    subjects: Indices = field(repr=False)
    vectors: Floats = field(repr=False)
    qualities: tuple[Quality, ...] = field(repr=False)


@dataclass(frozen=True)
class Row:
    """What became of `looked_for` pictures. By threshold: `found` of the other pictures of the same person,
    `alarms` of the pictures of everybody else. In `found` every person counts once, and who was not detected is
    missed.
    """

    name: str
    looked_for: int
    detected: int
    found: tuple[float, ...]
    alarms: tuple[float, ...]

    def __str__(self) -> str:
        found = " ".join(f"{rate:.3f}" for rate in self.found)
        alarms = " ".join(f"{rate * 1e6:6.1f}" for rate in self.alarms)
        return f"{self.name:28}{self.detected:6} of {self.looked_for:5}   found {found}   false of 1e6 {alarms}"


def compare(
    name: str, probes: Measured, gallery: Measured, thresholds: Sequence[float], *, looked_for: int
) -> Row:
    """Search each of `probes` among `gallery`, without the picture that it is itself."""
    found: dict[int, list[Floats]] = {}
    alarms, strangers = np.zeros(len(thresholds)), 0
    for place, subject, vector in zip(probes.places, probes.subjects, probes.vectors, strict=True):
        scores = raw_scores(vector[np.newaxis], gallery.vectors)[0]
        reached = np.stack([scores >= threshold for threshold in thresholds])
        own = gallery.subjects == subject
        alarms, strangers = alarms + reached[:, ~own].sum(axis=1), strangers + int((~own).sum())
        others = own & (gallery.places != place)
        if others.any():
            found.setdefault(int(subject), []).append(reached[:, others].mean(axis=1).astype(np.float32))
    rates = np.mean([np.mean(one, axis=0) for one in found.values()] or [np.zeros(len(thresholds))], axis=0)
    detected = len(probes.places)
    share = detected / looked_for
    return Row(name, looked_for, detected, tuple(rates * share), tuple(alarms / max(1, strangers)))


def by_quality(faces: Measured, thresholds: Sequence[float]) -> Iterator[Row]:
    """A row for each range of each quality."""
    for name, edges in _EDGES.items():
        values = np.abs([getattr(one, name) for one in faces.qualities])
        for low, high in itertools.pairwise(edges):
            inside = np.flatnonzero((values >= low) & (values < high))
            if len(inside):
                label = f"{name} {low:g} to {high:g}" if high < 1e9 else f"{name} {low:g} and more"
                yield compare(label, _some(faces, inside), faces, thresholds, looked_for=len(inside))


def changes() -> Iterator[tuple[str, Change]]:
    """How pictures are made worse, from the quality that they have."""
    yield "as it is", lambda image, quality: image
    for px in _SIZES_PX:
        yield f"{px} px between the eyes", partial(_small, px=px)
    for share in _BLURS:
        yield f"blurred by {share:g} eyes", partial(_blurred, share=share)
    for deg in _ROLLS_DEG:
        yield f"turned by {deg} degrees", partial(_turned, deg=deg)


def _small(image: Image, quality: Quality, *, px: float) -> Image:
    scale = px / quality.inter_eye_px
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    small = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    height, width = small.shape[:2]
    canvas = np.full((max(_CANVAS_PX, height), max(_CANVAS_PX, width), 3), _GREY, np.uint8)
    top, left = (canvas.shape[0] - height) // 2, (canvas.shape[1] - width) // 2
    canvas[top : top + height, left : left + width] = small
    return canvas


def _blurred(image: Image, quality: Quality, *, share: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), share * quality.inter_eye_px), np.uint8)


def _turned(image: Image, quality: Quality, *, deg: float) -> Image:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), deg, 1)
    return np.asarray(cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _some(faces: Measured, which: Indices) -> Measured:
    qualities = tuple(faces.qualities[one] for one in which.tolist())
    return Measured(faces.places[which], faces.subjects[which], faces.vectors[which], qualities)


class _Reader:
    """Pictures to vectors, with the services' own networks."""

    def __init__(self, detector: YuNetDetector, recogniser: Recogniser, pad_px: int) -> None:
        self._detector, self._recogniser, self._pad_px = detector, recogniser, pad_px

    def read(
        self,
        found: Sequence[tuple[int, Picture]],
        change: Change | None = None,
        before: Mapping[int, Quality] | None = None,
    ) -> Measured:
        """The faces of these pictures, after `change` if given; `before` has how well each was seen without it."""
        chips, qualities, kept = [], [], []
        for place, picture in found:
            image = picture.read(self._pad_px)
            if image is None:
                continue
            if change is not None and before is not None:
                image = change(image, before[place])
            seen = central_face(image, self._detector, self._recogniser, min_score=LIVE_LIMITS.min_detector_score)
            if seen is not None:
                chips.append(seen.chip)
                qualities.append(seen.quality)
                kept.append((place, picture.subject))
        vectors = embedded(chips, self._recogniser) if chips else np.zeros((0, 1), np.float32)
        places, subjects = np.asarray(kept, np.intp).reshape(-1, 2).T
        return Measured(places, subjects, vectors, tuple(qualities))


def _sample(faces: Measured, count: int, seed: int) -> Indices:
    """One picture each of people who have several."""
    rng = np.random.default_rng(seed)
    several = [np.flatnonzero(faces.subjects == one) for one in np.unique(faces.subjects)]
    chosen = [int(rng.choice(rows)) for rows in several if len(rows) > 1]
    return np.sort(rng.permutation(np.asarray(chosen, np.intp))[:count])


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what limits of a face's quality cost and save.")
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--model", default="sface")
    parser.add_argument("--models-dir", type=Path, default=Path(".cache/assets/models"))
    parser.add_argument("--cache-dir", type=Path, default=Path(".cache/compiled"))
    parser.add_argument("--pad-px", type=int, default=0, help="replicate the border of tight crops")
    parser.add_argument("--changed", type=int, default=500, help="pictures that are made worse, one a person")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table. Raises Misconfigured for a model that cannot be loaded."""
    arguments = _arguments(argv)
    options = RuntimeOptions(cache_dir=arguments.cache_dir, intra_op_threads=1)
    detector = load_detector(arguments.models_dir, options)
    recogniser = load_recogniser(arguments.model, arguments.models_dir, options)
    points = BY_MODEL[arguments.model]
    thresholds = [points.thresholds(ScoreKind.RAW, entries=size, fpir=_FPIR)[1] for size in _LISTS]
    print(f"thresholds of one shot for lists of {_LISTS}, one passage in a thousand: {thresholds}")
    reader = _Reader(detector, recogniser, arguments.pad_px)
    found = list(enumerate(pictures(arguments.faces)))
    faces = reader.read(found)
    for row in by_quality(faces, thresholds):
        print(row, flush=True)
    chosen = _sample(faces, arguments.changed, arguments.seed)
    before = {int(faces.places[one]): faces.qualities[one] for one in chosen}
    some = [found[place] for place in before]
    for name, change in changes():
        print(
            compare(name, reader.read(some, change, before), faces, thresholds, looked_for=len(some)), flush=True
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Faces found in a picture, and how a detector's raw grid becomes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# A crowd fills a picture with at most a few hundred faces; above this a frame is noise, and the
# pairwise overlaps must stay cheap.
MAX_CANDIDATES = 1000


@dataclass(frozen=True)
class Detections:
    """The faces of one picture, best first, in its pixels.

    `boxes` [n, 4] are left, top, right, bottom; `landmarks` [n, 5, 2] the eye on the left of the
    picture, the other eye, the nose, the mouth corner on the left, the other; `scores` [n] in 0..1.
    """

    boxes: Floats = field(repr=False)
    landmarks: Floats = field(repr=False)
    scores: Floats = field(repr=False)

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or self.landmarks.shape != (n, 5, 2):
            raise ValueError(f"shapes do not agree: {self.boxes.shape}, {self.landmarks.shape}, ({n},)")

    def __len__(self) -> int:
        return len(self.scores)

    def scaled(self, factor: float) -> Detections:
        """The same faces in a picture `factor` times as large."""
        if factor == 1:
            return self
        f = np.float32(factor)
        return Detections(self.boxes * f, self.landmarks * f, self.scores)


NO_DETECTIONS = Detections(
    np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32), np.empty((0,), np.float32)
)


@dataclass(frozen=True)
class AnchorGrid:
    """Where each cell of an anchor-free detector looks: its corner in cells, its stride in pixels."""

    cells: Floats
    strides_px: Floats


@lru_cache(maxsize=8)
def anchor_grid(width_px: int, height_px: int, strides_px: tuple[int, ...] = (8, 16, 32)) -> AnchorGrid:
    """The cells of all levels, row by row, finest level first, for one input size."""
    cells, strides = [], []
    for stride in strides_px:
        rows, columns = np.mgrid[: height_px // stride, : width_px // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full(rows.size, stride))
    return AnchorGrid(np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32))


def decode(raw: Floats, grid: AnchorGrid, *, min_score: float, max_overlap: float = 0.3) -> Detections:
    """Turn one picture's raw rows into faces: keep scores of `min_score` and more, drop doubles.

    `raw` [cells, 15]: score, box (centre offset x, y in cells, log width, log height), five points
    as offsets in cells. Nothing of `raw` is kept: the caller may reuse its memory.
    """
    scores = raw[:, 0]
    keep = np.flatnonzero(scores >= min_score)
    if keep.size == 0:
        return NO_DETECTIONS
    keep = keep[np.argsort(-scores[keep], kind="stable")[:MAX_CANDIDATES]]
    rows, corner, stride = raw[keep], grid.cells[keep], grid.strides_px[keep, None]
    centre = (corner + rows[:, 1:3]) * stride
    half = np.exp(np.minimum(rows[:, 3:5], 10)) * stride / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    points = (rows[:, 5:15].reshape(-1, 5, 2) + corner[:, None]) * stride[:, :, None]
    kept = suppress(boxes, max_overlap)
    return Detections(boxes[kept], points[kept], rows[kept, 0])


def suppress(boxes: Floats, max_overlap: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression over `boxes` [n, 4], best first: the indices that stay.

    A box goes when its intersection over union with one that stays is above `max_overlap`.
    """
    n = len(boxes)
    if n < 2:
        return np.arange(n)
    doubled = overlaps(boxes) > max_overlap
    gone = np.zeros(n, bool)
    kept = []
    for i in range(n):
        if not gone[i]:
            kept.append(i)
            gone |= doubled[i]
    return np.asarray(kept, np.intp)


def overlaps(boxes: Floats) -> Floats:
    """Intersection over union of every pair of `boxes` [n, 4], as [n, n]."""
    # Coordinate by coordinate: over a last axis of two, numpy takes four times as long.
    left, top, right, bottom = np.ascontiguousarray(boxes.T)
    width = np.minimum.outer(right, right) - np.maximum.outer(left, left)
    height = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (right - left) * (bottom - top)
    union = np.add.outer(areas, areas) - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)

"""Made-up pictures, the same on every machine, on which a compiled network is proved at load."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.embed.model.card import ARCFACE_TEMPLATE, Point

# No face of a person may be committed, and noise alone does not reach the later layers as faces do:
# so shaded ovals with eyes, nose and mouth where the template has them, under varied light.
_COUNT = 16
_SEED = 20261122

Plane = NDArray[np.float64]


def pinned_chips(size_px: int, template: tuple[Point, ...]) -> NDArray[np.uint8]:
    """Sixteen drawn faces, uint8 [16, size, size, 3], aligned to `template`."""
    rng = np.random.default_rng(_SEED)
    return np.stack([_face(size_px, np.asarray(template, np.float64), rng) for _ in range(_COUNT)])


def pinned_scene(width_px: int, height_px: int) -> NDArray[np.uint8]:
    """Two drawn pictures with faces of several sizes in them, uint8 [2, height, width, 3]."""
    rng = np.random.default_rng(_SEED)
    scenes = rng.integers(90, 130, (2, height_px, width_px, 3)).astype(np.uint8)
    for scene in scenes:
        for i, size in enumerate((56, 112, 168)):
            face = _face(size, np.asarray(ARCFACE_TEMPLATE) * (size / 112), rng)
            top = int(rng.integers(0, max(1, height_px - size)))
            left = i * width_px // 3
            cut = face[: height_px - top, : width_px - left]
            scene[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return scenes


def _face(size_px: int, points: Plane, rng: np.random.Generator) -> NDArray[np.uint8]:
    y, x = np.mgrid[:size_px, :size_px].astype(np.float64)
    unit = size_px / 112
    skin = rng.uniform(60, 220, 3)
    light = rng.uniform(-0.5, 0.5, 2)
    picture = np.empty((size_px, size_px, 3))
    picture[:] = rng.uniform(20, 230, 3)
    centre = points.mean(axis=0)
    oval = _blob(x, y, centre, (40 * unit * rng.uniform(0.9, 1.2), 55 * unit), edge=6)
    shade = 1 + (light[0] * (x - centre[0]) + light[1] * (y - centre[1])) / size_px
    picture += oval[..., None] * (skin * shade[..., None] - picture)
    for point, radii, strength in zip(
        points + rng.normal(0, 1.5 * unit, points.shape),
        ((7, 4), (7, 4), (5, 8), (9, 4), (9, 4)),
        (0.7, 0.7, 0.25, 0.5, 0.5),
        strict=True,
    ):
        mark = _blob(x, y, point, (radii[0] * unit, radii[1] * unit), edge=2)
        picture *= 1 - (strength * rng.uniform(0.6, 1.2) * mark)[..., None]
    picture += rng.normal(0, rng.uniform(1, 8), picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _blob(x: Plane, y: Plane, centre: Plane, radii: tuple[float, float], *, edge: float) -> Plane:
    distance = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
    return np.asarray(np.clip((1 - distance) * edge, 0, 1))

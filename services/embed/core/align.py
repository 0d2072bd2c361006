"""The similarity that lays a face's five points on a recogniser's template."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles = NDArray[np.float64]


def similarity(landmarks: ArrayLike, template: ArrayLike) -> Doubles:
    """Least-squares scale, rotation and shift (no reflection) from `landmarks` to `template`.

    `landmarks` [n, 5, 2] in picture pixels, `template` [5, 2] in chip pixels; gives [n, 2, 3],
    each `[x', y'] = M @ [x, y, 1]`. In the plane a similarity is one complex factor and one shift,
    so the fit is a division, and equals Umeyama's. Raises ValueError if five points coincide.
    """
    source, target = _complex(landmarks), _complex(template)
    source_mean, target_mean = source.mean(axis=-1, keepdims=True), target.mean()
    centred = source - source_mean
    spread = (np.abs(centred) ** 2).sum(axis=-1)
    if (spread == 0).any():
        raise ValueError("the five points coincide: no alignment exists")
    factor = (np.conj(centred) * (target - target_mean)).sum(axis=-1) / spread
    shift = target_mean - factor * source_mean[..., 0]
    row_x = np.stack([factor.real, -factor.imag, shift.real], axis=-1)
    row_y = np.stack([factor.imag, factor.real, shift.imag], axis=-1)
    return np.stack([row_x, row_y], axis=-2)


def residual(landmarks: ArrayLike, template: ArrayLike, matrices: Doubles) -> Doubles:
    """How far the points stay from the template after `matrices` [n, 2, 3]: root mean square in chip
    pixels, [n]. Large for faces turned away and for points that are wrong."""
    points = np.asarray(landmarks, np.float64)
    moved = points @ np.swapaxes(matrices[..., :2], -1, -2) + matrices[..., None, :, 2]
    off = moved - np.asarray(template, np.float64)
    return np.asarray(np.sqrt((off**2).sum(axis=-1).mean(axis=-1)))


def _complex(points: ArrayLike) -> NDArray[np.complex128]:
    xy = np.asarray(points, np.float64)
    return np.asarray(xy[..., 0] + 1j * xy[..., 1])

"""Alignment: five points onto the template, by scale, rotation and shift alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.embed.core.align import residual, similarity

TEMPLATE = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]])


def moved(points: np.ndarray, *, scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(scale * points @ turn.T + shift)


def applied(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


@given(
    scale=st.floats(0.05, 20),
    degrees=st.floats(-180, 180),
    shift=st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)),
)
def test_points_that_are_the_template_moved_come_back_onto_it(
    scale: float, degrees: float, shift: tuple[float, float]
) -> None:
    points = moved(TEMPLATE, scale=scale, degrees=degrees, shift=shift)[None]
    matrices = similarity(points, TEMPLATE)
    np.testing.assert_allclose(applied(matrices[0], points[0]), TEMPLATE, atol=1e-6)
    assert residual(points, TEMPLATE, matrices)[0] < 1e-6


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    mirrored = (TEMPLATE * [-1, 1])[None]
    matrices = similarity(mirrored, TEMPLATE)
    assert np.linalg.det(matrices[0, :, :2]) > 0
    assert residual(mirrored, TEMPLATE, matrices)[0] > 5


def test_it_is_umeyamas_least_squares_answer() -> None:
    points = TEMPLATE * 2.2 + np.random.default_rng(1).normal(0, 4, TEMPLATE.shape)
    np.testing.assert_allclose(similarity(points[None], TEMPLATE)[0], umeyama(points, TEMPLATE), atol=1e-9)


def test_many_faces_are_fitted_as_each_alone() -> None:
    faces = TEMPLATE + np.random.default_rng(2).normal(0, 9, (7, 5, 2))
    together = similarity(faces, TEMPLATE)
    for face, matrix in zip(faces, together, strict=True):
        np.testing.assert_allclose(similarity(face[None], TEMPLATE)[0], matrix)


def test_five_points_in_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="coincide"):
        similarity(np.full((1, 5, 2), 40.0), TEMPLATE)


def umeyama(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The textbook form, by singular value decomposition."""
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a / len(a))
    sign = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    turn = u @ sign @ vt
    scale = np.trace(np.diag(s) @ sign) / a.var(0).sum()
    return np.column_stack([scale * turn, target.mean(0) - scale * turn @ source.mean(0)])

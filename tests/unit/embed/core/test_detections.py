"""From a detector's grid to faces: threshold, geometry, doubles."""

from __future__ import annotations

import numpy as np
import pytest

from services.embed.core.detections import (
    MAX_CANDIDATES,
    NO_DETECTIONS,
    Detections,
    anchor_grid,
    decode,
    overlaps,
    suppress,
)

GRID = anchor_grid(64, 32)


def a_quiet_grid() -> np.ndarray:
    return np.zeros((len(GRID.cells), 15), np.float32)


def test_the_grid_lists_every_cell_of_every_level_row_by_row() -> None:
    assert len(GRID.cells) == 8 * 4 + 4 * 2 + 2 * 1
    assert GRID.cells[:9].tolist() == [[0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [6, 0], [7, 0], [0, 1]]
    assert GRID.strides_px.tolist() == [8] * 32 + [16] * 8 + [32] * 2


def test_a_cell_becomes_a_box_and_points_in_pixels() -> None:
    raw = a_quiet_grid()
    raw[9] = [0.9, 0.5, 0.25, np.log(2), np.log(3), *range(10)]  # column 1, row 1, stride 8
    found = decode(raw, GRID, min_score=0.6)
    np.testing.assert_allclose(found.boxes, [[12 - 8, 10 - 12, 12 + 8, 10 + 12]])
    np.testing.assert_allclose(found.landmarks[0, 0], [8, 16])
    np.testing.assert_allclose(found.landmarks[0, 4], [8 + 64, 8 + 72])
    assert found.scores.tolist() == pytest.approx([0.9])


def test_a_score_at_the_limit_is_kept_and_one_below_is_not() -> None:
    raw = a_quiet_grid()
    raw[0, 0], raw[20, 0] = 0.75, 0.7499
    assert decode(raw, GRID, min_score=0.75).scores.tolist() == [0.75]


def test_nothing_above_the_limit_gives_no_detections() -> None:
    assert decode(a_quiet_grid(), GRID, min_score=0.5) is NO_DETECTIONS
    assert len(NO_DETECTIONS) == 0


def test_faces_come_best_first() -> None:
    raw = a_quiet_grid()
    raw[[0, 7, 30], 0] = [0.7, 0.9, 0.8]
    assert decode(raw, GRID, min_score=0.5).scores.tolist() == pytest.approx([0.9, 0.8, 0.7])


def test_of_two_boxes_on_one_face_the_better_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], np.float32)
    assert suppress(boxes, 0.3).tolist() == [0, 2]


def test_a_box_that_overlaps_only_a_dropped_one_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10]], np.float32)
    assert suppress(boxes, 0.3).tolist() == [0, 2]


def test_overlap_is_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [50, 50, 60, 60]], np.float32)
    expected = np.array([[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(overlaps(boxes), expected, atol=1e-6)


def test_a_frame_of_noise_cannot_grow_the_work_without_bound() -> None:
    grid = anchor_grid(640, 384)
    raw = np.zeros((len(grid.cells), 15), np.float32)
    raw[:, 0], raw[:, 3:5] = 1, -20  # every cell a face, none overlapping
    assert len(decode(raw, grid, min_score=0.5)) <= MAX_CANDIDATES


def test_faces_scale_with_their_picture() -> None:
    raw = a_quiet_grid()
    raw[9] = [0.9, 0.5, 0.25, 0, 0, *range(10)]
    once = decode(raw, GRID, min_score=0.5)
    twice = once.scaled(2)
    np.testing.assert_allclose(twice.boxes, once.boxes * 2)
    np.testing.assert_allclose(twice.landmarks, once.landmarks * 2)
    np.testing.assert_array_equal(twice.scores, once.scores)


def test_shapes_that_do_not_agree_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes do not agree"):
        Detections(np.zeros((2, 4), np.float32), np.zeros((1, 5, 2), np.float32), np.zeros(2, np.float32))


def test_where_a_face_is_stays_out_of_logs() -> None:
    assert repr(NO_DETECTIONS) == "Detections()"

"""What a limit of quality costs and saves: counted picture by picture, without comparing one with itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.limits import Measured, by_quality, compare
from services.embed.core.quality import Quality

GOOD = Quality(inter_eye_px=60, roll_deg=0, yaw_ratio=0.05, sharpness=150, detector_score=0.92)
EAST, NORTH = np.eye(2, dtype=np.float32)


def faces(*rows: tuple[int, np.ndarray], qualities: tuple[Quality, ...] = ()) -> Measured:
    """One face a row: whose it is, and its vector."""
    return Measured(
        np.arange(len(rows)),
        np.asarray([subject for subject, _ in rows]),
        np.stack([vector for _, vector in rows]),
        qualities or (GOOD,) * len(rows),
    )


def test_a_picture_is_not_found_by_being_itself() -> None:
    gallery = faces((0, EAST), (0, NORTH), (1, NORTH))
    row = compare("all", gallery, gallery, [0.9], looked_for=3)
    assert row.found == (0.0,)
    # One pair of strangers is alike, seen from both sides: 2 of the 4 comparisons of strangers.
    assert row.alarms == (0.5,)


def test_who_was_not_detected_counts_as_missed() -> None:
    gallery = faces((0, EAST), (0, EAST), (1, NORTH), (1, NORTH))
    row = compare("half", faces((0, EAST)), gallery, [0.9], looked_for=2)
    assert (row.detected, row.found) == (1, (0.5,))


def test_somebody_with_many_pictures_counts_once() -> None:
    many = [(0, EAST)] * 10
    gallery = faces(*many, (1, EAST), (1, NORTH))
    assert compare("all", gallery, gallery, [0.9], looked_for=12).found == (0.5,)


def test_a_face_stands_in_the_range_of_its_quality() -> None:
    turned = replace(GOOD, yaw_ratio=0.4)
    gallery = faces((0, EAST), (0, EAST), qualities=(GOOD, turned))
    rows = {row.name: row.detected for row in by_quality(gallery, [0.9])}
    assert rows["yaw_ratio 0 to 0.1"] == 1
    assert rows["yaw_ratio 0.35 to 0.45"] == 1
    assert sum(count for name, count in rows.items() if name.startswith("yaw")) == 2


@pytest.mark.parametrize("looked_for", [1, 7])
def test_nobody_detected_is_nobody_found(looked_for: int) -> None:
    nobody = Measured(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros((0, 2), np.float32), ())
    row = compare("none", nobody, faces((0, EAST)), [0.9], looked_for=looked_for)
    assert (row.detected, row.found, row.alarms) == (0, (0.0,), (0.0,))

"""Quality: which faces are used, and which shot is preferred."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from services.embed.core.quality import (
    ENROLMENT_LIMITS,
    LIVE_LIMITS,
    Quality,
    Unusable,
    measure,
    sharpness,
)

FRONTAL = np.array([[100.0, 100], [140, 100], [120, 125], [105, 145], [135, 145]])
GOOD = Quality(inter_eye_px=60, roll_deg=2, yaw_ratio=0.05, sharpness=150, detector_score=0.92)


def a_chip(*, contrast: float = 40.0) -> np.ndarray:
    noise = np.random.default_rng(5).normal(120, contrast, (112, 112, 1))
    return np.repeat(np.clip(noise, 0, 255), 3, axis=2).astype(np.uint8)


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray((points - 120) @ turn.T + 120)


def test_a_good_face_may_be_searched_and_enrolled() -> None:
    assert GOOD.unusable(LIVE_LIMITS) is None
    assert GOOD.unusable(ENROLMENT_LIMITS) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (replace(GOOD, detector_score=0.5), Unusable.LOW_SCORE),
        (replace(GOOD, inter_eye_px=19.9), Unusable.TOO_SMALL),
        (replace(GOOD, roll_deg=-60), Unusable.BAD_POSE),
        (replace(GOOD, yaw_ratio=0.7), Unusable.BAD_POSE),
        (replace(GOOD, sharpness=5), Unusable.TOO_BLURRED),
        (replace(GOOD, sharpness=math.nan), Unusable.TOO_BLURRED),
        (replace(GOOD, roll_deg=math.nan), Unusable.BAD_POSE),
    ],
)
def test_each_limit_has_its_reason(changed: Quality, reason: Unusable) -> None:
    assert changed.unusable(LIVE_LIMITS) is reason


def test_a_face_at_the_limit_is_used() -> None:
    at = Quality(inter_eye_px=20, roll_deg=45, yaw_ratio=0.6, sharpness=6, detector_score=0.6)
    assert at.unusable(LIVE_LIMITS) is None


def test_a_portrait_turned_a_little_is_enrolled() -> None:
    """It was refused at .3, though such pictures add as much to a list's entry as straight ones (adr/0003)."""
    assert replace(GOOD, yaw_ratio=0.33).unusable(ENROLMENT_LIMITS) is None


def test_enrolment_asks_for_more_than_the_street() -> None:
    distant = replace(GOOD, inter_eye_px=25)
    assert distant.unusable(LIVE_LIMITS) is None
    assert distant.unusable(ENROLMENT_LIMITS) is Unusable.TOO_SMALL


@pytest.mark.parametrize("degrees", [-40, 0, 25])
def test_a_tilted_head_has_roll_and_no_yaw(degrees: float) -> None:
    quality = measure(turned(FRONTAL, degrees), 0.9, a_chip())
    assert quality.roll_deg == pytest.approx(degrees)
    assert quality.yaw_ratio == pytest.approx(0, abs=1e-6)
    assert quality.inter_eye_px == pytest.approx(40)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_head_turned_either_way_has_yaw(side: int) -> None:
    points = FRONTAL.copy()
    points[2, 0] += side * 16
    assert measure(turned(points, 20), 0.9, a_chip()).yaw_ratio == pytest.approx(0.4)


def test_eyes_in_one_place_are_too_small_and_no_crash() -> None:
    quality = measure(np.full((5, 2), 30.0), 0.9, a_chip())
    assert quality.unusable(LIVE_LIMITS) is Unusable.TOO_SMALL


def test_a_flat_chip_has_no_sharpness_and_detail_adds_to_it() -> None:
    assert sharpness(np.full((112, 112, 3), 90, np.uint8)) == 0
    assert sharpness(a_chip(contrast=40)) > sharpness(a_chip(contrast=10)) > 0


def test_an_edge_at_the_rim_is_not_sharpness() -> None:
    chip = np.full((112, 112, 3), 90, np.uint8)
    chip[:10] = 0
    assert sharpness(chip) == 0


@pytest.mark.parametrize(
    "worse",
    [
        replace(GOOD, inter_eye_px=22),
        replace(GOOD, yaw_ratio=0.3),
        replace(GOOD, roll_deg=30),
        replace(GOOD, sharpness=40),
        replace(GOOD, detector_score=0.7),
    ],
)
def test_a_shot_worse_in_one_thing_is_the_worse_shot(worse: Quality) -> None:
    assert 0 < worse.score < GOOD.score < 1


def test_a_score_is_never_nan() -> None:
    assert replace(GOOD, sharpness=math.nan).score == 0

"""Which frames are taken, and how large."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.sampling import Sampler, fitted


def taken(positions: list[float], rate_fps: float) -> list[int]:
    sampler = Sampler(rate_fps)
    return [number for number, position_s in enumerate(positions) if sampler.takes(position_s)]


def test_a_25_fps_stream_sampled_at_5_gives_every_fifth_frame() -> None:
    assert taken([number / 25 for number in range(25)], 5) == [0, 5, 10, 15, 20]


def test_a_stream_slower_than_the_rate_is_taken_whole() -> None:
    assert taken([0.0, 0.5, 1.0, 1.5], 5) == [0, 1, 2, 3]


def test_a_rate_that_does_not_divide_the_streams_keeps_its_mean() -> None:
    assert len(taken([number / 30 for number in range(300)], 7)) == 70


def test_time_bases_that_round_cost_no_frame() -> None:
    milliseconds = [round(number * 1000 / 15) / 1000 for number in range(150)]
    assert len(taken(milliseconds, 5)) == 50


def test_the_streams_first_position_may_be_anything() -> None:
    assert taken([1000.03 + number / 25 for number in range(10)], 5) == [0, 5]


def test_a_jump_ahead_takes_one_frame_not_one_for_each_slot_missed() -> None:
    assert taken([0.0, 60.0, 60.04, 60.2], 5) == [0, 1, 3]


def test_a_stream_whose_time_goes_back_is_sampled_from_there() -> None:
    assert taken([10.0, 10.2, 0.0, 0.1, 0.2], 5) == [0, 1, 2, 4]


@given(
    steps=st.lists(st.floats(0.001, 3.0), min_size=1, max_size=200),
    rate_fps=st.floats(0.1, 60.0),
)
def test_never_more_than_the_rate(steps: list[float], rate_fps: float) -> None:
    positions = [0.0]
    for step in steps:
        positions.append(positions[-1] + step)
    assert len(taken(positions, rate_fps)) <= positions[-1] * rate_fps + 1 + 1e-6 + 0.02


@pytest.mark.parametrize(
    ("size", "limit", "expected"),
    [
        ((1920, 1080), 1920, (1920, 1080)),
        ((1920, 1080), 960, (960, 540)),
        ((1080, 1920), 960, (540, 960)),
        ((641, 481), 1920, (640, 480)),
        ((4000, 10), 400, (400, 2)),
    ],
)
def test_a_picture_is_scaled_down_never_up_to_even_sides(
    size: tuple[int, int], limit: int, expected: tuple[int, int]
) -> None:
    assert fitted(*size, max_side_px=limit) == expected

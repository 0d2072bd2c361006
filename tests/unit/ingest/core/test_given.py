"""How much of its rate a camera gives, as its alert is told."""

from __future__ import annotations

import pytest

from services.ingest.core.given import Given


def given(rate_fps: float, gives_fps: float, *, until_s: float) -> Given:
    one = Given(rate_fps, began_s=0.0)
    for number in range(int(until_s * gives_fps)):
        one.picture((number + 1) / gives_fps)
    return one


@pytest.mark.parametrize(("gives", "share"), [(5, 1.0), (2.5, 0.5), (1, 0.2), (7, 1.0)])
def test_the_share_is_what_was_given_of_what_the_rate_asks_for(gives: float, share: float) -> None:
    assert given(5, gives, until_s=60).share(60) == pytest.approx(share, abs=0.02)


def test_a_camera_that_falls_silent_is_below_half_within_eight_seconds() -> None:
    one = given(5, 5, until_s=60)
    assert one.share(67) > 0.5 > one.share(68)
    assert one.share(76) == 0


def test_a_camera_that_was_just_taken_is_judged_from_its_taking() -> None:
    assert given(5, 5, until_s=4).share(4) == pytest.approx(1, abs=0.1)
    assert Given(5, began_s=10).share(10) == 0


def test_a_camera_asked_for_little_is_judged_over_five_pictures() -> None:
    assert given(0.1, 0.1, until_s=100).share(105) == pytest.approx(1, abs=0.21)

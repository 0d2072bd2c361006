"""A few of the cameras of `make cameras`, for half a minute: each gives its rate, or somebody is woken."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.integration.prometheus.server import program
from tests.integration.stack import missing_server
from tests.reliability.cameras import RATE_FPS, Result, play
from tests.reliability.misbehaving.modes import MODES

_CHOSEN = ("good", "clock-constant", "clock-tenth", "clock-random", "slow", "silent", "closes-at-once")
# From a first picture on: the window of the share is full, and the rule's 15 s are over.
_OPENED_S = 25.0
# Start of the readers on a busy machine, the rule's 15 s, and a few looks.
_SECONDS = 40.0


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Result]:
    if program("prometheus") is None:
        missing_server("prometheus is not installed: apt-get install prometheus")
    modes = {name: MODES[name] for name in _CHOSEN}
    return play(modes, seconds=_SECONDS, folder=tmp_path_factory.mktemp("cameras"), scrape="1s")


@pytest.mark.parametrize("name", _CHOSEN)
def test_a_camera_that_misbehaves_gives_its_rate_or_wakes_somebody(
    results: Mapping[str, Result], name: str
) -> None:
    """A camera whose clock stood still gave a tenth of a picture a second, said that it was reading, and no alarm
    fired: nobody knew that people passed unseen."""
    one, gives = results[name], MODES[name].gives
    assert not one.silent_without_alarm
    if gives is None:
        assert one.alarm_after_s is not None
    else:
        assert one.pictures_per_s >= gives * RATE_FPS
        # On a machine so busy that it opens a camera slowly, an alarm until then is right.
        assert one.first_picture_after_s is not None
        assert one.alarm_after_s is None or one.alarm_after_s < one.first_picture_after_s + _OPENED_S


@pytest.mark.parametrize(
    ("name", "reason"), [("clock-constant", "still"), ("clock-tenth", "slow"), ("clock-random", "erratic")]
)
def test_what_is_wrong_with_a_clock_is_counted_by_its_reason(
    results: Mapping[str, Result], name: str, reason: str
) -> None:
    assert results[name].clock_faults[reason] >= 3
    assert results["good"].clock_faults == {}

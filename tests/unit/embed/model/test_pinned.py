"""The pinned pictures are the same everywhere and differ among themselves."""

from __future__ import annotations

import numpy as np

from services.embed.model.card import ARCFACE_TEMPLATE
from services.embed.model.pinned import pinned_chips, pinned_scene


def test_pinned_chips_are_the_same_at_every_start() -> None:
    chips = pinned_chips(112, ARCFACE_TEMPLATE)
    assert chips.shape == (16, 112, 112, 3)
    np.testing.assert_array_equal(chips, pinned_chips(112, ARCFACE_TEMPLATE))


def test_no_two_pinned_chips_are_alike() -> None:
    chips = pinned_chips(112, ARCFACE_TEMPLATE).astype(np.int64)
    for i in range(len(chips)):
        for j in range(i):
            assert np.abs(chips[i] - chips[j]).mean() > 5


def test_pinned_scenes_fill_the_detectors_input() -> None:
    assert pinned_scene(640, 384).shape == (2, 384, 640, 3)

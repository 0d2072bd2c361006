"""What a batch leaves behind of the pixels it cut."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from services.contracts.events import Box
from services.contracts.ids import CameraId, TrackId
from services.embed.core.passages import Draft, KeptShot, Passage, Whereabouts
from services.embed.core.shots import Place, Taken

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
TRACK = TrackId("gate-1.1.1.1.0")
HERE = Whereabouts(("frames", 0), CameraId("gate-1"), 0)


def a_chip() -> NDArray[np.uint8]:
    return np.full((4, 4, 3), 200, np.uint8)


def a_shot(chip: NDArray[np.uint8] | None) -> KeptShot:
    return KeptShot(Taken(0.5, 0.0), NOON, Box(0, 0, 4, 4), 100.0, b"jpeg", chip)


def holding(*chips: NDArray[np.uint8] | None) -> Draft:
    passage = Passage(TRACK, "trace", NOON, HERE, tuple(a_shot(chip) for chip in chips))
    return Draft({}, {TRACK: passage})


def test_a_chip_that_still_waits_is_left_alone() -> None:
    chip = a_chip()
    before = holding(chip)
    before.wipe_all_but(before.copy())
    assert chip.all()


def test_a_chip_whose_shot_was_embedded_is_overwritten() -> None:
    chip = a_chip()
    before, after = holding(chip), holding(None)
    before.wipe_all_but(after)
    assert not chip.any()


def test_a_chip_whose_shot_was_replaced_is_overwritten_and_the_new_one_is_not() -> None:
    old, new = a_chip(), a_chip()
    before = holding(old)
    after = before.copy()
    after.passages[TRACK] = after.passages[TRACK].with_shot(a_shot(new), Place(0))
    before.wipe_all_but(after)
    assert not old.any()
    assert new.all()


def test_a_chip_that_was_cut_and_not_kept_is_overwritten() -> None:
    chip = a_chip()
    draft = replace(holding(), cut=[chip])
    draft.wipe_all_but(holding())
    assert not chip.any()


def test_what_waits_of_a_partition_that_is_gone_is_overwritten() -> None:
    chip = a_chip()
    before = holding(chip)
    after = before.copy()
    after.drop([HERE.partition])
    before.wipe_all_but(after)
    assert not chip.any()

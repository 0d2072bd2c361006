"""Hostile input where each needs a process of its own: cameras' readers, as ingest starts them."""

from __future__ import annotations

import pytest

from tests.fuzz.campaign import so_many
from tests.fuzz.registry import ALL
from tests.fuzz.surface import BATCH, Surface


@pytest.mark.parametrize("surface", [one for one in ALL if one.process], ids=lambda surface: surface.name)
def test_no_file_folder_or_camera_crashes_a_reader_or_keeps_it_for_ever(surface: Surface) -> None:
    """A reader ends and says why, whatever it reads: else its camera waits for nobody knows what."""
    found = so_many(surface, BATCH)
    assert found.inputs >= BATCH
    assert (found.crashes[:3], found.stops[:3]) == ([], [])

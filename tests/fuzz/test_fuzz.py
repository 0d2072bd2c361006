"""Hostile input at every surface, the same in every run; `make fuzz` goes on from here at random."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from services.contracts import topics
from tests.fuzz.campaign import so_many
from tests.fuzz.registry import ALL
from tests.fuzz.surface import Found, Surface, Trial

TOPIC, HEAVY, OTHER = 10_000, 100, 300


@pytest.fixture(autouse=True)
def _unsaid() -> Iterator[None]:
    """Each input is refused with a line in the log: none is of use here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def amount(surface: Surface) -> int:
    if surface.name.startswith("topic "):
        return TOPIC
    return HEAVY if surface.heavy else OTHER


@pytest.mark.parametrize("surface", [one for one in ALL if not one.process], ids=lambda surface: surface.name)
def test_nothing_that_a_stranger_can_hand_in_crashes_its_reader_or_stops_it(surface: Surface) -> None:
    """Three bytes on a topic stopped an organisation's audit chain; one picture ended all cameras."""
    found = so_many(surface, amount(surface))
    assert found.inputs >= amount(surface)
    assert (found.crashes[:3], found.stops[:3]) == ([], [])


def test_every_topic_has_its_surface() -> None:
    """A topic that is added has a reader, and a stranger who writes to it."""
    named = {surface.name.removeprefix("topic ") for surface in ALL}
    assert {topic.name for topic in topics.ALL if not topic.name.endswith(".dead")} <= named
    assert "dead letters" in named


class Broken:
    """A reader with every fault that is looked for."""

    def __init__(self, well: bool = True) -> None:
        self._well = well

    def take(self, raw: bytes) -> None:
        if raw == b"crash":
            raise RuntimeError("nobody declared this")
        if raw == b"refuse":
            raise ValueError("refused")

    def goes_on(self) -> bool:
        return self._well

    def close(self) -> None:
        """Nothing is held."""


def tried(*inputs: bytes, well: bool = True) -> Found:
    trial = Trial(Surface("broken", lambda: Broken(well), (ValueError,)))
    trial.take(inputs)
    return trial.found


def test_an_error_that_nobody_declared_is_a_crash_and_a_refusal_is_none() -> None:
    found = tried(b"crash", b"refuse", b"fine")
    assert (found.inputs, len(found.crashes), found.stops) == (3, 1, [])
    assert "nobody declared this" in found.crashes[0]


def test_a_reader_that_does_not_go_on_with_good_input_is_a_stop() -> None:
    assert len(tried(b"fine", well=False).stops) == 1

"""Review on the shared servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.fakes.keys import FakeKeys
from tests.integration.review.rig import CLOSED_PICTURES, Rig, a_clock


@pytest.fixture
def rigs(redis_durable: str) -> Iterator[Callable[[], Rig]]:
    """Makes instances that share Redis, keys and clock."""
    clock = a_clock()
    store, made = FakeKeys(clock), []

    def make(more: str = "", closed_pictures: timedelta = CLOSED_PICTURES) -> Rig:
        made.append(Rig(redis_durable, clock=clock, store=store, more=more, closed_pictures=closed_pictures))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def rig(rigs: Callable[[], Rig]) -> Rig:
    """One instance, with the subject's reference pictures on the list."""
    made = rigs()
    made.list_subject()
    return made

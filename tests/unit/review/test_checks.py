"""Whose password is checked next, when many are to be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from services.review.checks import FairChecks
from services.review.core.errors import TooOften


@pytest.fixture
def checks() -> Iterator[FairChecks]:
    checks = FairChecks(at_once=1, waiting=8)
    yield checks
    checks.close()


def test_one_partys_crowd_costs_another_one_check_of_waiting(checks: FairChecks) -> None:
    """A guesser's parallel requests stood in front of everybody who wanted to begin their shift."""
    order: list[str] = []
    hold = threading.Event()

    async def work() -> None:
        first = asyncio.create_task(checks.checked("guesser", hold.wait))
        await asyncio.sleep(0)
        crowd = [asyncio.create_task(checks.checked("guesser", lambda: order.append("guesser"))) for _ in range(6)]
        await asyncio.sleep(0)
        ann = asyncio.create_task(checks.checked("ann", lambda: order.append("ann")))
        await asyncio.sleep(0)
        hold.set()
        await asyncio.gather(first, ann, *crowd)

    asyncio.run(work())
    assert order.index("ann") <= 1
    assert len(order) == 7


def test_who_has_the_most_in_hand_is_sent_away_first(checks: FairChecks) -> None:
    hold = threading.Event()

    async def work() -> list[object]:
        first = asyncio.create_task(checks.checked("guesser", hold.wait))
        await asyncio.sleep(0)
        crowd = [asyncio.create_task(checks.checked("guesser", lambda: "checked")) for _ in range(20)]
        await asyncio.sleep(0)
        ann = asyncio.create_task(checks.checked("ann", lambda: "ann is in"))
        await asyncio.sleep(0)
        hold.set()
        found = await asyncio.gather(ann, *crowd, return_exceptions=True)
        await first
        return list(found)

    found = asyncio.run(work())
    assert found[0] == "ann is in"
    assert found.count("checked") == 7
    assert sum(isinstance(one, TooOften) for one in found) == 13


def test_who_goes_away_leaves_no_place_taken(checks: FairChecks) -> None:
    hold = threading.Event()

    async def work() -> str:
        first = asyncio.create_task(checks.checked("a", hold.wait))
        await asyncio.sleep(0)
        gone = asyncio.create_task(checks.checked("b", lambda: "never"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        hold.set()
        await first
        return await asyncio.wait_for(checks.checked("c", lambda: "c is checked"), 5)

    assert asyncio.run(work()) == "c is checked"

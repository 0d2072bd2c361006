"""The last number that was passed of each lane of alerts, whoever passed it; and what the next one leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.contracts.counts import Count, numbered
from services.contracts.places import missing
from services.review.core.change import Passed

Counts = Mapping[str, int]


class Lanes:
    """The folding thread's. `known` is None until the counts of every process that has folded here were read."""

    def __init__(self) -> None:
        self.known: Counts | None = None

    def learn(self, counted: Iterable[Counts]) -> None:
        """What each process has counted so far."""
        known: dict[str, int] = {}
        for totals in counted:
            for name, number in totals.items():
                base, _, lane = name.partition(":")
                if base == Count.ALERTS_PASSED and numbered(lane, number):
                    known[name] = max(number, known.get(name, 0))
        self.known = known

    def reached(self, passed: Passed) -> bool:
        """Whether that number was passed."""
        return passed.number <= (self.known or {}).get(_name(passed), 0)

    def step(self, passed: Passed) -> tuple[Counts, Counts]:
        """What is counted with this alert, and its number: those before it that do not come will never come.

        Nothing where its number is not to be believed: anybody who may write to the topic can make one up.
        """
        name = _name(passed)
        skipped = missing((self.known or {}).get(name, 0), passed.number)
        if skipped is None:
            return {}, {}
        return ({Count.ALERTS_SKIPPED: skipped} if skipped else {}), {name: passed.number}

    def take(self, numbers: Counts) -> None:
        """It was written."""
        self.known = {**(self.known or {}), **numbers}


def _name(passed: Passed) -> str:
    return f"{Count.ALERTS_PASSED}:{passed.lane}"

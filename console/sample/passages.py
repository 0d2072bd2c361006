"""Who walks past which camera, and when; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.sample.sitters import ADMIRAL, ASTRONAUT, EVERYBODY, FORTY_FOUR, FORTY_SIX, Sitter

# People at a brisk pace need about this long to cross a camera's view.
PASSAGE_S = 3.0


@dataclass(frozen=True)
class Passage:
    """One walk past one camera, in a lane (0 is the nearest) of it."""

    sitter: Sitter
    start_s: float
    lane: int = 0
    leftwards: bool = False
    seconds: float = PASSAGE_S

    @property
    def end_s(self) -> float:
        return self.start_s + self.seconds

    def progress(self, at_s: float) -> float | None:
        """How far through the view at `at_s`, 0 to 1; None while not in it."""
        if not self.start_s <= at_s < self.end_s:
            return None
        return (at_s - self.start_s) / self.seconds


# Two listed people pass both cameras at the same time, so that folding and claims are exercised.
DEMO: dict[str, list[Passage]] = {
    "gate-1": [
        Passage(ASTRONAUT, 1.0),
        Passage(FORTY_FOUR, 5.0),
        Passage(ADMIRAL, 6.0, lane=1, leftwards=True),
        Passage(FORTY_SIX, 10.0, leftwards=True),
        Passage(ASTRONAUT, 15.0, lane=1),
        Passage(ADMIRAL, 19.0),
        Passage(FORTY_FOUR, 23.0, leftwards=True),
        Passage(ASTRONAUT, 28.0, leftwards=True),
        Passage(ADMIRAL, 29.0, lane=1),
        Passage(FORTY_SIX, 34.0),
    ],
    "gate-2": [
        Passage(ADMIRAL, 0.5, leftwards=True),
        Passage(FORTY_FOUR, 5.0, leftwards=True),
        Passage(FORTY_SIX, 10.0),
        Passage(ASTRONAUT, 11.0, lane=1),
        Passage(ADMIRAL, 17.0),
        Passage(ASTRONAUT, 22.0, leftwards=True),
        Passage(FORTY_SIX, 27.0, leftwards=True),
        Passage(ADMIRAL, 33.0, lane=1),
    ],
}
DEMO_S = 40.0


def crowd(faces: int, *, seconds: float, offset: int = 0, people: Sequence[Sitter] = EVERYBODY) -> list[Passage]:
    """A steady walk-past with `faces` people in view at any time: what the benchmark and the soak play."""
    passages = []
    step = 0
    start = 0.0
    while start < seconds:
        for lane in range(faces):
            sitter = people[(step * faces + lane + offset) % len(people)]
            passages.append(Passage(sitter, start, lane=lane, leftwards=bool((step + lane) % 2)))
        step += 1
        start += PASSAGE_S
    return passages

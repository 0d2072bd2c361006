"""Which pictures of a passage are worth keeping, what they are together, and when that is news."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Taken:
    """What the choice looks at: how good a shot is and when it was taken, in the source's own time."""

    quality: float
    position_s: float


@dataclass(frozen=True)
class Place:
    """Where a shot goes: a new place at the end, or that of the shot it replaces."""

    replaces: int | None = None


@dataclass(frozen=True)
class Published:
    """What was last said about a track."""

    revision: int
    shots: int
    quality: float


class Policy(Protocol):
    """How shots are chosen and when a track is published again."""

    def admits(self, kept: Sequence[Taken], new: Taken) -> Place | None:
        """Where `new` goes among `kept`, or None. Called before the shot is embedded: a shot that is
        not admitted costs no embedding."""
        ...

    def is_news(self, last: Published | None, *, shots: int, quality: float) -> bool:
        """Whether a track with so many shots of this mean quality is worth searching (again)."""
        ...

    def keeps(self, published: Sequence[Taken]) -> Sequence[int]:
        """Which shots stay with the track once they are published."""
        ...


@dataclass(frozen=True, kw_only=True)
class BestShots:
    """The few best, spread over the passage: frames close in time are near-identical and add nothing."""

    max_shots: int = 4
    spread_s: float = 0.35
    # A shot must be this much better than the one it replaces: without it somebody who walks up to a
    # camera, a little larger in every frame, would be embedded in every frame.
    better: float = 1.15
    # Each publication is searched and may become a reviewer's better picture; more often says nothing new.
    clearly_better: float = 1.3

    def admits(self, kept: Sequence[Taken], new: Taken) -> Place | None:
        near = [i for i, shot in enumerate(kept) if abs(shot.position_s - new.position_s) < self.spread_s]
        if near:
            rival = max(near, key=lambda i: kept[i].quality)
        elif len(kept) < self.max_shots:
            return Place()
        else:
            rival = min(range(len(kept)), key=lambda i: kept[i].quality)
        return Place(rival) if new.quality > kept[rival].quality * self.better else None

    def is_news(self, last: Published | None, *, shots: int, quality: float) -> bool:
        if last is None:
            return True
        return shots > last.shots or quality > last.quality * self.clearly_better

    def keeps(self, published: Sequence[Taken]) -> Sequence[int]:
        return range(len(published))


@dataclass(frozen=True, kw_only=True)
class EveryFace:
    """Every face of every frame is embedded and published: what a pipeline without tracks has to do.

    For the benchmark, which passes it to `build`; no setting leads here.
    """

    def admits(self, kept: Sequence[Taken], new: Taken) -> Place | None:
        return Place()

    def is_news(self, last: Published | None, *, shots: int, quality: float) -> bool:
        return True

    def keeps(self, published: Sequence[Taken]) -> Sequence[int]:
        return ()


def mean_quality(kept: Sequence[Taken]) -> float:
    """What a track's quality is: the mean of its shots'."""
    return sum(shot.quality for shot in kept) / len(kept)

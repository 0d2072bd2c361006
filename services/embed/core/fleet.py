"""How many workers a fleet should have: from lag, between bounds, slow to change its mind."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Between what, and how patiently, a fleet is sized."""

    min_workers: int
    max_workers: int
    # Records not yet handled, a worker: at 40 frames/s a worker this is half a second of work.
    high_lag: int = 20
    # Below this a worker has nothing to catch up with.
    low_lag: int = 4
    # Loading a model takes seconds; a burst shorter than this is over before help would come.
    up_after_s: float = 5.0
    # Much longer: a worker too many costs memory, one too few costs frames.
    down_after_s: float = 120.0

    def __post_init__(self) -> None:
        if not 1 <= self.min_workers <= self.max_workers:
            raise ValueError("1 <= min_workers <= max_workers")
        if self.low_lag >= self.high_lag:
            raise ValueError("low_lag must be below high_lag, or the fleet would swing")


@dataclass(frozen=True)
class Scaling:
    """How many are wanted, and since when the lag has asked for another number."""

    wanted: int
    high_since_s: float | None = None
    low_since_s: float | None = None


def decide(now: Scaling, *, lag: int, alive: int, at_s: float, bounds: Bounds) -> Scaling:
    """What is wanted at `at_s` (monotonic) with `lag` records waiting for `alive` workers.

    One worker more or fewer at a time; while the fleet is not yet as large as wanted the lag says
    nothing about its size, so nothing is decided.
    """
    wanted = min(max(now.wanted, bounds.min_workers), bounds.max_workers)
    if wanted != now.wanted or alive != wanted:
        return Scaling(wanted)
    share = lag / alive
    if share >= bounds.high_lag:
        since = at_s if now.high_since_s is None else now.high_since_s
        if at_s - since >= bounds.up_after_s and wanted < bounds.max_workers:
            return Scaling(wanted + 1)
        return replace(now, high_since_s=since, low_since_s=None)
    if share <= bounds.low_lag:
        since = at_s if now.low_since_s is None else now.low_since_s
        if at_s - since >= bounds.down_after_s and wanted > bounds.min_workers:
            return Scaling(wanted - 1)
        return replace(now, high_since_s=None, low_since_s=since)
    return Scaling(wanted)

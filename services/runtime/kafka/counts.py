"""Cumulative counts of one incarnation: published with what they count, so they survive any kill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.runtime.kafka.types import CountKey


@dataclass(frozen=True, slots=True)
class Staged:
    """The counts as they will be if this commit succeeds; `changed` is whether they say anything new."""

    cumulative: Mapping[CountKey, int]
    changed: bool


class Ledger:
    """What has been counted and committed since the start. The delivery thread's alone.

    Nothing is added before `commit`, so an aborted transaction takes its counts with it.
    """

    def __init__(self) -> None:
        self._committed: Mapping[CountKey, int] = {}

    def stage(self, deltas: Mapping[CountKey, int], gauges: Mapping[CountKey, int]) -> Staged:
        """The committed counts plus `deltas`, with `gauges` as they stand."""
        then = dict(self._committed)
        for key, delta in deltas.items():
            then[key] = then.get(key, 0) + delta
        then.update(gauges)
        return Staged(then, changed=then != self._committed)

    def commit(self, staged: Staged) -> None:
        """The transaction that carried `staged` has been committed."""
        self._committed = staged.cumulative


def add(into: dict[CountKey, int], deltas: Mapping[CountKey, int]) -> None:
    """Add `deltas` to the counts in `into`."""
    for key, delta in deltas.items():
        into[key] = into.get(key, 0) + delta

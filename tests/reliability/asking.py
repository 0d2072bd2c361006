"""A statement asked for again and again, and held against what is known of the losses at that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from console.ledger.statement import Statement
from services.contracts.counts import Count

_EVERY_S = 2.0


@dataclass(frozen=True)
class Expected:
    """What is missing, by arrow; how many alerts are lost; and how many losses were planted by then."""

    gaps: Mapping[Count, int]
    alerts_lost: int
    planted: int

    def is_said_by(self, one: Asked) -> bool:
        return dict(self.gaps) == one.gaps and self.alerts_lost == one.alerts_lost


@dataclass(frozen=True)
class Asked:
    """What a statement said, and between which moments it was made."""

    began_s: float
    ended_s: float
    gaps: dict[Count, int]
    alerts_lost: int


@dataclass(frozen=True)
class Verdict:
    """`false_alarms`: statements that named what is not missing. `missed`: those that left out what is."""

    asked: int
    false_alarms: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


class Asker:
    """Asks from `start` to `stop`, on a thread of its own. `expect` and `changing` are the other thread's."""

    def __init__(self, statement: Callable[[], Statement]) -> None:
        self._statement = statement
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="signpost-test-asker", daemon=True)
        self._failed: BaseException | None = None
        self.asked: list[Asked] = []
        self.expected: list[tuple[float, float, Expected]] = []
        """From when on, at the earliest and at the latest, something was so."""
        self._from_s: float | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Raises what ended it, if anything did."""
        self._stopping.set()
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    @contextmanager
    def changing(self) -> Iterator[None]:
        """While inside, what was expected and what is to be expected may both be said."""
        self._from_s = monotonic()
        yield
        self._from_s = None

    def expect(self, expected: Expected) -> None:
        now_s = monotonic()
        self.expected.append((now_s if self._from_s is None else self._from_s, now_s, expected))

    def _ask(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            began_s = monotonic()
            try:
                found = self._statement()
            except BaseException as failed:  # noqa: BLE001 - `stop` raises it
                self._failed = failed
                return
            gaps = {line.arrow.whole: line.gap for line in found.lines if line.gap}
            self.asked.append(Asked(began_s, monotonic(), gaps, found.alerts_lost))


def judged(asked: Sequence[Asked], expected: Sequence[tuple[float, float, Expected]]) -> Verdict:
    """Each answer against what was so at some moment while it was made."""
    alarms: list[str] = []
    missed: list[str] = []
    for one in asked:
        fits = list(_so(one, expected))
        if any(so.is_said_by(one) for so in fits):
            continue
        so = fits[-1]
        left_out = (
            any(one.gaps.get(whole) != gap for whole, gap in so.gaps.items()) or one.alerts_lost < so.alerts_lost
        )
        said = f"{one.gaps}, {one.alerts_lost} alerts lost, where {so} was so"
        if left_out:
            missed.append(said)
        named = {whole: gap for whole, gap in one.gaps.items() if so.gaps.get(whole) != gap}
        if named or one.alerts_lost > so.alerts_lost:
            alarms.append(said)
    return Verdict(len(asked), alarms, missed)


def _so(one: Asked, expected: Sequence[tuple[float, float, Expected]]) -> Iterator[Expected]:
    """What was so at some moment between the beginning of an answer and its end."""
    for at, (from_s, _, so) in enumerate(expected):
        over_s = expected[at + 1][1] if at + 1 < len(expected) else float("inf")
        if from_s <= one.ended_s and one.began_s <= over_s:
            yield so

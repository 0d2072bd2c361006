"""How an exercise ends, whoever runs it: counted, purged, reported on, its audit chain verified; all printed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rich.console import Console

from console import purge
from console.audit.verdict import Verdict
from console.ledger import report
from console.ledger.report import Report
from console.ledger.statement import Statement
from console.ledger.table import as_table
from console.stack.errors import StackError
from services.contracts.authorisation.enums import Move
from services.contracts.counts import Stage
from services.contracts.errors import SignpostError

# What is on its way needs seconds; the sink of heads is asked once in a few.
_SETTLE_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.5


class Service(Protocol):
    """`ServiceProcess`, as an ending needs it."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def alive(self) -> bool: ...


class Ends(Protocol):
    """`Exercise`, as an ending needs it."""

    @property
    def home(self) -> Path: ...
    @property
    def services(self) -> Mapping[str, Service]: ...
    def can(self, move: Move) -> bool: ...
    def order(self, move: Move, *, reason: str) -> None: ...
    def purge(self, *, reason: str) -> str: ...
    def statement(self) -> Statement: ...
    def report(self) -> Report: ...
    def chain(self) -> Verdict: ...


@dataclass
class Ending:
    """What an exercise came to; None and 0 for what it did not come to."""

    statement: Statement | None = None
    purged_s: float | None = None
    verdict: Verdict | None = None
    missing: list[str] = field(default_factory=list)

    @property
    def audit_whole(self) -> bool:
        return self.verdict is not None and self.verdict.ok and self.verdict.agreed is not None

    @property
    def good(self) -> bool:
        """Whether all was done, the counts reconcile and the audit chain is whole."""
        return not self.missing and self.statement is not None and self.statement.reconciles and self.audit_whole


def end(exercise: Ends, console: Console, *, reason: str) -> Ending:
    """End it and print what it came to; blocks, for minutes at the most. Services that are gone are started again:
    each answers for what it holds.

    What fails is said and named in `missing`, and the rest is done. At Ctrl-C it ends at once, having said what is
    not done.
    """
    ending = Ending()
    try:
        with _step(ending, console, "counts"):
            exercise.services[Stage.INGEST].stop()
            ending.statement = _settled(exercise)
            console.print(as_table(ending.statement))
        with _step(ending, console, "purge"):
            began = time.monotonic()
            _say(console, "signpost purge", purge.lines(_purged(exercise, reason)))
            ending.purged_s = time.monotonic() - began
        with _step(ending, console, "audit verify"):
            ending.verdict = _verified(exercise)
        with _step(ending, console, "report"):
            _say(console, "signpost deployment report", report.lines(exercise.report()))
        if ending.verdict is not None:
            _say(console, "signpost audit verify", ending.verdict.lines())
    except KeyboardInterrupt:
        ending.missing.append("interrupted")
        console.print("\nstopped while it was ending: what is not printed above was not done", markup=False)
    if ending.purged_s is None:
        console.print(_not_purged(exercise.home), style="red", highlight=False, markup=False, soft_wrap=True)
    return ending


@contextmanager
def _step(ending: Ending, console: Console, what: str) -> Iterator[None]:
    try:
        yield
    except (SignpostError, StackError) as error:
        ending.missing.append(what)
        console.print(f"{what}: not done: {error}", style="red", highlight=False, markup=False, soft_wrap=True)


def _say(console: Console, command: str, said: Iterable[str]) -> None:
    """What a command would have printed."""
    console.rule(command)
    for line in said:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _not_purged(home: Path) -> str:
    return (
        "The purge is not certified. The keys, the list and all that lay in Kafka and Redis are deleted with the "
        f"run: if {home / 'keys'}, {home / 'stack'} or {home / 'authority'} is still there afterwards, delete it. "
        "A deployment that real people signed is purged later by `signpost purge ID`, once all its services run."
    )


def _settled(exercise: Ends) -> Statement:
    """The statement once all that was on its way has arrived, or as it is after a while."""
    found: list[Statement] = []

    def settled() -> bool:
        found.append(exercise.statement())
        return found[-1].reconciles and not any(line.in_flight or line.moving for line in found[-1].lines)

    _until(settled)
    return found[-1]


def _purged(exercise: Ends, reason: str) -> str:
    """The exercise is stopped, unless its time is over, and all that it had of anybody destroyed; the signed
    certificate."""
    for service in exercise.services.values():
        # Whoever holds something answers for itself.
        if not service.alive():
            service.start()
    if exercise.can(Move.STOP):
        exercise.order(Move.STOP, reason=reason)
    return exercise.purge(reason=reason)


def _verified(exercise: Ends) -> Verdict:
    """The audit chain, once a head is over all of it."""
    found: list[Verdict] = []

    def anchored() -> bool:
        found.append(exercise.chain())
        head = found[-1].agreed
        return not found[-1].ok or (head is not None and head.head.size == found[-1].entries)

    _until(anchored)
    return found[-1]


def _until(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SETTLE_WITHIN_S
    while not check() and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)

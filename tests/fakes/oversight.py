"""The outside of oversight, in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.contracts.audit.requests import SignedRequest
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.enums import ClockState
from services.contracts.authorisation.records import Record
from services.contracts.errors import Transient
from services.contracts.sealed.seal import Seal
from services.oversight.core.clerk import Entry
from services.oversight.ports import LogLost


class FakeClock:
    """Both times under a test's hand. Any thread reads."""

    def __init__(self, at: datetime) -> None:
        self._lock = threading.Lock()
        self._at = at

    def reading(self) -> ClockReading:
        with self._lock:
            passed_s = (self._at - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()
            return ClockReading(self._at, passed_s, ClockState.SYNCHRONISED)

    def advance(self, span: timedelta) -> None:
        with self._lock:
            self._at += span


class FakeAuthorityLog:
    """A topic with one writer at a time. `fail_next` plans what an append, or a take, raises."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.requests: list[SignedRequest] = []
        self.taken = 0
        self._ours = False
        self._next: list[tuple[Exception, bool]] = []

    def fail_next(self, error: Exception, *, yet_written: bool = False) -> None:
        self._next.append((error, yet_written))

    def take(self) -> list[Record]:
        self.taken += 1
        self._ours = True
        return list(self.records)

    def append(self, entries: Sequence[Entry], requests: Sequence[SignedRequest] = ()) -> None:
        if not self._ours:
            raise LogLost("not taken", to_another=False)
        error, written = self._next.pop(0) if self._next else (None, True)
        if written:
            self.records += [entry.record for entry in entries]
            self.requests += requests
        if error is not None:
            self._ours = not isinstance(error, LogLost)
            raise error

    def release(self) -> None:
        self._ours = False


class FakeSealedLists:
    """Lists that are there, or a store that is away."""

    def __init__(self, *there: tuple[str, str]) -> None:
        self.there = frozenset(there)
        self.away = False
        self.asked: list[frozenset[tuple[str, str]]] = []
        self.seals: dict[tuple[str, str], Seal] = {}
        self.read: list[tuple[str, str]] = []

    def loaded(self, wanted: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        self.asked.append(wanted)
        if self.away:
            raise Transient("the store is away")
        return wanted & self.there

    def seal(self, deployment: str, digest: str) -> Seal | None:
        if self.away:
            raise Transient("the store is away")
        self.read.append((deployment, digest))
        return self.seals.get((deployment, digest))

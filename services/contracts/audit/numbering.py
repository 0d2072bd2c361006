"""How a producer numbers what it asks for: from 1, without gaps, in memory.

A producer id is one incarnation's and nobody's after it: a process that starts again begins another id at 1, so no
count has to survive. Nothing is lost by that. What was chained stays; what was not was never acknowledged, and
whoever waited for it did not go on.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from services.contracts.audit.commitments import NOBODY, Commitment
from services.contracts.audit.requests import SYSTEM, Action, AlertRow, AuditRequested


@dataclass(frozen=True)
class Under:
    """The chain that entries belong to, and under which version of which authority; SYSTEM is under none."""

    chain: str
    authority: str = ""
    version: int = 0

    @classmethod
    def deployment(cls, name: str, version: int) -> Self:
        """A deployment's chain and authority are called as it is."""
        return cls(name, name, version)


NO_AUTHORITY = Under(SYSTEM)


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What is to be recorded, before it has its number; the fields are AuditRequested's."""

    at: datetime
    what: Action
    who: Commitment = NOBODY
    subject: Commitment = NOBODY
    about: str = ""
    seen_sha256: bytes = b""
    alert_row: AlertRow | None = None


def incarnation(service: str) -> str:
    """A producer id that nobody had before."""
    return f"{service}/{secrets.token_hex(8)}"


class Numbering:
    """One producer on one chain. One thread's, or under its owner's lock."""

    def __init__(self, producer: str, under: Under) -> None:
        self._producer = producer
        self._under = under
        self._last = 0

    def request(self, deed: Deed) -> AuditRequested:
        """The deed with the next number. Raises Invalid, and then no number is spent."""
        made = numbered(deed, producer=self._producer, under=self._under, sequence=self._last + 1)
        self._last += 1
        return made


def numbered(deed: Deed, *, producer: str, under: Under, sequence: int) -> AuditRequested:
    """The deed as that producer's `sequence`-th on the chain. Raises Invalid."""
    return AuditRequested(
        chain=under.chain,
        producer=producer,
        sequence=sequence,
        at=deed.at,
        what=deed.what,
        who=deed.who,
        subject=deed.subject,
        authority=under.authority,
        authority_version=under.version,
        about=deed.about,
        seen_sha256=deed.seen_sha256,
        alert_row=deed.alert_row,
    )

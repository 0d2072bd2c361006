"""How a producer numbers what it asks for: from 1, without gaps, in memory.

A producer id is one incarnation's and nobody's after it: a process that starts again begins another id at 1, so no
count has to survive. Nothing is lost by that. What was chained stays; what was not was never acknowledged, and
whoever waited for it did not go on.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from services.contracts.audit.commitments import NOBODY, Commitment
from services.contracts.audit.requests import SYSTEM, Action, AuditRequested


@dataclass(frozen=True)
class Under:
    """The chain that a service's entries belong to, and under which authority; without one, SYSTEM."""

    chain: str = SYSTEM
    authority: str = ""
    version: int = 0


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What is to be recorded, before it has its number; the fields are AuditRequested's."""

    at: datetime
    what: Action
    who: Commitment = NOBODY
    subject: Commitment = NOBODY
    about: str = ""
    seen_sha256: bytes = b""


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
        made = AuditRequested(
            chain=self._under.chain,
            producer=self._producer,
            sequence=self._last + 1,
            at=deed.at,
            what=deed.what,
            who=deed.who,
            subject=deed.subject,
            authority=self._under.authority,
            authority_version=self._under.version,
            about=deed.about,
            seen_sha256=deed.seen_sha256,
        )
        self._last += 1
        return made

"""The audit chain, at once, or away."""

from __future__ import annotations

from dataclasses import dataclass

from services.contracts.audit.requests import Action
from services.contracts.errors import Transient


@dataclass(frozen=True)
class Told:
    """One entry."""

    what: Action
    who: str
    subject: str
    about: str
    seen: str


class FakeTrail:
    """`Trail`: chained as soon as asked for, unless it is `away`."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.away = False
        self.refused = 0

    async def chained(
        self, what: Action, *, who: str = "", subject: str = "", about: str = "", seen: str = ""
    ) -> None:
        if self.away:
            self.refused += 1
            raise Transient("the audit chain does not answer")
        self.told.append(Told(what, who, subject, about, seen))

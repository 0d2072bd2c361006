"""A sharing register under a test's hand: lines by named people, each the next; every builder takes changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from services.contracts.authorisation.findings import Finding
from services.contracts.sharing.answers import wording
from services.contracts.sharing.register import SharingRegister
from services.contracts.sharing.rules import broken
from services.contracts.sharing.statements import (
    AgreementEnded,
    AgreementMade,
    AnswerPublished,
    FollowedUp,
    ShareMade,
    SharingStatement,
    mark_of,
)
from tests.unit.contracts.authorisation.builders import NOON, sha

CITY, NORTH = "city-police", "north-police"


@dataclass
class Clerk:
    """Owned by its test. `at` is the time of the next line."""

    at: datetime = NOON
    known: SharingRegister = field(default_factory=SharingRegister)

    def enter(self, said: SharingStatement, by: str) -> tuple[Finding, ...]:
        """What stands against the line; it is the next one if nothing does."""
        against = broken(self.known, said, by, organisation=CITY, now=self.at)
        if not against:
            self.known = self.known.with_line(said, f"token {said.number}", by)
        return against

    def agreed(self, **changes: Any) -> Clerk:
        assert not self.enter(self.agreement(**changes), "cen")
        return self

    def shared(self, by: str = "liz", **changes: Any) -> Clerk:
        assert not self.enter(self.share(**changes), by)
        return self

    def agreement(self, **changes: Any) -> AgreementMade:
        values: dict[str, Any] = {
            "agreement": "robbery-2026",
            "party": NORTH,
            "party_entity": "The Chief Constable of North Police",
            "party_contact": "Head of the custody imaging unit",
            "legal_basis": "DPA 2018 s. 35; agreement of 1 May 2026",
            "purpose": "locate_wanted_on_warrant",
            "grounds": "The same group robs in both areas.",
            "directions": ("out", "in"),
            "begins_at": NOON - timedelta(days=1),
            "expires_at": NOON + timedelta(days=90),
            "kept_d": 14,
            "outcome_d": 30,
        }
        return AgreementMade.read(self._line() | values | changes)

    def end(self, **changes: Any) -> AgreementEnded:
        return AgreementEnded.read(
            self._line() | {"agreement": "robbery-2026", "reason": "not needed any more"} | changes
        )

    def share(self, **changes: Any) -> ShareMade:
        serial = changes.get("serial", self.known.next_serial)
        values: dict[str, Any] = {
            "serial": serial,
            "direction": "out",
            "way": "system",
            "agreement": "robbery-2026",
            "party": NORTH,
            "shared_at": self.at,
            "deployment": "oxford-street-1",
            "list_digest": sha("list"),
            "pictures": [{"sha256": sha(f"picture {serial}"), "entry": "e-1"}],
            "amount": 1,
            "mark": mark_of(CITY, NORTH, serial),
            "reason": "seen in their area on Monday",
            "method": "by their secure mailbox",
            "deletion_due": self.at + timedelta(days=14),
            "outcome_due": self.at + timedelta(days=30),
        }
        return ShareMade.read(self._line() | values | changes)

    def legacy(self, **changes: Any) -> ShareMade:
        values: dict[str, Any] = {
            "way": "legacy",
            "agreement": None,
            "party": "estate-trust",
            "shared_at": NOON - timedelta(days=9 * 365),
            "deployment": None,
            "list_digest": None,
            "pictures": [],
            "amount": 7,
            "mark": None,
            "reason": "found in an old mailbox",
            "method": "by e-mail",
        }
        return self.share(**(values | changes))

    def heard(self, serial: int = 1, what: str = "deletion", **changes: Any) -> FollowedUp:
        values: dict[str, Any] = {
            "serial": serial,
            "what": what,
            "done_at": self.at,
            "outcome": "no_match" if what == "outcome" else None,
            "evidence": sha("their letter"),
        }
        return FollowedUp.read(self._line() | values | changes)

    def answer(self, party: str | None, since: date, **changes: Any) -> AnswerPublished:
        found = self.known.found(party, since)
        values: dict[str, Any] = {
            "answer": self.known.next_answer,
            "party": party,
            "since": since,
            "shares": len(found.shares),
            "pictures": found.pictures,
            "text": wording(found, party, since),
            "asked_by": "the assembly, letter 7",
        }
        return AnswerPublished.read(self._line() | values | changes)

    def _line(self) -> dict[str, Any]:
        return {
            "organisation": CITY,
            "number": self.known.next_number,
            "previous": self.known.heads[-1],
            "signed_at": self.at,
        }

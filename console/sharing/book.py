"""The sharing register as an operator has it, and the next line of it, signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.sharing.answers import wording
from services.contracts.sharing.register import SharingRegister
from services.contracts.sharing.rules import SOURCE
from services.contracts.sharing.statements import (
    AgreementMade,
    AnswerPublished,
    Direction,
    ShareMade,
    SharingStatement,
    Way,
    due,
)

L = TypeVar("L", bound=SharingStatement)


@dataclass(frozen=True)
class Book:
    """The register, whose lines oversight has checked, and whose it is."""

    organisation: str
    known: SharingRegister

    def line(self, kind: type[L], fields: Mapping[str, object], *, now: datetime) -> L:
        """The next line. Raises NotAuthorised naming each field that is none."""
        place = {"number": self.known.next_number, "previous": self.known.heads[-1]}
        return kind.read({**fields, **place, "organisation": self.organisation, "signed_at": now})

    def agreement(self, name: str, direction: Direction, now: datetime) -> AgreementMade:
        """The agreement, in force. Raises NotAuthorised, as oversight would: but before anything is opened."""
        found = self.known.agreements.get(name)
        if found is None:
            rule = "is not in the register: nothing is shared without one"
        elif not found.in_force(now):
            rule = "is not in force: it has not begun, has expired or was ended"
        elif direction not in found.said.directions:
            rule = f"does not say that pictures go `{direction}`"
        else:
            return found.said
        raise NotAuthorised("requirements", [Finding("agreement", rule, SOURCE)])

    def share(
        self, under: AgreementMade, direction: Direction, fields: Mapping[str, object], now: datetime
    ) -> ShareMade:
        """The line of a share that is about to be made, by us."""
        deletion_due, outcome_due = due(under, now)
        own = {
            "serial": self.known.next_serial,
            "direction": direction,
            "way": Way.SYSTEM,
            "agreement": under.agreement,
            "party": under.party,
            "shared_at": now,
            "deletion_due": deletion_due,
            "outcome_due": outcome_due,
        }
        return self.line(ShareMade, {**own, **fields}, now=now)

    def answer(
        self, party: str | None, since: date, fields: Mapping[str, object], now: datetime
    ) -> AnswerPublished:
        """What the register says now, as it is published."""
        found = self.known.found(party, since)
        own = {
            "answer": self.known.next_answer,
            "party": party,
            "since": since,
            "shares": len(found.shares),
            "pictures": found.pictures,
            "text": wording(found, party, since),
        }
        return self.line(AnswerPublished, {**own, **fields}, now=now)


def queried(known: SharingRegister, party: str | None, since: date) -> Iterator[str]:
    """Everything shared with `party` since a day, for a person: the sentence first, then each share."""
    found = known.found(party, since)
    yield wording(found, party, since)
    for share in found.shares:
        said = share.said
        done = ", ".join(f"{what} {one.outcome or 'confirmed'}" for what, one in sorted(share.done.items()))
        under = f"under {said.agreement}" if said.agreement else "without an agreement"
        what = f"{said.amount} pictures to {said.party} {under} ({said.way})"
        yield f"share {said.serial}: {said.shared_at:%Y-%m-%d %H:%M} UTC, {what}; {done or 'nothing heard since'}"

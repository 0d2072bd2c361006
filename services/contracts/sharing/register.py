"""The register as a value: every line that was recorded, folded in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum

from services.contracts.authorisation.signing import take_apart, unchecked_payload
from services.contracts.authorisation.statements import NOTHING, NotBelieved, Rejection
from services.contracts.sharing.statements import (
    AgreementEnded,
    AgreementMade,
    AnswerPublished,
    Direction,
    Due,
    FollowedUp,
    ShareMade,
    SharingStatement,
    kind_of,
)


class Overdue(StrEnum):
    """What somebody should have done by now."""

    DELETION = "deletion"
    OUTCOME = "outcome"
    CORRECTION = "correction"  # a published answer that the register contradicts


@dataclass(frozen=True)
class Agreement:
    """An agreement and whether it was withdrawn; `approver` is the person who signed it."""

    said: AgreementMade
    approver: str
    ended: bool = False

    def in_force(self, at: datetime) -> bool:
        return not self.ended and self.said.begins_at <= at < self.said.expires_at


@dataclass(frozen=True)
class Share:
    """A share and what has come of it."""

    said: ShareMade
    done: Mapping[Due, FollowedUp] = field(default_factory=dict)

    def overdue(self, now: datetime) -> Iterator[Due]:
        for what, at in ((Due.DELETION, self.said.deletion_due), (Due.OUTCOME, self.said.outcome_due)):
            if what not in self.done and now >= at:
                yield what


@dataclass(frozen=True)
class Found:
    """What the register has of shares with somebody since a day."""

    shares: tuple[Share, ...]

    @property
    def pictures(self) -> int:
        return sum(share.said.amount for share in self.shares)


@dataclass(frozen=True)
class SharingRegister:
    """Starts empty. `broken` once a line is missing or keeps no rule: nothing is recorded after that."""

    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()
    answers: Mapping[int, AnswerPublished] = field(default_factory=dict)
    heads: tuple[str, ...] = (NOTHING,)
    tokens: tuple[str, ...] = field(default=(), repr=False)
    broken: bool = False

    @property
    def next_number(self) -> int:
        return len(self.heads)

    @property
    def next_serial(self) -> int:
        return len(self.shares) + 1

    @property
    def next_answer(self) -> int:
        return len(self.answers) + 1

    def share(self, serial: int) -> Share | None:
        return self.shares[serial - 1] if 1 <= serial <= len(self.shares) else None

    def follows(self, said: SharingStatement) -> bool:
        """Whether it is the next line."""
        return (said.number, said.previous) == (self.next_number, self.heads[-1])

    def with_line(self, said: SharingStatement, token: str, person: str) -> SharingRegister:
        """With one more line, which must keep the rules."""
        known = replace(self, heads=(*self.heads, said.head), tokens=(*self.tokens, token))
        match said:
            case AgreementMade():
                made = Agreement(said, person)
                known = replace(known, agreements={**self.agreements, said.agreement: made})
            case AgreementEnded():
                ended = replace(self.agreements[said.agreement], ended=True)
                known = replace(known, agreements={**self.agreements, said.agreement: ended})
            case ShareMade():
                known = replace(known, shares=(*self.shares, Share(said)))
            case FollowedUp():
                shares = list(self.shares)
                share = shares[said.serial - 1]
                shares[said.serial - 1] = replace(share, done={**share.done, said.what: said})
                known = replace(known, shares=tuple(shares))
            case AnswerPublished():
                known = replace(known, answers={**self.answers, said.answer: said})
        return known

    # What may be asked of it.

    def found(self, party: str | None, since: date, *, direction: Direction = Direction.OUT) -> Found:
        """Everything shared with `party` (None: with anybody) since the beginning of that day, UTC."""
        begin = datetime.combine(since, time(), UTC)
        return Found(
            tuple(
                share
                for share in self.shares
                if share.said.direction is direction
                and party in (None, share.said.party)
                and share.said.shared_at >= begin
            )
        )

    def standing(self, party: str | None, since: date) -> AnswerPublished | None:
        """The answer about this that nobody has superseded."""
        superseded = {one.supersedes for one in self.answers.values()}
        about = (
            one
            for one in self.answers.values()
            if (one.party, one.since) == (party, since) and one.answer not in superseded
        )
        return next(about, None)

    def contradicted(self) -> tuple[AnswerPublished, ...]:
        """Standing answers that what was recorded about their time contradicts: a share was entered afterwards."""
        superseded = {one.supersedes for one in self.answers.values()}
        return tuple(
            one
            for one in self.answers.values()
            if one.answer not in superseded and self._known_by(one) != (one.shares, one.pictures)
        )

    def _known_by(self, answer: AnswerPublished) -> tuple[int, int]:
        shares = [
            one for one in self.found(answer.party, answer.since).shares if one.said.shared_at <= answer.signed_at
        ]
        return len(shares), sum(one.said.amount for one in shares)

    def overdue(self, now: datetime) -> Iterator[tuple[Overdue, int]]:
        """What is overdue, and of which share or answer."""
        for share in self.shares:
            yield from ((Overdue(what.value), share.said.serial) for what in share.overdue(now))
        yield from ((Overdue.CORRECTION, one.answer) for one in self.contradicted())


def claimed(token: str) -> SharingStatement:
    """What a token says of itself, BEFORE any check. Raises NotBelieved, BadSignature, NotAuthorised."""
    apart = take_apart(token)
    kind = kind_of(apart.typ)
    if kind is None:
        raise NotBelieved(Rejection.MALFORMED, "is no line of the sharing register")
    return kind.from_canonical(unchecked_payload(apart))


def read(tokens: Iterable[str]) -> SharingRegister:
    """The register out of tokens whose signatures oversight, who gave them, has checked. Who signed stays out."""
    known = SharingRegister()
    for token in tokens:
        known = known.with_line(claimed(token), token, person="")
    return known

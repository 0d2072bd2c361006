"""What may be recorded next: every rule with its field and source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.contracts.authorisation.findings import Finding
from services.contracts.authorisation.statements import SKEW
from services.contracts.sharing.answers import wording
from services.contracts.sharing.register import Agreement, SharingRegister
from services.contracts.sharing.statements import (
    MOST_AGREED_D,
    AgreementEnded,
    AgreementMade,
    AnswerPublished,
    Direction,
    Due,
    FollowedUp,
    ShareMade,
    SharingStatement,
    Way,
    due,
    mark_of,
)

SOURCE = "C-20"
_MARK = "C-42"
_GAPLESS = "issue 4.1: gapless"
_MOST_DUE = timedelta(days=90)


def broken(
    known: SharingRegister, said: SharingStatement, person: str, *, organisation: str, now: datetime
) -> tuple[Finding, ...]:
    """Every rule that keeps `said`, signed by `person`, from being the register's next line."""
    return tuple(_line(known, said, organisation, now)) or tuple(_kind(known, said, person))


def _line(known: SharingRegister, said: SharingStatement, organisation: str, now: datetime) -> Iterator[Finding]:
    if known.broken:
        yield Finding(
            "number", "the register is broken: a line is missing. Nothing is shared until it is mended", _GAPLESS
        )
    if said.organisation != organisation:
        yield Finding("organisation", "is not this register's", SOURCE)
    if not known.follows(said):
        yield Finding("number", f"must be {known.next_number}, after the head {known.heads[-1]}", _GAPLESS)
    if not said.is_of(now):
        yield Finding("signed_at", "must be of the last 15 minutes: sign it again", SOURCE)


def _kind(known: SharingRegister, said: SharingStatement, person: str) -> Iterator[Finding]:
    match said:
        case AgreementMade():
            yield from _agreement(known, said)
        case AgreementEnded():
            yield from _ended(known, said)
        case ShareMade():
            yield from _share(known, said, person)
        case FollowedUp():
            yield from _followed_up(known, said)
        case AnswerPublished():
            yield from _answer(known, said)


def _agreement(known: SharingRegister, said: AgreementMade) -> Iterator[Finding]:
    if said.agreement in known.agreements:
        yield Finding("agreement", "is there already: a changed agreement is a new one", SOURCE)
    if said.party == said.organisation:
        yield Finding("party", "must be another body", SOURCE)
    if len(set(said.directions)) != len(said.directions):
        yield Finding("directions", "must name each once", SOURCE)
    if not said.signed_at < said.expires_at <= said.begins_at + timedelta(days=MOST_AGREED_D):
        yield Finding("expires_at", f"must be to come, and {MOST_AGREED_D} days after begins_at at most", SOURCE)
    if said.expires_at <= said.begins_at:
        yield Finding("expires_at", "must be later than begins_at", SOURCE)


def _ended(known: SharingRegister, said: AgreementEnded) -> Iterator[Finding]:
    found = known.agreements.get(said.agreement)
    if found is None:
        yield Finding("agreement", "is not in the register", SOURCE)
    elif found.ended:
        yield Finding("agreement", "was ended already", SOURCE)


def _share(known: SharingRegister, said: ShareMade, person: str) -> Iterator[Finding]:
    if said.serial != known.next_serial:
        yield Finding("serial", f"must be {known.next_serial}, the next of the organisation", _GAPLESS)
    if said.shared_at > said.signed_at:
        yield Finding("shared_at", "must not lie in the future", SOURCE)
    digests = [one.sha256 for one in said.pictures]
    if len(set(digests)) != len(digests):
        yield Finding("pictures", "must differ: one stands there twice", SOURCE)
    for name in ("deletion_due", "outcome_due"):
        if not said.shared_at < getattr(said, name) <= max(said.shared_at, said.signed_at) + _MOST_DUE:
            yield Finding(name, f"must be later than the share, by {_MOST_DUE.days} days at most", SOURCE)
    if said.way is Way.SYSTEM:
        yield from _by_system(said)
        yield from _in_force(known.agreements.get(said.agreement or ""), said, person)
    else:
        yield from _entered(said)
        found = known.agreements.get(said.agreement or "")
        if said.agreement is not None and (found is None or found.said.party != said.party):
            yield Finding("agreement", "is not in the register, or another party's", SOURCE)


def _in_force(found: Agreement | None, said: ShareMade, person: str) -> Iterator[Finding]:
    if found is None:
        yield Finding("agreement", "is not in the register: nothing is shared without one", SOURCE)
        return
    if not found.in_force(said.shared_at):
        yield Finding("agreement", "is not in force: it has not begun, has expired or was ended", SOURCE)
    if found.said.party != said.party:
        yield Finding("party", "is not the agreement's", SOURCE)
    if said.direction not in found.said.directions:
        yield Finding("direction", f"`{said.direction}` is not agreed", SOURCE)
    if found.approver == person:
        yield Finding("agreement", "was approved by the one who shares: it must be another person", SOURCE)
    latest = due(found.said, said.shared_at)
    for name, at in zip(("deletion_due", "outcome_due"), latest, strict=True):
        if getattr(said, name) > at:
            yield Finding(name, f"must be {at:%Y-%m-%d %H:%M} UTC at the latest, as agreed", SOURCE)


def _by_system(said: ShareMade) -> Iterator[Finding]:
    if said.signed_at - said.shared_at > SKEW:
        yield Finding("shared_at", "must be the time of signing: it is recorded before it is shared", SOURCE)
    if said.amount != len(said.pictures):
        yield Finding("amount", "must be that of the pictures named", SOURCE)
    if said.direction is Direction.IN:
        if said.mark is not None:
            yield Finding("mark", "is for pictures that leave", _MARK)
        return
    if said.mark != mark_of(said.organisation, said.party, said.serial):
        yield Finding("mark", "must be that of this recipient and serial", _MARK)
    for name in ("deployment", "list_digest"):
        if getattr(said, name) is None:
            yield Finding(name, "must be said: pictures leave out of a sealed list only", SOURCE)
    if any(one.entry is None for one in said.pictures):
        yield Finding("pictures", "must name the entry of each", SOURCE)


def _entered(said: ShareMade) -> Iterator[Finding]:
    if said.amount < len(said.pictures):
        yield Finding("amount", "must not be less than the pictures named", SOURCE)
    if said.mark is not None:
        yield Finding("mark", "is given by the export alone", _MARK)


def _followed_up(known: SharingRegister, said: FollowedUp) -> Iterator[Finding]:
    share = known.share(said.serial)
    if share is None:
        yield Finding("serial", "is of no share", SOURCE)
        return
    if said.what in share.done and said.what is not Due.OUTCOME:
        yield Finding("what", "is recorded already", SOURCE)
    if not share.said.shared_at <= said.done_at <= said.signed_at:
        yield Finding("done_at", "must lie between the share and now", SOURCE)
    if (said.outcome is not None) != (said.what is Due.OUTCOME):
        yield Finding("outcome", "is said with an outcome, and with nothing else", SOURCE)


def _answer(known: SharingRegister, said: AnswerPublished) -> Iterator[Finding]:
    if said.answer != known.next_answer:
        yield Finding("answer", f"must be {known.next_answer}, the next of the organisation", _GAPLESS)
    found = known.found(said.party, said.since)
    if (said.shares, said.pictures) != (len(found.shares), found.pictures):
        rule = f"must be what is recorded: {len(found.shares)} shares, {found.pictures} pictures"
        yield Finding("shares", rule, SOURCE)
    elif said.text != wording(found, said.party, said.since):
        yield Finding("text", "must be the register's own wording, with what it does not cover", SOURCE)
    standing = known.standing(said.party, said.since)
    if said.supersedes != (standing.answer if standing else None):
        must = f"name {standing.answer}, which stands" if standing else "be left out: no answer about this stands"
        yield Finding("supersedes", f"must {must}", SOURCE)
    if (said.supersedes is None) != (said.reason is None):
        yield Finding("reason", "is given where an answer is superseded, and nowhere else", SOURCE)

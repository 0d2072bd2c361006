"""What must hold before a move: each guard raises the refusal a person is told, or returns."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from services.review.core.case import Case, Seat
from services.review.core.errors import Gone, NotAllowed, NotYours, Stale, Taken
from services.review.core.move import ByHolder, ByOther, Claim, Fold, Improve, Judge, Move

M = TypeVar("M", bound=Move)


def cast(move: Move, kind: type[M]) -> M:
    """`move` as what its row of the table says it is."""
    if not isinstance(move, kind):
        raise TypeError(f"{type(move).__name__} stands in a row of {kind.__name__}")
    return move


def in_time(case: Case, move: Move, now: datetime) -> None:
    if now >= case.expires_at:
        raise Gone("the time for this case is up")


def in_time_to_judge(case: Case, move: Move, now: datetime) -> None:
    """A judgement that was recorded in time may be asked for again at any time."""
    if not said_before(case, cast(move, Judge)):
        in_time(case, move, now)


def said(case: Case, move: Move, now: datetime) -> None:
    """A case that is over takes no judgement; one that it holds is answered again."""
    if not said_before(case, cast(move, Judge)):
        raise Gone(f"a case that is {case.state} has no such move")


def out_of_time(case: Case, move: Move, now: datetime) -> None:
    if now < case.expires_at:
        raise Gone("the time for this case is not up")


def in_window(case: Case, move: Move, now: datetime) -> None:
    if cast(move, Fold).sighting.searched_at >= case.fold_until:
        raise Gone("the case's window is closed")


def newer(case: Case, move: Move, now: datetime) -> None:
    new = cast(move, Improve).sighting
    if not any(old.alert == new.alert and old.revision < new.revision for old in case.sightings):
        raise Gone("the case has this revision or a later one")


def seat_free(case: Case, move: Move, now: datetime) -> None:
    """A seat that this person may take; or the one they hold: asking again renews."""
    person = cast(move, Claim).person
    if case.seat_lent(person, now) or case.seat_for(person, now):
        return
    if person in case.excluded:
        raise NotAllowed("this case needs other people")
    if any(given.person == person for given in case.judgements):
        raise NotAllowed("the other judgement of this case must be somebody else's")
    if case.seats_open(now):
        raise NotAllowed("the claim of this seat lapsed: it goes to somebody else")
    raise Taken("every seat of this case is taken")


def seat_of(case: Case, person: str, fence: int) -> Seat | None:
    """The seat lent under this fence, its claim perhaps over."""
    return next(
        (seat for seat in case.seats if seat.lent and (seat.lent.person, seat.lent.fence) == (person, fence)),
        None,
    )


def holds(case: Case, move: Move, now: datetime) -> None:
    """The claim is this person's, and lasts; a judgement said twice counts as held."""
    mine = cast(move, ByHolder)
    if isinstance(move, Judge) and said_before(case, move):
        return
    seat = seat_of(case, mine.person, mine.fence)
    if seat is None:
        raise NotYours("this claim is not yours, or no longer")
    if seat.held(now) is None:
        raise NotYours("this claim has lapsed")


def said_before(case: Case, move: Judge) -> bool:
    """The same judgement again: a retry of a call whose answer was lost."""
    return any(
        (given.person, given.fence, given.judgement, given.digest)
        == (move.person, move.fence, move.judgement, move.digest)
        for given in case.judgements
    )


def saw_it(case: Case, move: Move, now: datetime) -> None:
    """The judgement is on what the claim was last shown."""
    judge = cast(move, Judge)
    seat = seat_of(case, judge.person, judge.fence)
    if seat is not None and seat.lent is not None and (not seat.lent.digest or seat.lent.digest != judge.digest):
        raise Stale("what you saw is not what this case shows now: look again")


def lapsed(case: Case, move: Move, now: datetime) -> None:
    if not any(seat.lent is not None and seat.held(now) is None for seat in case.seats):
        raise Gone("no claim of this case has lapsed")


def pictures_kept(case: Case, move: Move, now: datetime) -> None:
    """Nobody decides anew without looking."""
    if case.pictures_until is not None and now >= case.pictures_until:
        raise Gone("the pictures of this case are gone, so it cannot be reopened: they stay only for a while")


def uninvolved(case: Case, move: Move, now: datetime) -> None:
    """Nobody holds two sides of one decision."""
    if cast(move, ByOther).person in case.judged_by:
        raise NotAllowed("you judged this case: this is for somebody else")

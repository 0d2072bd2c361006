"""The moves of a case: one table of what may follow what, and `decide`, which applies it.

`decide` is pure. Whoever applies its result to the store does so only if the case is still at the version that
was decided on, in one atomic step with the events (`edges/lua/apply.lua`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from services.contracts.decisions import (
    AlertFolded,
    AlertJudged,
    CaseDecided,
    CaseEvent,
    CaseExpired,
    DecisionSuperseded,
    EngagementRecorded,
    OutcomeRecorded,
)
from services.review.core import effects, guards
from services.review.core.case import Case, Policy
from services.review.core.errors import Gone
from services.review.core.move import (
    Claim,
    Engage,
    Expire,
    Fold,
    Improve,
    Judge,
    Lapse,
    Move,
    NoAction,
    Outcome,
    Release,
    Renew,
    Reopen,
    View,
)
from services.review.core.views import CaseState

OPEN, AGREED, NO_ACTION, EXPIRED = CaseState


@dataclass(frozen=True)
class Step:
    """A case after a move, and what is to be told of it. Unchanged case: nothing is to be written."""

    case: Case
    events: tuple[CaseEvent, ...]
    changed: bool


Guard = Callable[[Case, Move, datetime], None]
Effect = Callable[[Case, Move, datetime, Policy], tuple[Case, tuple[CaseEvent, ...]]]


@dataclass(frozen=True)
class Row:
    """In `state`, `move` is allowed if the guards pass; it leads to one of `to` and tells only of `events`."""

    state: CaseState
    move: type[Move]
    guards: tuple[Guard, ...]
    effect: Effect
    to: frozenset[CaseState]
    events: tuple[type[CaseEvent], ...] = ()


def _row(
    state: CaseState,
    move: type[Move],
    guard: tuple[Guard, ...],
    effect: Effect,
    *to: CaseState,
    tells: tuple[type[CaseEvent], ...] = (),
) -> Row:
    return Row(state, move, guard, effect, frozenset(to), tells)


_REOPENS: tuple[Guard, ...] = (guards.uninvolved, guards.pictures_kept)

TABLE = (
    # the alerts of a subject
    _row(OPEN, Fold, (guards.in_window,), effects.fold, OPEN, tells=(AlertFolded,)),
    _row(AGREED, Fold, (guards.in_window,), effects.join, AGREED, tells=(AlertFolded,)),
    _row(OPEN, Improve, (guards.newer,), effects.improve, OPEN),
    # the claims of reviewers
    _row(OPEN, Claim, (guards.in_time, guards.seat_free), effects.claim, OPEN),
    _row(OPEN, Renew, (guards.in_time, guards.holds), effects.renew, OPEN),
    _row(OPEN, Release, (guards.in_time, guards.holds), effects.release, OPEN),
    _row(OPEN, View, (guards.in_time, guards.holds), effects.view, OPEN),
    _row(OPEN, Lapse, (guards.in_time, guards.lapsed), effects.lapse, OPEN),
    # the decision: OPEN again while seats are empty, or when pictures came that a judge has not seen
    _row(
        OPEN,
        Judge,
        (guards.in_time_to_judge, guards.holds, guards.saw_it),
        effects.judge,
        *(OPEN, AGREED, NO_ACTION),
        tells=(AlertJudged, CaseDecided),
    ),
    # the judgement that decided, said again because its answer was lost: answered, and nothing changes
    _row(AGREED, Judge, (guards.said,), effects.judge, AGREED),
    _row(NO_ACTION, Judge, (guards.said,), effects.judge, NO_ACTION),
    _row(EXPIRED, Judge, (guards.said,), effects.judge, EXPIRED),
    _row(OPEN, Expire, (guards.out_of_time,), effects.expire, EXPIRED, tells=(CaseExpired,)),
    # second thoughts: to no action at once, towards a match only by fresh reviewers, who must see the pictures
    _row(AGREED, NoAction, (guards.uninvolved,), effects.no_action, NO_ACTION, tells=(DecisionSuperseded,)),
    _row(NO_ACTION, Reopen, _REOPENS, effects.reopen, OPEN, tells=(DecisionSuperseded,)),
    _row(EXPIRED, Reopen, _REOPENS, effects.reopen, OPEN, tells=(DecisionSuperseded,)),
    # acting, and what came of it: only after an agreed match
    _row(AGREED, Engage, (guards.uninvolved,), effects.engage, AGREED, tells=(EngagementRecorded,)),
    _row(AGREED, Outcome, (guards.uninvolved,), effects.outcome, AGREED, tells=(OutcomeRecorded,)),
)
_ROWS = {(row.state, row.move): row for row in TABLE}


def decide(case: Case, move: Move, *, now: datetime, policy: Policy) -> Step:
    """The case after `move`, one version on, and its events. Raises MoveRefused; Gone where no row stands."""
    row = _ROWS.get((case.state, type(move)))
    if row is None:
        raise Gone(f"a case that is {case.state} has no such move")
    for guard in row.guards:
        guard(case, move, now)
    after, events = row.effect(case, move, now, policy)
    if after.state not in row.to or not all(type(event) in row.events for event in events):
        raise RuntimeError(f"{type(move).__name__} left its row of the table")
    if after == case:
        return Step(case, (), changed=False)
    turn = case.turn if after.binding == case.binding else case.turn + 1
    return Step(replace(after, version=case.version + 1, turn=turn), events, changed=True)

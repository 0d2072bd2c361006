"""The life of an authority, as one table: which move, by whom, on what conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.contracts.authorisation import rules
from services.contracts.authorisation.approvals import Quorum, Verified
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, Move, Role, State
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.statements import Attestation

_SIGNS_AHEAD = timedelta(hours=24)  # an older attestation says nothing about the day

# Under these something was searched, or may yet be; under those nothing ever was or will be.
HAS_RUN = frozenset({State.ACTIVE, State.SUSPENDED, State.ENDED, State.PURGED, State.REPORTED, State.REVIEWED})
NEVER_RAN = frozenset({State.REFUSED, State.CANCELLED, State.EXPIRED})


@dataclass(frozen=True)
class Actor:
    """Who moves it, in which role."""

    person: str = field(repr=False)
    role: Role


@dataclass(frozen=True)
class Earlier:
    """Another authority of the organisation, and what it owes."""

    deployment: str
    serial: int
    state: State
    report_due: datetime
    review_due: datetime
    urgent_until: datetime | None = None
    halted_at: datetime | None = None  # a person stopped or suspended it then, and nobody has resumed it

    @classmethod
    def of(cls, document: Document, state: State, *, halted_at: datetime | None = None) -> Earlier:
        end, owed = document.window.end, document.follow_up
        return cls(
            deployment=document.id,
            serial=document.serial,
            state=state,
            report_due=end + timedelta(days=owed.report_within_days),
            review_due=end + timedelta(days=owed.review_within_days),
            urgent_until=document.urgent.deadline if document.urgent else None,
            halted_at=halted_at,
        )

    def overdue(self, now: datetime) -> str | None:
        """`report` or `review`, if it should have been there by now."""
        if self.state in _OWES_REPORT and now > self.report_due:
            return "report"
        if self.state in _OWES_REPORT | {State.REPORTED} and now > self.review_due:
            return "review"
        return None


_OWES_REPORT = frozenset({State.ACTIVE, State.SUSPENDED, State.ENDED, State.PURGED})


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that a move is judged by. What is not known stays None, and fails what needs it."""

    now: datetime
    document: Document
    before: Document | None = None
    verified: Verified | None = None
    attestation: Attestation | None = None
    others: tuple[Earlier, ...] = ()
    urgencies: tuple[rules.UrgentUse, ...] = ()
    authorised_at: datetime | None = None
    sealed_list: str | None = None
    clock: ClockState = ClockState.UNKNOWN
    reason: str | None = field(default=None, repr=False)
    evidence: str | None = None


Need = Callable[[Facts, Actor], tuple[Finding, ...]]


def _kept_rules(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    return rules.broken(facts.document)


def _numbered(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    reused = any(other.deployment == facts.document.id for other in facts.others) and facts.before is None
    serials = (other.serial for other in facts.others if other.deployment != facts.document.id)
    return (
        *(
            (Finding("id", "was an earlier authority's: its leases would be taken for this one's", "C-29"),)
            * reused
        ),
        *(rules.serial_broken(facts.document, serials) if facts.before is None else ()),
        *rules.version_broken(facts.document, facts.before),
    )


def _written_by_actor(facts: Facts, actor: Actor) -> tuple[Finding, ...]:
    ok = actor.person == facts.document.author
    return () if ok else (Finding("author", "only its author submits a document", "C-18"),)


def _approved(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    verified, urgent = facts.verified, facts.document.urgent
    if verified is None or verified.digest != facts.document.digest:
        return (Finding("approvals", "this very document is not approved", "issue 4.1: quorum"),)
    if facts.now >= verified.holds_until:
        return (Finding("approvals", "must be verified again", "issue 4.1: trust"),)
    if verified.quorum is Quorum.URGENT and (urgent is None or facts.now >= urgent.deadline):
        return (Finding("urgent.deadline", "has passed without full approval", "C-38"),)
    return ()


def _nothing_overdue(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    return tuple(
        Finding("serial", f"the {owed} of {other.deployment} is overdue", "issue 4.1")
        for other in facts.others
        if (owed := other.overdue(facts.now)) is not None
    )


def _urgent_once(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    """No version begins a second day without full approval."""
    urgent = facts.document.urgent
    earlier = [
        other.urgent_until
        for other in facts.others
        if other.deployment == facts.document.id and other.urgent_until is not None
    ]
    ok = urgent is None or urgent.deadline <= min(earlier, default=urgent.deadline)
    return () if ok else (Finding("urgent.deadline", "is later than an earlier version's", "C-38"),)


def _urgency_left(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    """Nor does another authority of the same place or people, under an id of its own."""
    verified = facts.verified
    if verified is not None and verified.quorum is Quorum.FULL and verified.digest == facts.document.digest:
        return ()
    approvers = verified.approvers if verified is not None else ()
    return rules.urgency_spent(facts.document, approvers, facts.urgencies, now=facts.now)


def _not_halted(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    """What waits for its window must not undo a stop by itself: somebody has to authorise after it."""
    halted = [
        other.halted_at
        for other in facts.others
        if other.deployment == facts.document.id and other.halted_at is not None
    ]
    ok = not halted or (facts.authorised_at is not None and facts.authorised_at > max(halted))
    rule = "was authorised before another of the deployment was stopped or suspended"
    return () if ok else (Finding("version", rule, "C-37, issue 4.1: stop"),)


def _announced(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    said = facts.attestation
    if said is None or (said.deployment, said.digest) != (facts.document.id, facts.document.digest):
        return (Finding("attestation", "nobody attested notice and signs for this document", "issue 4.1, C-09"),)
    found = []
    if not said.notice_published_at <= said.signed_at <= facts.now:
        found.append(Finding("attestation.notice_published_at", "the notice must be out", "issue 4.1"))
    if not facts.document.window.start - _SIGNS_AHEAD <= said.signs_up_at <= said.signed_at <= facts.now:
        found.append(Finding("attestation.signs_up_at", "signs must be up, since a day ahead at most", "C-09"))
    return tuple(found)


def _list_sealed(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    ok = facts.sealed_list == facts.document.watchlist.digest
    return () if ok else (Finding("watchlist.digest", "this list is not sealed and loaded", "C-24"),)


def _in_window(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    ok = facts.document.window.covers(facts.now)
    return () if ok else (Finding("window", "does not cover this moment", "C-29"),)


def _not_over(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    ok = facts.now < facts.document.window.end
    return () if ok else (Finding("window", "is over", "C-29"),)


def _window_over(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    ok = facts.now >= facts.document.window.end
    return () if ok else (Finding("window", "is not over yet", "C-29"),)


def _lapsed(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    urgent, verified = facts.document.urgent, facts.verified
    full = verified is not None and verified.quorum is Quorum.FULL and verified.digest == facts.document.digest
    ok = urgent is not None and facts.now >= urgent.deadline and not full
    return () if ok else (Finding("urgent.deadline", "has not passed without full approval", "C-38"),)


def _clock(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    ok = facts.clock in facts.document.clock.accepts
    return () if ok else (Finding("clock", f"`{facts.clock}` is not accepted by the authority", "C-29"),)


def _reasoned(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    ok = bool(facts.reason and facts.reason.strip())
    return () if ok else (Finding("reason", "must be given, in writing", "C-18"),)


def _evidenced(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    ok = facts.evidence is not None
    return () if ok else (Finding("evidence", "needs the digest of certificate, report or review", "issue 4.1"),)


_LIVE = frozenset({State.AUTHORISED, State.ACTIVE, State.SUSPENDED})


def _nothing_live(facts: Facts, _: Actor) -> tuple[Finding, ...]:
    live = [other for other in facts.others if other.deployment == facts.document.id and other.state in _LIVE]
    return (Finding("version", "another of the deployment has use for its keys", "C-03"),) * bool(live)


def _by_approver(facts: Facts, actor: Actor) -> tuple[Finding, ...]:
    ok = facts.verified is not None and actor.person in facts.verified.approvers
    return () if ok else (Finding("order", "only who approved it may set it going again", "C-18"),)


@dataclass(frozen=True)
class Step:
    """One row: where it leads, who may ask, what must hold. `ordered`: the person's signed order goes with it."""

    after: State
    by: frozenset[Role]
    needs: tuple[Need, ...] = ()
    ordered: bool = False


_AUTHOR = frozenset({Role.AUTHOR})
_OFFICER = frozenset({Role.AUTHORISING_OFFICER})
_OFFICERS = frozenset({Role.AUTHORISING_OFFICER, Role.URGENT_OFFICER})
_CLOCKWORK = frozenset({Role.OVERSIGHT})
# A stop is safe, so it is easy: anybody in charge on the spot, and oversight by itself (a fault, C-37).
_STOPPERS = frozenset({Role.SUPERVISOR, Role.AUTHORISING_OFFICER, Role.URGENT_OFFICER, Role.OVERSIGHT})
_REPORTERS = frozenset({Role.SUPERVISOR, Role.AUTHORISING_OFFICER})
_PURGERS = _STOPPERS | {Role.LIST_MANAGER}
_GO = (_kept_rules, _approved, _nothing_overdue, _announced, _list_sealed, _in_window, _clock)

TABLE: Mapping[tuple[State, Move], Step] = {
    (State.DRAFT, Move.SUBMIT): Step(
        State.SUBMITTED,
        _AUTHOR,
        (
            _kept_rules,
            _numbered,
            _written_by_actor,
            _urgent_once,
            _urgency_left,
            _not_over,
            _nothing_overdue,
        ),
    ),
    (State.DRAFT, Move.CANCEL): Step(State.CANCELLED, _AUTHOR | _OFFICER, (_reasoned,)),
    (State.SUBMITTED, Move.APPROVE): Step(
        State.AUTHORISED, _OFFICERS, (_kept_rules, _approved, _urgency_left, _not_over, _nothing_overdue)
    ),
    (State.SUBMITTED, Move.REFUSE): Step(State.REFUSED, _OFFICERS, (_reasoned,)),
    (State.SUBMITTED, Move.CANCEL): Step(State.CANCELLED, _AUTHOR | _OFFICER, (_reasoned,)),
    (State.SUBMITTED, Move.EXPIRE): Step(State.EXPIRED, _CLOCKWORK, (_window_over,)),
    (State.AUTHORISED, Move.ACTIVATE): Step(State.ACTIVE, _CLOCKWORK, (*_GO, _not_halted)),
    (State.AUTHORISED, Move.CANCEL): Step(State.CANCELLED, _OFFICERS, (_reasoned,)),
    (State.AUTHORISED, Move.EXPIRE): Step(State.EXPIRED, _CLOCKWORK, (_window_over,)),
    (State.AUTHORISED, Move.LAPSE): Step(State.EXPIRED, _CLOCKWORK, (_lapsed,)),
    (State.ACTIVE, Move.SUSPEND): Step(State.SUSPENDED, _STOPPERS, (_reasoned,)),
    (State.ACTIVE, Move.STOP): Step(State.ENDED, _STOPPERS, (_reasoned,)),
    (State.ACTIVE, Move.END): Step(State.ENDED, _CLOCKWORK, (_window_over,)),
    (State.ACTIVE, Move.LAPSE): Step(State.ENDED, _CLOCKWORK, (_lapsed,)),
    (State.SUSPENDED, Move.RESUME): Step(State.ACTIVE, _OFFICER, (*_GO, _by_approver, _reasoned), ordered=True),
    (State.SUSPENDED, Move.STOP): Step(State.ENDED, _STOPPERS, (_reasoned,)),
    (State.SUSPENDED, Move.END): Step(State.ENDED, _CLOCKWORK, (_window_over,)),
    (State.SUSPENDED, Move.LAPSE): Step(State.ENDED, _CLOCKWORK, (_lapsed,)),
    (State.ENDED, Move.ORDER_PURGE): Step(State.ENDED, _PURGERS, (_nothing_live,)),
    (State.ENDED, Move.PURGE): Step(State.PURGED, _CLOCKWORK, (_evidenced,)),
    (State.PURGED, Move.REPORT): Step(State.REPORTED, _REPORTERS, (_evidenced,), ordered=True),
    (State.REPORTED, Move.REVIEW): Step(State.REVIEWED, frozenset({Role.AUDITOR}), (_evidenced,), ordered=True),
}


def next_state(state: State, move: Move, *, by: Actor, facts: Facts) -> State:
    """Where the move leads. Raises NotAuthorised naming everything that stands against it; changes nothing."""
    step = TABLE.get((state, move))
    if step is None:
        can = ", ".join(sorted(known for before, known in TABLE if before is state)) or "nothing"
        raise NotAuthorised(
            "move", [Finding("move", f"`{move}` leads nowhere from `{state}`: {can}", "issue 4.1")]
        )
    if by.role not in step.by:
        may = ", ".join(sorted(step.by))
        raise NotAuthorised("role", [Finding("role", f"`{by.role}` may not {move} it: {may}", "C-18")])
    against = [finding for need in step.needs for finding in need(facts, by)]
    if against:
        raise NotAuthorised("requirements", against)
    return step.after

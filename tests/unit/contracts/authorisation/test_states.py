"""The life of an authority: the table, and that no road leads to ACTIVE but through every requirement (G1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.authorisation.enums import ClockState, Move, Role, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.states import TABLE, Actor, Earlier, Facts, next_state
from tests.unit.contracts.authorisation.builders import (
    END,
    NOON,
    PEOPLE,
    START,
    a_document,
    a_list,
    a_verified,
    an_attestation,
    sha,
)

DOCUMENT = a_document()
VERIFIED = a_verified(DOCUMENT)
OTHER = a_document(watchlist=a_list(thresholds={1: 0.4, 3: 0.4}), equity=None)

GOOD = Facts(
    now=NOON,
    document=DOCUMENT,
    verified=VERIFIED,
    attestation=an_attestation(DOCUMENT),
    sealed_list=DOCUMENT.watchlist.digest,
    clock=ClockState.SYNCHRONISED,
    reason="because",
    evidence=sha("certificate"),
)
OVERDUE = Earlier("soho-1", 1, State.PURGED, NOON - timedelta(days=1), NOON + timedelta(days=20))

# What can be wrong, each apart from the others; none of it may be so when a search begins.
FLAWS: Mapping[str, Callable[[Facts], Facts]] = {
    "not approved": lambda f: replace(f, verified=None),
    "another approved": lambda f: replace(f, verified=replace(VERIFIED, digest=sha("another"))),
    "must be verified again": lambda f: replace(f, verified=replace(VERIFIED, holds_until=NOON)),
    "breaks a rule": lambda f: replace(f, document=OTHER),
    "nothing attested": lambda f: replace(f, attestation=None),
    "attested for another": lambda f: replace(f, attestation=an_attestation(DOCUMENT, digest=sha("another"))),
    "signs not up": lambda f: replace(f, attestation=an_attestation(DOCUMENT, signs_up_at=NOON)),
    "signs of last week": lambda f: replace(
        f, attestation=an_attestation(DOCUMENT, signs_up_at=START - timedelta(days=7))
    ),
    "notice not out": lambda f: replace(f, attestation=an_attestation(DOCUMENT, notice_published_at=END)),
    "list not sealed": lambda f: replace(f, sealed_list=None),
    "list swapped": lambda f: replace(f, sealed_list=sha("another list")),
    "clock unknown": lambda f: replace(f, clock=ClockState.UNKNOWN),
    "clock unsynchronised": lambda f: replace(f, clock=ClockState.UNSYNCHRONISED),
    "too early": lambda f: replace(f, now=START - timedelta(microseconds=1)),
    "too late": lambda f: replace(f, now=END),
    "report overdue": lambda f: replace(f, others=(OVERDUE,)),
}
WHO = {role: Actor(person, role) for person, role in PEOPLE.items() if person != "pat"}
MOVES = st.tuples(
    st.sampled_from(Move),
    st.sampled_from(list(WHO.values())) | st.none(),
    st.sets(st.sampled_from(sorted(FLAWS)), max_size=2) | st.just(set()),
)


def flawed(flaws: set[str]) -> Facts:
    facts = GOOD
    for flaw in sorted(flaws):
        facts = FLAWS[flaw](facts)
    return facts


def right_actor(state: State, move: Move) -> Actor:
    step = TABLE.get((state, move))
    return WHO[sorted(step.by)[0]] if step else WHO[Role.OVERSIGHT]


@settings(max_examples=400, deadline=None)
@given(st.lists(MOVES, max_size=12))
def test_no_road_leads_to_active_without_every_requirement(
    moves: list[tuple[Move, Actor | None, set[str]]],
) -> None:
    state, done = State.DRAFT, list[Move]()
    for move, actor, flaws in moves:
        actor = actor or right_actor(state, move)
        try:
            after = next_state(state, move, by=actor, facts=flawed(flaws))
        except NotAuthorised as error:
            assert error.findings
            continue
        done.append(move)
        if after is State.ACTIVE:
            assert not flaws
            assert Move.SUBMIT in done
            assert Move.APPROVE in done
            assert actor.role is (Role.AUTHORISING_OFFICER if move is Move.RESUME else Role.OVERSIGHT)
        state = after


def go(*moves: Move) -> State:
    state = State.DRAFT
    for move in moves:
        facts = replace(GOOD, now=END) if move is Move.END else GOOD
        state = next_state(state, move, by=right_actor(state, move), facts=facts)
    return state


TO_ACTIVE = (Move.SUBMIT, Move.APPROVE, Move.ACTIVATE)


@pytest.mark.parametrize(
    ("moves", "state"),
    [
        ((*TO_ACTIVE, Move.END, Move.PURGE, Move.REPORT, Move.REVIEW), State.REVIEWED),
        ((*TO_ACTIVE, Move.SUSPEND, Move.RESUME, Move.STOP), State.ENDED),
        ((*TO_ACTIVE, Move.SUSPEND, Move.STOP), State.ENDED),
        ((Move.SUBMIT, Move.REFUSE), State.REFUSED),
        ((Move.SUBMIT, Move.APPROVE, Move.CANCEL), State.CANCELLED),
        ((Move.CANCEL,), State.CANCELLED),
    ],
)
def test_the_roads_there_are(moves: tuple[Move, ...], state: State) -> None:
    assert go(*moves) is state


@pytest.mark.parametrize("flaw", sorted(FLAWS))
def test_each_flaw_by_itself_keeps_it_from_going_and_is_named(flaw: str) -> None:
    for state, move, who in (
        (State.AUTHORISED, Move.ACTIVATE, Role.OVERSIGHT),
        (State.SUSPENDED, Move.RESUME, Role.AUTHORISING_OFFICER),
    ):
        with pytest.raises(NotAuthorised) as refused:
            next_state(state, move, by=WHO[who], facts=flawed({flaw}))
        assert all(finding.field and finding.rule and finding.source for finding in refused.value.findings)


@pytest.mark.parametrize(("state", "move"), sorted(TABLE))
def test_every_move_is_for_its_roles_only(state: State, move: Move) -> None:
    for role in set(Role) - TABLE[state, move].by:
        actor = WHO.get(role, Actor("x", role))
        with pytest.raises(NotAuthorised, match="may not") as refused:
            next_state(state, move, by=actor, facts=GOOD)
        assert refused.value.reason == "role"


@pytest.mark.parametrize("state", [State.REVIEWED, State.REFUSED, State.CANCELLED, State.EXPIRED])
def test_what_is_over_stays_over(state: State) -> None:
    for move in Move:
        with pytest.raises(NotAuthorised, match="leads nowhere"):
            next_state(state, move, by=WHO[Role.AUTHORISING_OFFICER], facts=GOOD)


def test_nothing_that_has_ended_is_ever_active_again() -> None:
    reached, front = set[State](), {State.ENDED}
    while front:
        reached |= front
        front = {step.after for (before, _), step in TABLE.items() if before in front} - reached
    assert State.ACTIVE not in reached
    assert set(State) == {before for before, _ in TABLE} | {step.after for step in TABLE.values()}


def test_who_resumes_must_be_one_who_approved() -> None:
    pat = Actor("pat", Role.AUTHORISING_OFFICER)
    with pytest.raises(NotAuthorised, match="only who approved it"):
        next_state(State.SUSPENDED, Move.RESUME, by=pat, facts=GOOD)


@pytest.mark.parametrize("move", [Move.SUBMIT, Move.APPROVE, Move.ACTIVATE])
def test_a_new_authority_waits_while_an_earlier_ones_report_is_overdue(move: Move) -> None:
    before = {Move.SUBMIT: State.DRAFT, Move.APPROVE: State.SUBMITTED, Move.ACTIVATE: State.AUTHORISED}[move]
    with pytest.raises(NotAuthorised, match="the report of soho-1 is overdue"):
        next_state(before, move, by=right_actor(before, move), facts=replace(GOOD, others=(OVERDUE,)))


@pytest.mark.parametrize(
    ("state", "days", "owed"),
    [
        (State.ENDED, 6, None),
        (State.ENDED, 8, "report"),
        (State.PURGED, 8, "report"),
        (State.ACTIVE, 8, "report"),
        (State.REPORTED, 8, None),
        (State.REPORTED, 29, "review"),
        (State.REVIEWED, 400, None),
        (State.CANCELLED, 400, None),
        (State.REFUSED, 400, None),
        (State.EXPIRED, 400, None),
    ],
)
def test_a_report_and_a_review_are_owed_by_what_ran(state: State, days: int, owed: str | None) -> None:
    assert Earlier.of(DOCUMENT, state).overdue(END + timedelta(days=days)) == owed


def test_a_gap_in_the_serials_is_no_submission() -> None:
    third = replace(OVERDUE, serial=3, state=State.REVIEWED)
    with pytest.raises(NotAuthorised, match="gap"):
        next_state(State.DRAFT, Move.SUBMIT, by=WHO[Role.AUTHOR], facts=replace(GOOD, others=(third,)))


def test_a_deployments_id_is_used_once() -> None:
    again = replace(GOOD, others=(replace(OVERDUE, deployment=DOCUMENT.id, state=State.REVIEWED),))
    with pytest.raises(NotAuthorised, match="was an earlier authority's"):
        next_state(State.DRAFT, Move.SUBMIT, by=WHO[Role.AUTHOR], facts=again)


def test_only_the_author_of_a_document_submits_it() -> None:
    with pytest.raises(NotAuthorised, match="only its author"):
        next_state(State.DRAFT, Move.SUBMIT, by=Actor("bob", Role.AUTHOR), facts=GOOD)


@pytest.mark.parametrize(
    ("state", "move"),
    [(State.ACTIVE, Move.STOP), (State.ACTIVE, Move.SUSPEND), (State.SUBMITTED, Move.REFUSE)],
)
def test_a_stop_or_refusal_is_given_a_reason(state: State, move: Move) -> None:
    with pytest.raises(NotAuthorised, match="in writing"):
        next_state(state, move, by=WHO[Role.AUTHORISING_OFFICER], facts=replace(GOOD, reason=" "))


def test_a_window_that_is_not_over_neither_ends_nor_expires() -> None:
    for state, move in ((State.ACTIVE, Move.END), (State.AUTHORISED, Move.EXPIRE)):
        with pytest.raises(NotAuthorised, match="not over yet"):
            next_state(state, move, by=WHO[Role.OVERSIGHT], facts=GOOD)


def test_an_urgent_one_lapses_at_its_deadline_unless_it_is_approved_in_full() -> None:
    """C-38: 24 hours to approval, else stop and purge."""
    deadline = NOON + timedelta(hours=1)
    document = a_document(created_at=START, urgent={"reason": "a threat to life", "deadline": deadline})
    at = START + timedelta(minutes=1)
    urgent = a_verified(document, "ann", "uma", at=at)
    clockwork = WHO[Role.OVERSIGHT]
    running = replace(GOOD, document=document, verified=urgent, attestation=an_attestation(document))
    assert next_state(State.AUTHORISED, Move.ACTIVATE, by=clockwork, facts=running) is State.ACTIVE
    with pytest.raises(NotAuthorised, match="has not passed"):
        next_state(State.ACTIVE, Move.LAPSE, by=clockwork, facts=running)
    late = replace(running, now=deadline)
    assert next_state(State.ACTIVE, Move.LAPSE, by=clockwork, facts=late) is State.ENDED
    with pytest.raises(NotAuthorised, match=r"verified again|full approval"):
        next_state(State.AUTHORISED, Move.ACTIVATE, by=clockwork, facts=late)
    full = replace(late, verified=a_verified(document, "ann", "olu", at=at))
    with pytest.raises(NotAuthorised, match="has not passed without"):
        next_state(State.ACTIVE, Move.LAPSE, by=clockwork, facts=full)

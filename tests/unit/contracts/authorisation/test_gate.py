"""The gate: nothing old, forged, missing or out of order makes it open (G1, C-29, C-37)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, Move, State
from services.contracts.authorisation.gate import Gate
from services.contracts.authorisation.records import (
    DocumentPublished,
    LeaseRenewed,
    Record,
    RegistryIssued,
    StateRecorded,
)
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.registry import sign_registry
from services.contracts.authorisation.statements import Rejection, sign
from tests.unit.contracts.authorisation.builders import (
    APPROVED,
    END,
    NOON,
    ROOT,
    START,
    TOKENS,
    WRITTEN,
    a_camera,
    a_change,
    a_document,
    a_lease,
    a_list,
    a_reading,
    a_registered_key,
    a_registry,
    a_registry_record,
    an_attestation,
    an_exercise,
    an_order,
    key,
    published,
    revocations,
    running,
    sha,
)

DOCUMENT = a_document()
RUNNING = running(DOCUMENT)
STOPPED_AT = NOON + timedelta(seconds=1)
STOP = a_change(DOCUMENT, 4, Move.STOP, STOPPED_AT)
AFTER_STOP = a_reading(NOON + timedelta(seconds=3))


def a_gate(records: Iterable[Record] = RUNNING, reading: ClockReading | None = None) -> Gate:
    gate = Gate.shut("oxford-street-1", root_fingerprint=ROOT.kid)
    for record in records:
        gate = gate.fold(record, reading or a_reading()).gate
    return gate


def asked(gate: Gate, reading: ClockReading | None = None, **changes: object) -> Refusal | None:
    about: dict[str, object] = {"camera": "gate-1", "deployment": "oxford-street-1", "at": NOON} | changes
    camera = str(about.pop("camera"))
    return gate.refusal(camera, reading=reading or a_reading(), **about)  # type: ignore[arg-type]


def rejected(gate: Gate, record: Record, reading: ClockReading | None = None) -> Rejection | None:
    return gate.fold(record, reading or a_reading()).rejected


def without(kind: type[Record], records: Sequence[Record] = RUNNING) -> list[Record]:
    return [record for record in records if not isinstance(record, kind)]


def test_a_running_authority_admits_its_cameras_in_its_window_and_nothing_else() -> None:
    gate = a_gate()
    assert asked(gate) is None
    assert gate.standing(a_reading()) is None
    assert asked(gate, camera="gate-9") is Refusal.UNKNOWN_CAMERA
    assert asked(gate, deployment="oxford-street-2") is Refusal.OTHER_DEPLOYMENT
    assert asked(gate, at=START - timedelta(microseconds=1)) is Refusal.OUTSIDE_WINDOW
    assert asked(gate, at=END) is Refusal.OUTSIDE_WINDOW
    current = gate.current(a_reading())
    assert current is not None
    assert current.document == DOCUMENT


def test_a_gate_that_knows_nothing_refuses_everything() -> None:
    gate = a_gate([])
    assert asked(gate) is Refusal.NO_REGISTRY
    assert gate.current(a_reading()) is None
    assert asked(a_gate(RUNNING[:1])) is Refusal.NO_LEASE


def test_the_end_of_the_window_holds_for_what_was_taken_before_it_too() -> None:
    """A backlog is not searched after the end."""
    gate = a_gate([*RUNNING, a_lease(DOCUMENT, 2, END)], a_reading(END))
    assert asked(gate, a_reading(END), at=NOON) is Refusal.OUTSIDE_WINDOW
    early = START - timedelta(seconds=5)
    opened = [*RUNNING[:-2], a_change(DOCUMENT, 3, Move.ACTIVATE, early), a_lease(DOCUMENT, 1, early)]
    assert asked(a_gate(opened, a_reading(early)), a_reading(early)) is Refusal.OUTSIDE_WINDOW


# Any order, duplicates, replays, junk

OLD_LEASES = tuple(a_lease(DOCUMENT, 1, START + timedelta(seconds=s), state_sequence=3) for s in (1, 3))
LATEST = a_lease(DOCUMENT, 9)
STANDING = (*RUNNING[:-1], LATEST)


def tampered(token: str) -> str:
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def forged(record: Record) -> Record:
    """The same with its signature broken."""
    if isinstance(record, DocumentPublished):
        return replace(record, approvals=tuple(map(tampered, record.approvals)))
    return replace(record, token=tampered(record.token))


ELSEWHERE = a_document(id="oxford-street-2", serial=2)
JUNK: tuple[Record, ...] = (
    *OLD_LEASES,
    *map(forged, RUNNING),
    *running(ELSEWHERE)[1:],
    published(a_document(), "ann"),
    published(a_document(watchlist=a_list(thresholds={1: 0.3})), "ann", "olu"),
    a_lease(DOCUMENT, 99, by="sam"),
    a_lease(DOCUMENT, 99, by="mallory"),
    a_lease(DOCUMENT, 99, NOON + timedelta(hours=1)),
    a_change(DOCUMENT, 4, Move.SUSPEND, NOON, by="mallory"),
    a_change(DOCUMENT, 4, Move.RESUME, NOON, order=None),
    a_change(DOCUMENT, 4, Move.STOP, NOON, after=State.ACTIVE),
    LeaseRenewed(""),
    StateRecorded("a.b.c"),
    RegistryIssued("x" * 1000),
    DocumentPublished(b"{", ()),
)


@settings(max_examples=150, deadline=None)
@given(st.permutations([*STANDING, *STANDING[:3]]), st.lists(st.sampled_from(JUNK), max_size=8), st.randoms())
def test_order_duplicates_replays_and_forgeries_make_no_difference(
    records: list[Record], junk: list[Record], chance: object
) -> None:
    mixed = [*records, *junk]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert asked(a_gate(mixed)) is None


@settings(max_examples=150, deadline=None)
@given(st.permutations([*STANDING, STOP, STOP]), st.lists(st.sampled_from(JUNK), max_size=8), st.randoms())
def test_a_stop_holds_in_whatever_order_it_comes_and_whatever_is_replayed_after_it(
    records: list[Record], junk: list[Record], chance: object
) -> None:
    mixed = [*records, *junk]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    gate = a_gate([*mixed, *RUNNING], AFTER_STOP)
    assert asked(gate, AFTER_STOP) is Refusal.NOT_ACTIVE


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(STANDING), max_size=12), st.lists(st.sampled_from(JUNK), max_size=8), st.randoms())
def test_nothing_opens_while_any_record_is_missing(
    records: list[Record], junk: list[Record], chance: object
) -> None:
    mixed = [*records, *junk]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    complete = set(STANDING[:-1]) <= set(mixed) and LATEST in mixed
    assert (asked(a_gate(mixed)) is None) is complete


@pytest.mark.parametrize("index", range(len(RUNNING)))
def test_one_forged_record_in_place_of_the_true_one_keeps_it_shut(index: int) -> None:
    records = [*RUNNING[:index], forged(RUNNING[index]), *RUNNING[index + 1 :]]
    assert asked(a_gate(records)) is not None


# Documents


def test_an_old_version_stays_shut_once_a_lease_names_a_later_one() -> None:
    second = a_document(version=2, supersedes=DOCUMENT.digest, cameras=[a_camera("gate-2")])
    gate = a_gate([*RUNNING, *running(second)[1:]])
    assert asked(gate, camera="gate-2") is None
    assert asked(gate, camera="gate-1") is Refusal.UNKNOWN_CAMERA
    assert rejected(gate, a_lease(DOCUMENT, 50)) is Rejection.OLD
    assert asked(gate.fold(a_lease(DOCUMENT, 50), a_reading()).gate, camera="gate-1") is Refusal.UNKNOWN_CAMERA


def test_a_lease_for_another_document_than_the_approved_one_opens_nothing() -> None:
    lowered = a_document(watchlist=a_list(thresholds={1: 0.3}))
    gate = a_gate([*RUNNING[:-1], a_lease(lowered)])
    assert asked(gate) is Refusal.NOT_VERIFIED


def test_the_authorising_officers_key_revoked_stops_the_search() -> None:
    registry = a_registry(a_registered_key("olu", revoked_at=NOON), without=["olu"], sequence=2)
    gate = a_gate([*RUNNING, a_registry_record(registry)])
    assert asked(gate) is Refusal.NOT_VERIFIED


def test_a_revocation_with_a_date_takes_effect_at_it() -> None:
    at = NOON + timedelta(seconds=5)
    registry = a_registry(a_registered_key("olu", revoked_at=at), without=["olu"])
    gate = a_gate(running(DOCUMENT, registry=registry))
    assert asked(gate, a_reading(at - timedelta(seconds=1))) is None
    assert asked(gate, a_reading(at)) is Refusal.NOT_VERIFIED
    later = gate.fold(a_lease(DOCUMENT, 2, at), a_reading(at)).gate
    assert asked(later, a_reading(at)) is Refusal.NOT_VERIFIED


def test_oversights_key_revoked_voids_its_states_and_leases() -> None:
    registry = a_registry(a_registered_key("oversight", revoked_at=NOON), without=["oversight"], sequence=2)
    assert asked(a_gate([*RUNNING, a_registry_record(registry)])) is Refusal.NO_LEASE


def test_an_older_registry_does_not_bring_a_revoked_key_back() -> None:
    registry = a_registry(a_registered_key("olu", revoked_at=NOON), without=["olu"], sequence=2)
    gate = a_gate([a_registry_record(registry), *RUNNING])
    assert rejected(gate, RUNNING[0]) is Rejection.OLD
    assert asked(gate) is Refusal.NOT_VERIFIED


def test_a_registry_withheld_shows_in_the_lease() -> None:
    gate = a_gate([*RUNNING[:-1], a_lease(DOCUMENT, registry_sequence=2)])
    assert asked(gate) is Refusal.REGISTRY_BEHIND


def test_a_registry_past_its_time_opens_nothing() -> None:
    registry = a_registry(valid_until=NOON + timedelta(seconds=4))
    gate = a_gate(running(DOCUMENT, registry=registry))
    assert asked(gate) is None
    assert asked(gate, a_reading(NOON + timedelta(seconds=4))) is Refusal.NOT_VERIFIED


def test_a_rotated_oversight_key_goes_on_where_the_old_one_ended() -> None:
    old = a_registered_key("oversight", valid_to=NOON)
    new = a_registered_key("oversight", secret="oversight-2", valid_from=NOON - timedelta(hours=1))
    gate = a_gate(
        [
            a_registry_record(a_registry(old, new, without=["oversight"])),
            *RUNNING[1:-1],
            a_lease(DOCUMENT, by="oversight-2"),
        ]
    )
    assert asked(gate) is None
    assert rejected(gate, a_lease(DOCUMENT, 2)) is Rejection.KEY_NOT_VALID


def test_an_urgent_one_stops_at_its_deadline_unless_it_is_approved_in_full() -> None:
    deadline = NOON + timedelta(seconds=5)
    document = a_document(created_at=START, urgent={"reason": "a threat to life", "deadline": deadline})
    at = START + timedelta(minutes=1)
    states = [
        a_change(document, 1, Move.SUBMIT, at),
        a_change(document, 2, Move.APPROVE, at),
        a_change(document, 3, Move.ACTIVATE, at),
    ]
    gate = a_gate([RUNNING[0], published(document, "ann", "uma", at=at), *states, a_lease(document)])
    assert asked(gate) is None
    assert asked(gate, a_reading(deadline)) is Refusal.NOT_VERIFIED
    lapsed = gate.fold(a_lease(document, 2, deadline), a_reading(deadline)).gate
    assert asked(lapsed, a_reading(deadline)) is Refusal.NOT_VERIFIED
    full = gate.fold(published(document, "ann", "uma", "olu", at=at), a_reading()).gate
    full = full.fold(a_lease(document, 2, deadline), a_reading(deadline)).gate
    assert asked(full, a_reading(deadline)) is None


# States


def test_a_stop_counts_before_the_lease_that_knows_of_it_and_the_lease_before_the_stop() -> None:
    assert asked(a_gate([*RUNNING, STOP], AFTER_STOP), AFTER_STOP) is Refusal.NOT_ACTIVE
    told = a_lease(DOCUMENT, 2, STOPPED_AT, state=State.ENDED, state_sequence=4)
    withheld = a_gate([*RUNNING, told], AFTER_STOP)
    assert asked(withheld, AFTER_STOP) is Refusal.STATE_BEHIND


def test_a_suspended_one_goes_on_by_the_order_of_who_approved_it_only() -> None:
    at = NOON + timedelta(seconds=2)
    suspended = [*RUNNING, a_change(DOCUMENT, 4, Move.SUSPEND, NOON + timedelta(seconds=1))]
    assert asked(a_gate(suspended, a_reading(at)), a_reading(at)) is Refusal.NOT_ACTIVE
    lease = a_lease(DOCUMENT, 2, at, state_sequence=5)
    resumed = [*suspended, a_change(DOCUMENT, 5, Move.RESUME, at), lease]
    assert asked(a_gate(resumed, a_reading(at)), a_reading(at)) is None
    by_pat = a_change(DOCUMENT, 5, Move.RESUME, at, order=an_order(DOCUMENT, 5, Move.RESUME, "pat", at))
    assert asked(a_gate([*suspended, by_pat, lease], a_reading(at)), a_reading(at)) is Refusal.STATE_DISPUTED


def test_what_was_taken_while_it_was_suspended_is_not_searched_once_it_is_resumed() -> None:
    suspended_at, at = NOON + timedelta(seconds=1), NOON + timedelta(seconds=10)
    records = [
        *RUNNING,
        a_change(DOCUMENT, 4, Move.SUSPEND, suspended_at),
        a_change(DOCUMENT, 5, Move.RESUME, at),
        a_lease(DOCUMENT, 2, at, state_sequence=5),
    ]
    gate, now = a_gate(records, a_reading(at)), a_reading(at)
    taken = {
        NOON: None,
        suspended_at: Refusal.NOT_ACTIVE,
        at - timedelta(seconds=1): Refusal.NOT_ACTIVE,
        at: None,
        START: None,
    }
    found = {when: gate.refusal("gate-1", deployment=DOCUMENT.id, at=when, reading=now) for when in taken}
    assert found == taken


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (None, Rejection.ILLEGAL_MOVE),
        (an_order(DOCUMENT, 7, Move.RESUME, "olu", NOON), Rejection.ILLEGAL_MOVE),
        (an_order(DOCUMENT, 5, Move.STOP, "olu", NOON), Rejection.ILLEGAL_MOVE),
        (an_order(DOCUMENT, 5, Move.RESUME, "olu", NOON, digest=sha("x")), Rejection.ILLEGAL_MOVE),
        (an_order(DOCUMENT, 5, Move.RESUME, "sam", NOON), Rejection.WRONG_ROLE),
        (an_order(DOCUMENT, 5, Move.RESUME, "mallory", NOON), Rejection.UNKNOWN_KEY),
        (an_order(DOCUMENT, 5, Move.RESUME, "olu", NOON - timedelta(hours=1)), Rejection.ILLEGAL_MOVE),
    ],
)
def test_a_resumption_without_its_own_order_is_not_believed(order: str | None, why: Rejection) -> None:
    assert rejected(a_gate(), a_change(DOCUMENT, 5, Move.RESUME, NOON, order=order)) is why


def test_oversight_records_no_other_report_than_was_ordered() -> None:
    """Else whoever runs it could have one signed, and keep another."""
    order = an_order(DOCUMENT, 6, Move.REPORT, "sam", END, evidence=sha("the report"))
    for evidence, why in ((sha("the report"), None), (sha("another"), Rejection.ILLEGAL_MOVE)):
        told = a_change(DOCUMENT, 6, Move.REPORT, END, order=order, evidence=evidence)
        assert a_gate().fold(told, a_reading(END)).rejected is why


@pytest.mark.parametrize(
    "attestation",
    [
        None,
        sign(an_attestation(ELSEWHERE), key("eve")),
        sign(an_attestation(DOCUMENT, digest=sha("x")), key("eve")),
        sign(an_attestation(DOCUMENT, signs_up_at=START + timedelta(seconds=1)), key("eve")),
        sign(an_attestation(DOCUMENT), key("rex")),
        sign(an_attestation(DOCUMENT), key("oversight")),
    ],
)
def test_oversight_alone_cannot_make_it_active(attestation: str | None) -> None:
    change = a_change(DOCUMENT, 3, Move.ACTIVATE, START, attestation=attestation)
    gate = a_gate([*RUNNING[:-2], change, RUNNING[-1]])
    assert asked(gate) is Refusal.STATE_BEHIND


def test_a_move_that_does_not_follow_or_goes_back_in_time_disputes_the_chain() -> None:
    skipping = [*RUNNING[:3], a_change(DOCUMENT, 2, Move.ACTIVATE, START), a_lease(DOCUMENT, state_sequence=2)]
    assert asked(a_gate(skipping)) is Refusal.STATE_DISPUTED
    back = [*RUNNING[:-2], a_change(DOCUMENT, 3, Move.ACTIVATE, APPROVED - timedelta(hours=1)), RUNNING[-1]]
    assert asked(a_gate(back)) is Refusal.STATE_DISPUTED


def test_two_moves_under_one_number_close_it_for_good() -> None:
    other = a_change(DOCUMENT, 3, Move.ACTIVATE, START + timedelta(seconds=1))
    gate = a_gate([*RUNNING, other])
    assert asked(gate) is Refusal.STATE_DISPUTED
    assert asked(gate.fold(a_lease(DOCUMENT, 2), a_reading()).gate) is Refusal.STATE_DISPUTED


# The lease


def test_a_lease_withheld_stops_the_search_within_ten_seconds() -> None:
    gate = a_gate()
    assert asked(gate, a_reading(NOON + timedelta(seconds=9.9))) is None
    assert asked(gate, a_reading(NOON + timedelta(seconds=10))) is Refusal.LEASE_STALE


def test_after_a_pause_nothing_but_a_lease_signed_since_opens_it_again() -> None:
    """A matcher that was stopped for some seconds searched on by the lease it had, over a stop it had not read."""
    gate = a_gate().looked(a_reading(NOON))
    assert asked(gate, a_reading(NOON + timedelta(seconds=0.9))) is None
    woken = a_reading(NOON + timedelta(seconds=3))
    assert asked(gate, woken) is Refusal.LEASE_STALE  # the follower has not woken yet
    back = gate.looked(woken)
    assert asked(back, woken) is Refusal.LEASE_STALE
    buffered = back.fold(a_lease(DOCUMENT, 2, NOON + timedelta(seconds=2)), woken).gate
    assert asked(buffered, woken) is Refusal.LEASE_STALE
    later = a_reading(NOON + timedelta(seconds=3.8))
    heard = buffered.fold(a_lease(DOCUMENT, 3, NOON + timedelta(seconds=3.5)), later).gate.looked(later)
    assert asked(heard, later) is None


def test_a_lease_played_again_makes_nothing_younger() -> None:
    late = a_reading(NOON + timedelta(seconds=11))
    gate = a_gate().fold(RUNNING[-1], late).gate
    assert asked(gate, late) is Refusal.LEASE_STALE
    fresh = a_gate([*RUNNING, a_lease(DOCUMENT, 2, NOON + timedelta(seconds=10))], late)
    assert asked(fresh, late) is None
    assert rejected(fresh, RUNNING[-1], late) is Rejection.OLD


def test_two_leases_of_one_number_open_nothing_until_the_next() -> None:
    gate = a_gate([*RUNNING, a_lease(DOCUMENT, 1, NOON + timedelta(seconds=1))])
    assert asked(gate) is Refusal.LEASE_FORKED
    assert asked(gate.fold(a_lease(DOCUMENT, 2, NOON), a_reading()).gate) is None


def test_a_lease_says_no_as_soon_as_oversight_does() -> None:
    gate = a_gate([*RUNNING, STOP, a_lease(DOCUMENT, 2, NOON, state=State.ENDED, state_sequence=4)], AFTER_STOP)
    assert asked(gate, AFTER_STOP) is Refusal.NOT_ACTIVE
    lying = a_gate([*RUNNING, STOP, a_lease(DOCUMENT, 2, NOON, state_sequence=4)], AFTER_STOP)
    assert asked(lying, AFTER_STOP) is Refusal.STATE_DISPUTED


# Revocations


def test_a_revoked_entry_is_off_at_once_in_any_order_and_for_good() -> None:
    records, head = revocations(DOCUMENT, *TOKENS)
    lease = a_lease(DOCUMENT, 2, revocations=3, revocations_head=head)
    gate = a_gate([*RUNNING, *reversed(records), *records, lease])
    assert gate.revoked(DOCUMENT.watchlist.digest) == set(TOKENS)
    assert gate.revoked(sha("another list")) == frozenset()
    assert asked(gate) is None


def test_a_revocation_withheld_shows_in_the_lease() -> None:
    records, head = revocations(DOCUMENT, *TOKENS)
    lease = a_lease(DOCUMENT, 2, revocations=3, revocations_head=head)
    for missing in range(3):
        some = [record for index, record in enumerate(records) if index != missing]
        assert asked(a_gate([*RUNNING, *some, lease])) is Refusal.REVOCATIONS_BEHIND
    assert asked(a_gate([*RUNNING, a_lease(DOCUMENT, 2, revocations=0, revocations_head=head)])) is not None


def test_two_revocations_under_one_number_close_it_and_both_count() -> None:
    (first,), _ = revocations(DOCUMENT, TOKENS[0])
    (other,), _ = revocations(DOCUMENT, TOKENS[1])
    gate = a_gate([*RUNNING, first, other])
    assert gate.revoked(DOCUMENT.watchlist.digest) == set(TOKENS[:2])
    assert asked(gate) is Refusal.REVOCATIONS_DISPUTED


# The clock


@pytest.mark.parametrize("state", [ClockState.UNSYNCHRONISED, ClockState.UNKNOWN])
def test_a_clock_that_is_not_synchronised_closes_it_unless_the_authority_accepts_that_state(
    state: ClockState,
) -> None:
    reading = a_reading(state=state)
    assert asked(a_gate(), reading) is Refusal.CLOCK_NOT_ACCEPTED
    accepting = a_document(clock={"accepts": ["synchronised", state], "reason": "no NTP on the site"})
    assert asked(a_gate(running(accepting)), reading) is None


@pytest.mark.parametrize("step_s", [-3600.0, -5.0, 5.0, 3600.0])
def test_a_clock_that_stepped_closes_it_and_a_settled_one_opens_it_again(step_s: float) -> None:
    gate = a_gate()
    stepped = a_reading(NOON + timedelta(seconds=1), monotonic_skew_s=step_s)
    assert asked(gate, stepped) is Refusal.CLOCK_STEPPED
    later = NOON + timedelta(seconds=20)
    before = a_reading(later, monotonic_skew_s=step_s)
    gate = gate.fold(a_lease(DOCUMENT, 2, NOON + timedelta(seconds=1)), stepped).gate
    gate = gate.fold(a_lease(DOCUMENT, 3, later), before).gate
    # Where oversight's clock went back with ours, its leases are old by the pace it kept before: shut, rather.
    assert asked(gate, before) is (Refusal.LEASE_STALE if step_s > 10 else None)


def test_a_clock_set_back_after_the_end_does_not_open_the_window_again() -> None:
    gate = a_gate([*RUNNING, a_lease(DOCUMENT, 2, END)], a_reading(END))
    set_back = a_reading(NOON, monotonic_skew_s=(END - NOON).total_seconds() + 1)
    assert gate.standing(set_back) is Refusal.CLOCK_STEPPED
    assert asked(gate.fold(a_lease(DOCUMENT, 3), set_back).gate, set_back) is not None


def test_a_record_from_the_future_waits_for_its_time() -> None:
    at = NOON + timedelta(seconds=8)
    early = a_gate().fold(a_lease(DOCUMENT, 3, at), a_reading())
    assert early.rejected is Rejection.FUTURE
    assert asked(early.gate) is None
    then = early.gate.fold(a_lease(DOCUMENT, 2, at - timedelta(seconds=1)), a_reading(at)).gate
    held = then.beliefs.held
    assert held is not None
    assert held.lease.sequence == 3
    assert asked(then, a_reading(at + timedelta(seconds=1))) is None
    on_time = then.fold(a_lease(DOCUMENT, 4, at + timedelta(seconds=9)), a_reading(at + timedelta(seconds=9))).gate
    assert asked(on_time, a_reading(at + timedelta(seconds=12))) is None


# Alerts, by review


def judged(gate: Gate, searched_at: datetime, **changes: object) -> Refusal | None:
    about: dict[str, object] = {
        "deployment": "oxford-street-1",
        "camera": "gate-1",
        "captured_at": searched_at,
        "list_digest": DOCUMENT.watchlist.digest,
        "tokens": frozenset(TOKENS[:1]),
    }
    return gate.refusal_of_alert(searched_at=searched_at, **(about | changes))  # type: ignore[arg-type]


def test_an_alert_searched_before_the_stop_may_still_be_judged_and_none_after_it() -> None:
    gate = a_gate([*RUNNING, STOP], AFTER_STOP)
    assert judged(gate, STOPPED_AT - timedelta(microseconds=1)) is None
    assert judged(gate, STOPPED_AT) is Refusal.NOT_ACTIVE
    assert judged(gate, START - timedelta(microseconds=1)) is Refusal.NOT_ACTIVE


def test_an_alert_of_a_face_taken_while_suspended_is_not_shown_however_late_it_was_searched() -> None:
    """A match that heard of a suspension after its end searched what was taken meanwhile, and review showed it."""
    began, ended = NOON - timedelta(minutes=2), NOON - timedelta(minutes=1)
    gate = a_gate(
        [
            *RUNNING,
            a_change(DOCUMENT, 4, Move.SUSPEND, began),
            a_change(DOCUMENT, 5, Move.RESUME, ended),
            a_lease(DOCUMENT, 2, NOON, state_sequence=5),
        ]
    )
    assert judged(gate, NOON, captured_at=began) is Refusal.NOT_ACTIVE
    assert judged(gate, NOON, captured_at=ended - timedelta(seconds=1)) is Refusal.NOT_ACTIVE
    assert judged(gate, NOON, captured_at=began - timedelta(seconds=1)) is None
    assert judged(gate, NOON, captured_at=ended) is None


def test_an_alert_by_a_version_that_a_later_one_replaced_is_not_shown() -> None:
    """Nobody ended the first: the second's beginning did."""
    second = a_document(version=2, supersedes=DOCUMENT.digest, cameras=[a_camera("gate-2")])
    began = NOON - timedelta(minutes=10)
    states = (
        a_change(second, 1, Move.SUBMIT, WRITTEN),
        a_change(second, 2, Move.APPROVE, APPROVED),
        a_change(second, 3, Move.ACTIVATE, began),
    )
    gate = a_gate([*RUNNING, published(second), *states, a_lease(second)])
    assert judged(gate, began - timedelta(seconds=1)) is None
    assert judged(gate, began) is Refusal.UNKNOWN_CAMERA
    suspended = gate.fold(a_change(second, 4, Move.SUSPEND, NOON), a_reading()).gate
    assert judged(suspended, NOON) is Refusal.NOT_ACTIVE


def test_an_alert_of_another_list_camera_or_of_a_revoked_entry_is_not_shown() -> None:
    records, _ = revocations(DOCUMENT, TOKENS[0])
    gate = a_gate([*RUNNING, *records])
    assert judged(gate, NOON) is Refusal.ENTRY_REVOKED
    assert judged(gate, NOON, tokens=frozenset(TOKENS[1:])) is None
    assert judged(gate, NOON, list_digest=sha("x")) is Refusal.LIST_NOT_ADMITTED
    assert judged(gate, NOON, camera="gate-9") is Refusal.UNKNOWN_CAMERA
    assert judged(gate, NOON, deployment="oxford-street-2") is Refusal.OTHER_DEPLOYMENT


# Limits


def test_a_flood_of_records_by_nobody_takes_no_memory() -> None:
    gate = a_gate()
    for number in range(200):
        gate = gate.fold(a_lease(DOCUMENT, number + 1, by=f"nobody-{number % 80}"), a_reading()).gate
    assert len(gate.beliefs.waiting) <= 64
    assert asked(gate) is None


def test_a_registry_that_comes_after_a_day_of_leases_and_other_deployments_still_opens_it() -> None:
    """The topic is compacted: a registry that was renewed lies behind all that is judged by it."""
    leases = [a_lease(DOCUMENT, sequence, START) for sequence in range(1, 80)]
    others = [a_change(a_document(id=f"elsewhere-{n}"), 1, Move.SUBMIT, WRITTEN) for n in range(80)]
    assert asked(a_gate([*RUNNING[1:-1], *others, *leases, a_lease(DOCUMENT, 99), RUNNING[0]])) is None


def test_more_revocations_than_a_day_has_still_count_when_the_registry_comes_after_them() -> None:
    off, head = revocations(DOCUMENT, *(sha(str(number))[:32] for number in range(300)))
    registry, *others, _ = RUNNING
    lease = a_lease(DOCUMENT, revocations=len(off), revocations_head=head)
    assert asked(a_gate([*others, *off, registry, lease])) is None


def test_the_same_said_in_many_records_takes_no_memory() -> None:
    gate = a_gate()
    record = published(DOCUMENT)
    for number in range(100):
        gate = gate.fold(replace(record, approvals=(*record.approvals, f"junk-{number}")), a_reading()).gate
    assert len(gate.beliefs.believed) == len(RUNNING)
    flood = replace(record, approvals=("junk",) * 1000)
    assert rejected(gate, flood) is Rejection.MALFORMED
    assert asked(gate) is None


def test_an_approval_that_came_with_junk_keeps_no_later_one_out() -> None:
    second = a_registry(a_registered_key("olu", revoked_at=NOON), without=["olu"], sequence=2)
    crowded = replace(published(DOCUMENT), approvals=(*published(DOCUMENT).approvals, *map(str, range(62))))
    gate = a_gate([RUNNING[0], crowded, published(DOCUMENT, "ann", "pat"), *RUNNING[2:]])
    current = gate.current(a_reading())
    assert current is not None
    assert current.approvers == {"olu", "pat"}
    assert asked(gate.fold(a_registry_record(second), a_reading()).gate) is None


def test_two_registries_of_one_number_open_nothing_until_the_next() -> None:
    forked = a_gate([*RUNNING, a_registry_record(a_registry(without=["pat"]))])
    assert asked(forked) is Refusal.REGISTRY_FORKED
    later = a_registry_record(a_registry(sequence=2))
    assert asked(forked.fold(later, a_reading()).gate) is None


def test_leases_take_no_memory() -> None:
    gate = a_gate()
    for sequence in range(2, 100):
        gate = gate.fold(a_lease(DOCUMENT, sequence), a_reading()).gate
    assert len(gate.beliefs.believed) == len(RUNNING)


def test_an_exercise_runs_like_any_other_and_admits_its_files() -> None:
    exercise = an_exercise(cameras=[a_camera("gate-1", source="file", host=None)])
    assert asked(a_gate(running(exercise))) is None


@pytest.mark.parametrize(
    ("document", "people", "why"),
    [
        (DOCUMENT, ("ann",), Rejection.NOT_APPROVED),
        (a_document(equity=None), ("ann", "olu"), Rejection.BREAKS_RULES),
        (ELSEWHERE, ("ann", "olu"), Rejection.OTHER_DEPLOYMENT),
    ],
)
def test_what_is_not_believed_says_why(document: Document, people: tuple[str, ...], why: Rejection) -> None:
    assert rejected(a_gate(without(DocumentPublished)), published(document, *people)) is why
    early = Rejection.OTHER_DEPLOYMENT if document is ELSEWHERE else Rejection.NO_REGISTRY
    assert rejected(a_gate([]), published(document, *people)) is early


def test_the_registry_of_another_root_is_not_believed() -> None:
    mallory = a_registry(root=key("mallory").public, sequence=9)
    assert rejected(a_gate(), RegistryIssued(sign_registry(mallory, key("mallory")))) is Rejection.BAD_SIGNATURE


@settings(max_examples=40)
@given(
    gaps_s=st.lists(st.integers(1, 600), min_size=0, max_size=6),
    asked_s=st.lists(st.floats(-60, 3600), min_size=1, max_size=20),
)
def test_what_was_taken_is_judged_by_what_was_in_force_then_in_whatever_order_it_is_asked(
    gaps_s: list[int], asked_s: list[float]
) -> None:
    """Suspended and resumed in turn: the answer of one period is never given for another."""
    moves = [START + timedelta(seconds=sum(gaps_s[: count + 1])) for count in range(len(gaps_s))]
    states = [
        a_change(DOCUMENT, 4 + count, (Move.SUSPEND, Move.RESUME)[count % 2], at) for count, at in enumerate(moves)
    ]
    gate = a_gate([*RUNNING, *states])
    for at in (*(START + timedelta(seconds=second) for second in asked_s), *moves):
        moved = sum(one <= at for one in moves)
        expected = None if at >= START and moved % 2 == 0 else Refusal.NOT_ACTIVE
        assert judged(gate, at) is expected
        assert gate.beliefs.ruling.refusal("gate-1", at) is (Refusal.OUTSIDE_WINDOW if at < START else expected)

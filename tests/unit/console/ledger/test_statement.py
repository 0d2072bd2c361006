"""A deployment's statement: it adds up, or it says where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from console.ledger.cases import outcomes
from console.ledger.read import read_statement
from console.ledger.statement import Statement, state
from console.ledger.table import as_json
from services.contracts import codec, ids
from services.contracts.counts import Count
from services.contracts.decisions import CaseDecided, CaseEvent, CaseExpired, CaseOpened, DecisionSuperseded
from services.contracts.events import CameraGap, CaseOutcome, Event, StageCounts
from tests.builders import CAMERA, DEPLOYMENT, NOON

CASE = ids.CaseId("c" * 32)
SHARED = {"deployment": DEPLOYMENT, "trace_id": "", "captured_at": NOON}


def opened(case: str = CASE) -> CaseOpened:
    return CaseOpened(
        **SHARED,  # type: ignore[arg-type]
        case=ids.CaseId(case),
        alert=ids.AlertId("a"),
        subject=ids.SubjectToken("s"),
        camera=CAMERA,
        track=ids.TrackId("t"),
        list_digest="d",
        opened_at=NOON,
        expires_at=NOON + timedelta(minutes=2),
    )


def decided(outcome: CaseOutcome = CaseOutcome.NO_ACTION, *, round_: int = 1) -> CaseDecided:
    return CaseDecided(**SHARED, case=CASE, round=round_, outcome=outcome, decided_at=NOON, judgements=2)  # type: ignore[arg-type]


def superseded(to: str) -> DecisionSuperseded:
    return DecisionSuperseded(
        **SHARED,  # type: ignore[arg-type]
        case=CASE,
        round=1,
        from_outcome="agreed_match",
        to_outcome=to,
        reason="wrong person",
        by=("p",),
        superseded_at=NOON,
    )


def counted(stage: str, totals: dict[str, int], **changes: object) -> StageCounts:
    values: dict[str, object] = {"incarnation": "one", "standing": {}, "final": True} | changes
    return StageCounts(
        **SHARED,  # type: ignore[arg-type]
        stage=stage,
        totals={(name, ""): value for name, value in totals.items()},
        **values,  # type: ignore[arg-type]
    )


WHOLE: tuple[StageCounts, ...] = (
    counted("ingest", {"frames_read": 60, "frames_not_sampled": 50, "frames_sampled": 10, "frames_published": 10}),
    counted(
        "embed",
        {
            "frames_received": 10,
            "frames_decoded": 10,
            "frames_with_face": 4,
            "frames_without_face": 6,
            "tracks_started": 2,
            "tracks_usable": 2,
            "faces_published": 2,
        },
    ),
    counted("match", {"faces_received": 2, "faces_searched": 2, "faces_alerted": 1, "faces_below_threshold": 1}),
    counted("match", {"alerts_published": 1}, incarnation="two"),
    counted("review", {"alerts_received": 1, "alerts_opened_case": 1}),
)
DECIDED: tuple[CaseEvent, ...] = (opened(), decided())


def stated(
    events: Iterable[Event] = WHOLE,
    cases: Iterable[CaseEvent] = DECIDED,
    in_flight: Mapping[str, int] | None = None,
) -> Statement:
    return state(DEPLOYMENT, events, cases, in_flight or {})


def broken(statement: Statement) -> set[Count]:
    return {line.arrow.whole for line in statement.lines if line.gap}


def test_a_deployment_whose_every_frame_face_and_alert_is_accounted_for_reconciles() -> None:
    assert stated().reconciles


def test_a_lost_alert_is_named_by_its_arrow() -> None:
    assert broken(stated([event for event in WHOLE if event.stage != "review"], ())) == {Count.ALERTS_PUBLISHED}


def test_what_lies_on_the_topic_between_is_in_flight_and_not_lost() -> None:
    unread = [event for event in WHOLE if event.stage != "review"]
    assert stated(unread, (), {"alerts": 1}).reconciles


def test_one_record_too_many_in_flight_does_not_reconcile_either() -> None:
    assert broken(stated(in_flight={"frames": 1})) == {Count.FRAMES_PUBLISHED}


def test_a_case_that_review_opened_and_nobody_recorded_is_found() -> None:
    assert broken(stated(cases=())) == {Count.ALERTS_OPENED_CASE}


def test_another_deployments_figures_are_left_out() -> None:
    other = counted("embed", {"frames_decoded": 99})
    moved = StageCounts(**{**vars(other), "deployment": ids.DeploymentId("regent-street-1")})
    assert stated([*WHOLE, moved]).totals[Count.FRAMES_DECODED] == 10


def test_a_gap_published_twice_is_one_gap() -> None:
    gap = CameraGap(
        **SHARED,  # type: ignore[arg-type]
        camera=CAMERA,
        run="gate-1.1.1",
        began_at=NOON - timedelta(seconds=9),
        reason="stalled",
    )
    assert stated([*WHOLE, gap, gap]).gaps == {"stalled": 1}


def test_the_machines_copy_says_the_same() -> None:
    told = as_json(stated())
    assert told["reconciles"] is True
    assert told["counts"]["frames_read"] == 60
    assert told["reasons"] == {"cases_decided:no_action": 1}


def test_a_repeated_decision_is_one_decision() -> None:
    assert outcomes([opened(), opened(), decided(), decided()]) == {"no_action": 1}


def test_a_superseded_match_is_no_action() -> None:
    assert outcomes([opened(), decided(CaseOutcome.AGREED_MATCH), superseded("no_action")]) == {"no_action": 1}


def test_a_reopened_case_is_open_until_fresh_reviewers_decide() -> None:
    reopened = [opened(), decided(), superseded("reopened")]
    assert outcomes(reopened) == {"": 1}
    assert outcomes([*reopened, decided(CaseOutcome.AGREED_MATCH, round_=2)]) == {"agreed_match": 1}


def test_an_event_that_a_second_relay_repeats_late_changes_nothing() -> None:
    told = [opened(), decided(), superseded("reopened")]
    assert outcomes([*told, opened(), decided()]) == {"": 1}


def test_a_case_nobody_decided_counts_as_expired_and_never_as_a_match() -> None:
    expired = CaseExpired(**SHARED, case=CASE, round=1, expired_at=NOON, judgements=1)  # type: ignore[arg-type]
    assert outcomes([opened(), expired]) == {"expired": 1}


class Moving:
    """A cluster on which the review stage catches up between two looks."""

    def __init__(self) -> None:
        self.looks = 0

    def values(self, topic: str) -> Iterable[bytes]:
        self.looks += topic == "counts"
        if topic == "decisions":
            return [codec.encode(event, topic=topic) for event in DECIDED]
        late = WHOLE if self.looks > 2 else WHOLE[:-1]
        return [codec.encode(event, topic=topic) for event in late]

    def unread(self, topic: str, group: str) -> int:
        return 0


def test_figures_that_move_are_read_again_until_they_stand_still() -> None:
    moving = Moving()
    assert read_statement(moving, DEPLOYMENT).reconciles
    assert moving.looks > 2

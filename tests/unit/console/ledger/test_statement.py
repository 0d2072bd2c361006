"""A deployment's statement: it adds up, or it says where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from console.ledger.cases import outcomes
from console.ledger.crossing import Ahead
from console.ledger.read import read_statement
from console.ledger.statement import Line, Read, Statement, state
from console.ledger.table import as_json
from services.contracts import codec, ids
from services.contracts.counts import Count
from services.contracts.decisions import CaseDecided, CaseEvent, CaseExpired, CaseOpened, DecisionSuperseded
from services.contracts.events import CameraGap, CaseOutcome, Event, StageCounts
from services.contracts.places import Log, Place
from services.runtime import counts_topic
from services.runtime.kafka.types import Output, Record
from tests.builders import CAMERA, DEPLOYMENT, NOON
from tests.proofs import ROOT_FINGERPRINT, a_record, registry_record

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
        totals={(name.partition(":")[0], name.partition(":")[2]): value for name, value in totals.items()},
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
            "faces_given:0-3": 2,
        },
    ),
    counted(
        "match",
        {
            "faces_received": 2,
            "faces_searched": 2,
            "faces_alerted": 1,
            "faces_below_threshold": 1,
            "faces_passed:0-3": 2,
        },
    ),
    counted("match", {"alerts_published": 1, "alerts_given:3-5": 1}, incarnation="two"),
    counted("review", {"alerts_received": 1, "alerts_opened_case": 1, "alerts_passed:3-5": 1}),
)
DECIDED: tuple[CaseEvent, ...] = (opened(), decided())


def stated(
    events: Iterable[Event] = WHOLE,
    cases: Iterable[CaseEvent] = DECIDED,
    ahead: Mapping[str, Ahead] | None = None,
    later: Iterable[Event] | None = None,
) -> Statement:
    return state(DEPLOYMENT, Read(events, ahead or {}, cases, events if later is None else later))


def an_alert(number: int) -> Record:
    place = Place(DEPLOYMENT, 3, number)
    return Record("alerts", 5, 2 * number, None, b"", (place.header(),), 0)


def ahead(*alerts: Record, first: int = 0, committed: int = 0) -> dict[str, Ahead]:
    """What lies on `alerts` from where review stands."""
    return {"alerts": Ahead({5: Log(first=first, end=9, committed=committed)}, alerts)}


def broken(statement: Statement) -> set[Count]:
    return {line.arrow.whole for line in statement.lines if line.gap}


def test_a_deployment_whose_every_frame_face_and_alert_is_accounted_for_reconciles() -> None:
    assert stated().reconciles


def test_a_lost_alert_is_named_by_its_arrow() -> None:
    assert broken(stated([event for event in WHOLE if event.stage != "review"], ())) == {Count.ALERTS_PUBLISHED}


def test_what_lies_on_the_topic_between_is_in_flight_and_not_lost() -> None:
    unread = [event for event in WHOLE if event.stage != "review"]
    found = stated(unread, (), ahead(an_alert(1)))
    assert found.reconciles
    assert of(found, Count.ALERTS_PUBLISHED).in_flight == 1


def test_what_kafka_deleted_unread_is_named_and_adds_up() -> None:
    unread = [event for event in WHOLE if event.stage != "review"]
    found = stated(unread, (), ahead(first=4))
    assert found.reconciles
    assert (of(found, Count.ALERTS_PUBLISHED).deleted, found.alerts_lost) == (1, 1)


def test_a_strangers_offset_that_kafka_deleted_unread_is_no_frame_of_ours() -> None:
    """Embed counts by offsets: what somebody wrote to `frames` while it was away was a frame deleted unread."""
    embed = {which[0]: value for which, value in WHOLE[1].totals.items() if which[0] != "faces_given"}
    lost = embed | {"frames_received": 7, "frames_decoded": 7, "frames_without_face": 3, "faces_given:0-3": 2}
    for skipped, counts_as in ((3, 3), (9, 3)):
        found = stated([WHOLE[0], counted("embed", lost | {"frames_skipped": skipped}), *WHOLE[2:]])
        assert found.reconciles
        assert found.totals[Count.FRAMES_SKIPPED] == counts_as
    too_few = stated([WHOLE[0], counted("embed", lost | {"frames_skipped": 2}), *WHOLE[2:]])
    assert broken(too_few) == {Count.FRAMES_PUBLISHED}
    too_many = stated(
        [WHOLE[0], counted("embed", embed | {"frames_received": 12, "faces_given:0-3": 2}), *WHOLE[2:]]
    )
    assert Count.FRAMES_PUBLISHED in broken(too_many)


def test_what_is_on_no_topic_and_was_not_deleted_is_missing() -> None:
    """A record that vanished while its partition's beginning stands where it stood is no retention."""
    unread = [event for event in WHOLE if event.stage != "review"]
    assert broken(stated(unread, (), ahead())) == {Count.ALERTS_PUBLISHED}


def test_a_deletion_of_markers_alone_loses_nothing() -> None:
    """Finding A1: the group stands at a transaction's marker, and the topic begins behind it."""
    found = stated(ahead=ahead(first=3, committed=1))
    assert found.reconciles
    assert not any(line.in_flight or line.deleted for line in found.lines)


def test_alerts_that_review_found_deleted_are_carried_by_the_arrow() -> None:
    review = counted("review", {"alerts_skipped": 1, "alerts_passed:3-5": 1})
    found = stated([*WHOLE[:-1], review], ())
    assert found.reconciles
    assert found.alerts_lost == 1


def test_alerts_that_review_finds_deleted_while_it_is_asked_are_lost_and_not_on_their_way() -> None:
    """Between the two looks at the counts they lay nowhere, and the statement had them in flight."""
    before, after = counted("review", {}), counted("review", {"alerts_skipped": 1, "alerts_passed:3-5": 1})
    found = stated([*WHOLE[:-1], before], (), ahead(first=9, committed=9), [*WHOLE[:-1], after])
    assert found.reconciles
    assert (of(found, Count.ALERTS_PUBLISHED).in_flight, found.alerts_lost) == (0, 1)


def test_a_face_too_many_in_the_counts_is_found() -> None:
    """Somebody wrote a count of their own: no number in a lane answers for it."""
    more = counted("embed", {"faces_published": 3}, incarnation="stranger")
    assert broken(stated([*WHOLE, more])) == {Count.FACES_PUBLISHED}


def test_a_case_that_is_told_before_its_count_is_read_is_moving() -> None:
    """K3: the decisions are read after the counts, and the deployment runs on meanwhile."""
    found = stated([*WHOLE[:-1], counted("review", {"alerts_received": 0})], DECIDED, ahead(an_alert(1)), WHOLE)
    assert found.reconciles
    assert of(found, Count.ALERTS_OPENED_CASE).moving == -1


def test_a_case_that_waits_in_the_outbox_is_in_flight() -> None:
    waiting = counted(
        "review",
        {"alerts_received": 1, "alerts_opened_case": 1, "alerts_passed:3-5": 1},
        standing={("events_waiting", ""): 1},
    )
    found = stated([*WHOLE[:-1], waiting], ())
    assert found.reconciles
    assert of(found, Count.ALERTS_OPENED_CASE).in_flight == 1


def of(statement: Statement, whole: Count) -> Line:
    return next(line for line in statement.lines if line.arrow.whole is whole)


def test_the_last_word_of_a_run_stands_against_what_its_frames_could_not_know() -> None:
    """A frame that was sent and did not arrive: the frame behind it says that three were published."""
    early = {"frames_read": 30, "frames_sampled": 3, "frames_not_sampled": 27, "frames_published": 3}
    last = early | {"frames_published": 2, "frames_dropped:_MSG_TIMED_OUT": 1}
    found = stated([counted("ingest", early, final=False), counted("ingest", last)], ())
    assert broken(found) == {Count.FRAMES_PUBLISHED}
    assert found.totals[Count.FRAMES_PUBLISHED] == 2


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


def told(event: StageCounts, *, by: str | None) -> Record:
    """As it lies on `counts`, signed by that service, or by nobody."""
    return a_record(counts_topic.output(event), by=by)


class Cluster:
    """A cluster on which a record is deleted while the first look is going on."""

    def __init__(self, *strangers: StageCounts) -> None:
        self.looks = 0
        self.strangers = strangers
        self.told: Sequence[StageCounts] = WHOLE
        self.unread: Sequence[Record] = ()

    def values(self, topic: str) -> Iterable[bytes]:
        if topic == "authority":
            return [registry_record()]
        return [codec.encode(event, topic=topic) for event in DECIDED]

    def records(self, topic: str) -> Iterable[Record]:
        self.looks += 1
        late = self.told if self.looks > 2 else WHOLE[:-1]
        return [told(one, by=None) for one in self.strangers] + [told(one, by=one.stage) for one in late]

    def stands(self, topic: str, group: str) -> dict[int, int | None]:
        return {5: 0}

    def ahead(self, topic: str, stands: Mapping[int, int | None]) -> tuple[Mapping[int, Log], Iterable[Record]]:
        return {5: Log(first=0, end=9, committed=stands[5])}, self.unread if topic == "alerts" else ()


def test_what_does_not_add_up_is_looked_at_again_and_a_strangers_record_says_nothing() -> None:
    moving = Cluster(counted("match", {"faces_searched": 4}, incarnation="stranger"))
    found = read_statement(moving, DEPLOYMENT, root=ROOT_FINGERPRINT)
    assert found.reconciles
    assert moving.looks > 2
    assert (found.foreign, as_json(found)["foreign"]) == (1, 1)


def test_a_record_that_its_writer_did_not_sign_is_not_in_flight() -> None:
    """Whoever wrote one under the number of a lost alert had the statement say that it was on its way."""
    place = Place(DEPLOYMENT, 3, 1)
    lost = Output("alerts", b"k", b"", 5, (place.header(),))
    cluster = Cluster()
    cluster.told = WHOLE[:-1]
    for by, in_flight in ((None, 0), ("embed", 0), ("match", 1)):
        cluster.unread = [a_record(lost, by=by)]
        found = of(read_statement(cluster, DEPLOYMENT, root=ROOT_FINGERPRINT), Count.ALERTS_PUBLISHED)
        assert (found.in_flight, found.gap) == (in_flight, 1 - in_flight)

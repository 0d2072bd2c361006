"""review as processes on Apache Kafka and two Redis servers: nothing lost, nothing told twice, killed or not."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from console.stack.kafka import KafkaCluster
from services.contracts.authorisation.enums import Move
from services.contracts.counts import Count
from services.contracts.decisions import AlertFolded, AlertJudged, CaseDecided, CaseOpened
from tests.integration.review.world import PEOPLE, Review, Reviewer, World
from tests.integration.running import WITHIN_S, answer
from tests.support import eventually


@pytest.fixture
def world(kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path) -> Iterator[World]:
    made = World(kafka.bootstrap, redis_volatile, redis_durable, tmp_path)
    yield made
    made.close()


def cases_opened(world: World) -> list[str]:
    return [event.case for event in world.decisions() if isinstance(event, CaseOpened)]


def decide(review: Review, case: str, *judgements: str) -> str:
    """By ann and ben, at one instance."""
    state = ""
    for user, judgement in zip(("ann", "ben"), judgements, strict=True):
        with closing(Reviewer(review.grpc_port, user)) as person:
            state = person.judge(case, judgement)
    return state


def test_alerts_become_cases_people_decide_and_the_counts_add_up(world: World) -> None:
    subjects = [world.subject(number) for number in (1, 2)]
    with world.review() as review:
        world.feed(
            world.alert(subjects[0], 0),
            world.alert(subjects[0], 1),
            world.alert(subjects[0], 0, revision=2),
            world.alert(subjects[1], 2),
        )
        cases = eventually(
            lambda: found if len(found := cases_opened(world)) == 2 else [], "two cases", within_s=WITHIN_S
        )
        assert decide(review, cases[0], "match", "match") == "agreed_match"
        assert decide(review, cases[1], "match", "cannot_tell") == "no_action"
        assert answer(review.web_port, "/sign-in")[0] == 200
        assert review.stop() == 0, review.log.read_text()
    events = world.decisions()
    kinds = [type(event) for event in events]
    assert (kinds.count(CaseOpened), kinds.count(AlertFolded)) == (2, 1)
    assert (kinds.count(AlertJudged), kinds.count(CaseDecided)) == (4, 2)
    totals = world.tally().totals
    assert totals[Count.ALERTS_RECEIVED] == 4
    assert (totals[Count.ALERTS_OPENED_CASE], totals[Count.ALERTS_FOLDED]) == (2, 2)


def test_who_is_let_go_by_the_file_or_by_the_root_is_out_within_seconds_with_their_live_queue(
    world: World,
) -> None:
    """The people file was read once, and a stream never looked at its session: who was let go saw every case."""
    with world.review() as review, ExitStack() as people:
        ann, ben, cat = (people.enter_context(closing(Reviewer(review.grpc_port, user))) for user in PEOPLE)
        anns, bens, cats = ann.watch(), ben.watch(), cat.watch()
        world.list_people("ben", "cat")
        assert ann.who_am_i() is grpc.StatusCode.UNAUTHENTICATED
        assert anns.code() is grpc.StatusCode.UNAUTHENTICATED
        world.signed.enrol(world.key_of("ben", revoked_at=datetime.now(UTC)))
        assert bens.code() is grpc.StatusCode.UNAUTHENTICATED
        assert ben.who_am_i() is grpc.StatusCode.UNAUTHENTICATED
        assert cat.who_am_i() is grpc.StatusCode.OK
        with pytest.raises(grpc.RpcError):
            Reviewer(review.grpc_port, "ann")
        cats.cancel()


def test_alerts_outside_the_authority_are_refused_whenever_they_come_and_counted(world: World) -> None:
    in_order, unknown, late, off = (world.subject(number) for number in range(4))
    alerts = [world.alert(in_order, 0), world.alert(unknown, 1, camera="gate-9"), world.alert(off, 2)]
    world.signed.revoke(off)
    world.signed.move(Move.STOP)
    alerts.append(world.alert(late, 3))
    world.feed(*alerts)
    with world.review():
        eventually(
            lambda: world.tally().totals[Count.ALERTS_RECEIVED] == 4, "four alerts counted", within_s=WITHIN_S
        )
    counted = world.tally()
    assert len(cases_opened(world)) == counted.totals[Count.ALERTS_OPENED_CASE] == 1
    assert counted.reasons == {
        (Count.ALERTS_REFUSED, "unknown_camera"): 1,
        (Count.ALERTS_REFUSED, "entry_revoked"): 1,
        (Count.ALERTS_REFUSED, "not_active"): 1,
    }


def test_an_alert_that_overtakes_what_it_was_searched_under_waits_for_it(world: World) -> None:
    # Taken while the authority stood: only when it was searched is not known up to yet.
    taken = datetime.now(UTC)
    world.signed.move(Move.SUSPEND)
    with world.review() as review:
        searched = datetime.now(UTC) + timedelta(seconds=5)
        ahead = world.alert(world.subject(1), 1, captured_at=taken, searched_at=searched)
        world.feed(ahead)
        name = "signpost_review_retries_total"
        eventually(lambda: review.metric(name) > 0, "it to wait", within_s=WITHIN_S)
        assert not cases_opened(world)
        world.signed.move(Move.RESUME)
        eventually(lambda: len(cases_opened(world)) == 1, "its case", within_s=WITHIN_S)


@pytest.mark.parametrize(
    ("point", "times"),
    [
        ("before_outbox_produce", 1),
        ("before_outbox_remove", 1),
        ("before_outbox_remove", 3),
        ("before_commit", 1),
        ("after_commit", 1),
    ],
)
def test_a_review_killed_at_any_point_loses_and_doubles_nothing(world: World, point: str, times: int) -> None:
    subjects = [world.subject(number) for number in range(6)]
    alerts = [world.alert(subject, number) for number, subject in enumerate(subjects)]
    with world.review("dies", point, str(times), ready=False) as dying:
        for number, alert in enumerate(alerts, start=1):
            world.feed(alert)
            # One at a time as far as it lives, so that there is a third batch to die in.
            eventually(
                lambda number=number: dying.process.poll() is not None or len(cases_opened(world)) >= number,  # type: ignore[misc]
                f"alert {number} to be relayed, or the end",
                within_s=WITHIN_S,
            )
        eventually(lambda: dying.process.poll() is not None, f"the end at {point}", within_s=WITHIN_S)
        assert dying.process.returncode == -signal.SIGKILL
    with world.review("lives") as review:
        world.feed(*[world.alert(subject, number + 40) for number, subject in enumerate(subjects)])
        eventually(
            lambda: sum(isinstance(event, AlertFolded) for event in world.decisions()) >= 6,
            "every second alert to fold",
            within_s=WITHIN_S,
        )
        assert review.stop() == 0, review.log.read_text()
    by_id = {event.event_id: event for event in world.decisions()}
    opened = [event.alert for event in by_id.values() if isinstance(event, CaseOpened)]
    assert sorted(opened) == sorted(alert.alert for alert in alerts)
    totals = world.tally().totals
    assert totals[Count.ALERTS_RECEIVED] == 12
    assert (totals[Count.ALERTS_OPENED_CASE], totals[Count.ALERTS_FOLDED]) == (6, 6)


def test_two_instances_share_the_work_and_one_carries_on_alone(world: World) -> None:
    with world.review("one") as one, world.review("two") as two:
        subjects = [world.subject(number) for number in range(8)]
        world.feed(*[world.alert(subject, number) for number, subject in enumerate(subjects)])
        cases = eventually(
            lambda: found if len(found := cases_opened(world)) == 8 else [], "eight cases", within_s=WITHIN_S
        )
        for case in cases[:4]:
            with closing(Reviewer(one.grpc_port, "ann")) as ann, closing(Reviewer(two.grpc_port, "ben")) as ben:
                assert ann.judge(case, "match") == "open"
                assert ben.judge(case, "match") == "agreed_match"
        one.process.kill()
        assert decide(two, cases[4], "match", "match") == "agreed_match"
        eventually(
            lambda: len({event.event_id for event in world.decisions() if isinstance(event, CaseDecided)}) == 5,
            "five decisions in Kafka",
            within_s=WITHIN_S,
        )
    seen: dict[str, list[str]] = {}
    for event in world.decisions():
        told = seen.setdefault(event.case, [])
        if event.event_id not in told:
            told.append(event.event_id)
    by_id = {event.event_id: type(event) for event in world.decisions()}
    for case in cases[:5]:
        order = [by_id[event_id] for event_id in seen[case]]
        assert order == [CaseOpened, AlertJudged, AlertJudged, CaseDecided]

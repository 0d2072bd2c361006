"""What people see and decide is in the audit chain: views before they are shown, decisions once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import grpc
import pytest

from console.stack.kafka import KafkaCluster
from services.contracts.audit.commitments import opens
from services.contracts.audit.requests import Action, AuditRequested
from services.contracts.codec_audit import encode_contents
from services.contracts.decisions import CaseOpened
from services.contracts.errors import Transient
from services.review.casework import CaseDesk
from services.review.core.audited import CaseMinutes
from services.review.core.errors import NotFound
from services.review.edges.salts import SaltedCommitments
from tests.integration.review.rig import ANN, Rig
from tests.integration.review.world import Reviewer, World
from tests.integration.running import WITHIN_S
from tests.support import eventually
from tests.unit.contracts.audit.builders import a_request


@pytest.fixture
def world(kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path) -> Iterator[World]:
    made = World(kafka.bootstrap, redis_volatile, redis_durable, tmp_path)
    yield made
    made.close()


def test_a_face_is_not_shown_while_the_audit_chain_does_not_answer(rig: Rig) -> None:
    case = rig.raise_alert()

    async def look(desk: CaseDesk) -> None:
        claim = await desk.claim(ANN, case)
        rig.trail.away = True
        with pytest.raises(Transient):
            await desk.view(ANN, case, claim.fence)
        # As it would be called if the view were there: no picture has become this claim's.
        for name in ("shot-1", "reference-1", "context-1"):
            with pytest.raises(NotFound):
                await desk.picture(ANN, case, claim.fence, name)
        rig.trail.away = False
        view = await desk.view(ANN, case, claim.fence)
        for one in view.pictures:
            assert await desk.picture(ANN, case, claim.fence, one.name)
        (told,) = rig.trail.told
        assert (told.what, told.about, told.seen) == (Action.FACE_VIEWED, case, view.displayed_digest)
        assert told.who == rig.tokens().of(ANN)

    rig.at_desk(look)


def test_an_outbox_entry_has_the_same_requests_and_numbers_for_whoever_asks(rigs: Callable[[], Rig]) -> None:
    one, other = rigs(), rigs()
    one.list_subject()
    one.raise_alert()
    one.raise_alert("gate-2.1.1.9.0")
    first, second = one.outbox.oldest(10)
    asked = [a_request(about="first"), a_request(about="again")]
    told = one.outbox.minuted(first, asked)
    assert numbers(told) == [1, 2]
    assert numbers(other.outbox.minuted(second, [a_request()])) == [1], "each process numbers its own"
    # Another process that has meanwhile come to think otherwise, or cannot find the case any more.
    for differently in ([], [a_request(about="otherwise")]):
        assert other.outbox.minuted(first, differently) == told
    one.outbox.remove([first])
    assert rigs().outbox.minuted(first, asked) == []
    assert one.outbox.minuted(second, []) == other.outbox.minuted(second, [])


def test_what_is_committed_to_opens_with_its_salt_alone_and_is_no_token(rig: Rig) -> None:
    case = rig.cases.case(rig.raise_alert())
    assert case is not None
    commitments = SaltedCommitments(rig.authority, rig.ring)
    (opened,) = rig.events()
    assert CaseMinutes(rig.authority, commitments).of(opened, case, producer="review/one") == ()
    commitment = commitments.of(case.subject)
    assert commitment == SaltedCommitments(rig.authority, rig.ring).of(case.subject)
    assert not opens(commitment, bytes(32), case.subject)
    assert case.subject.encode() not in encode_contents([a_request(subject=commitment)])
    rig.store.destroy_prefix(f"{rig.authority.deployment}/audit/{case.subject}")
    rig.clock.advance(2)
    assert commitments.of(case.subject) != commitment


@pytest.mark.parametrize("point", ["before_outbox_audit", "before_outbox_produce", "before_outbox_remove"])
def test_a_decision_has_its_entries_once_though_its_relay_was_killed(world: World, point: str) -> None:
    alert = world.alert(world.subject(1), 1)
    # The first passing is for the opened case, the second for the first judgement.
    with world.review("dies", point, "2", ready=False) as dying:
        eventually(dying.ready, "review to be ready", within_s=WITHIN_S)
        world.feed(alert)
        case = eventually(lambda: opened(world), "a case", within_s=WITHIN_S)
        with closing(Reviewer(dying.grpc_port, "ann")) as ann, suppress(grpc.RpcError):
            ann.judge(case, "match")
        eventually(lambda: dying.process.poll() is not None, f"the end at {point}", within_s=WITHIN_S)
        assert dying.process.returncode == -signal.SIGKILL
    with world.review("lives") as review:
        with closing(Reviewer(review.grpc_port, "ben")) as ben:
            assert ben.judge(case, "match") == "agreed_match"
        eventually(lambda: len(decided(world)) == 4, "every entry asked for", within_s=WITHIN_S)
        assert review.stop() == 0, review.log.read_text()
    found = decided(world)
    assert [one.what for one in found] == [
        Action.CASE_JUDGED,
        Action.CASE_JUDGED,
        Action.CASE_DECIDED,
        Action.ALERT_RECORDED,
    ]
    for producer in {one.producer for one in found}:
        of_it = numbers([one for one in found if one.producer == producer])
        assert of_it == list(range(1, len(of_it) + 1))
    row = found[-1].alert_row
    assert row is not None
    assert row.alert == alert.alert
    assert len(row.verified_by) == 2
    views = [one.content for one in world.acknowledger.asked if one.content.what is Action.FACE_VIEWED]
    assert len({one.who for one in views}) == 2


def decided(world: World) -> list[AuditRequested]:
    """What was asked for from the outbox, each number as it first came; what came again must be the same."""
    found: dict[str, bytes] = {}
    contents: dict[str, AuditRequested] = {}
    for one in world.acknowledger.asked:
        if one.content.chain == world.deployment and one.content.producer.startswith("review/cases-"):
            assert found.setdefault(one.content.id, one.raw) == one.raw
            contents.setdefault(one.content.id, one.content)
    return list(contents.values())


def opened(world: World) -> str:
    return next((event.case for event in world.decisions() if isinstance(event, CaseOpened)), "")


def numbers(requests: list[AuditRequested]) -> list[int]:
    return [request.sequence for request in requests]

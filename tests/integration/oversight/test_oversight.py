"""oversight on Apache Kafka: an authority's life, and leases that outlive their leader."""

from __future__ import annotations

import json
import signal
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import grpc
import pytest

from console.stack.kafka import KafkaCluster
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.statements import Lease
from signpost.v1 import oversight_pb2 as pb
from tests.integration.oversight.world import World
from tests.support import eventually
from tests.unit.contracts.authorisation import builders as b

# What a search may go on without a lease; a takeover has to fit into it.
LEASE_LIFE = timedelta(seconds=10)


@pytest.fixture
def world(kafka: KafkaCluster, redis_durable: str, tmp_path: Path) -> World:
    return World(kafka.bootstrap, redis_durable, tmp_path)


def until_leases(world: World, document: Document, *, beyond: int, within_s: float = 15.0) -> list[Lease]:
    """All leases, once there is one with a greater sequence."""

    def look() -> list[Lease]:
        found = world.leases(document)
        return found if found[-1].sequence > beyond else []

    return eventually(look, f"a lease beyond {beyond}", within_s=within_s)


def test_an_authority_is_submitted_attested_active_leased_and_stopped(world: World) -> None:
    document = world.document()
    with world.oversight() as oversight:
        world.begin(oversight, document)
        leases = until_leases(world, document, beyond=world.leases(document)[-1].sequence + 2)
        assert world.refusal(document) is None
        stopped = world.order(oversight, document, Move.STOP, "sam")
        assert stopped.state == "ended"
        assert world.refusal(document) is Refusal.NOT_ACTIVE
        assert world.leases(document)[-1].state is State.ENDED
        assert oversight.stop() == 0
    assert [lease.sequence for lease in leases] == list(range(1, len(leases) + 1))
    gaps = [later.signed_at - earlier.signed_at for earlier, later in pairwise(leases)]
    assert max(gaps) < timedelta(seconds=3)


def test_leases_are_renewed_while_the_dearest_documents_are_handed_in(world: World) -> None:
    """One author's comb-shaped zone held the thread that renews leases for 30 s: everything stopped."""
    document = world.document()
    with world.oversight() as oversight:
        world.begin(oversight, document)
        before = world.leases(document)[-1].sequence
        stop = threading.Event()
        submissions = [the_dearest(document, serial=serial) for serial in (2, 3)]
        answers: list[grpc.StatusCode | None] = []

        def hand_in(submission: pb.SubmitRequest) -> None:
            while not stop.is_set():
                try:
                    oversight.call("Submit", submission)
                    answers.append(None)
                except grpc.RpcError as refused:
                    answers.append(refused.code())

        unsigned = pb.SubmitRequest(document=b"[" * 3_000_000, approvals=list(submissions[0].approvals))
        people = [threading.Thread(target=hand_in, args=(one,)) for one in (*submissions, *submissions, unsigned)]
        for one in people:
            one.start()
        leases = until_leases(world, document, beyond=before + 8, within_s=60.0)
        stop.set()
        for one in people:
            one.join(60.0)
    gaps = [later.signed_at - earlier.signed_at for earlier, later in pairwise(leases)]
    assert max(gaps) < LEASE_LIFE / 2
    # The one with the next serial is taken, again and again; the others are refused.
    assert {None, grpc.StatusCode.FAILED_PRECONDITION} <= set(answers)


def the_dearest(document: Document, *, serial: int) -> pb.SubmitRequest:
    """A hundred combs along the edge of a comb, signed by its author: once 30 s for each of them."""
    fields = json.loads(document.canonical_bytes())
    teeth = [[x, y] for tooth in range(7) for x, y in comb_tooth(40.0 * tooth)]
    fields |= {"id": f"{document.id}-{serial}", "serial": serial}
    fields["site"]["polygon"] = [[0, 0], *teeth, [250.0, 0]]
    camera = fields["cameras"][0] | {"zone": fields["site"]["polygon"]}
    fields["cameras"] = [camera | {"id": f"gate-{number}"} for number in range(100)]
    made = Document.read(fields)
    return pb.SubmitRequest(
        document=made.canonical_bytes(), approvals=b.approvals(made, "ann", at=datetime.now(UTC))
    )


def comb_tooth(left: float) -> list[tuple[float, float]]:
    return [(left, 5.0), (left, 290.0), (left + 10, 290.0), (left + 10, 5.0)]


def test_a_refusal_names_field_rule_and_source(world: World) -> None:
    document = world.document()
    with world.oversight() as oversight:
        oversight.call("PutRegistry", pb.PutRegistryRequest(registry=world.registry()))
        with pytest.raises(grpc.RpcError) as raised:
            oversight.call("Submit", pb.SubmitRequest(document=document.canonical_bytes()))
    assert raised.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    (raw,) = [one.value for one in raised.value.trailing_metadata() or () if one.key == "signpost-findings-bin"]
    assert isinstance(raw, bytes)
    (finding,) = pb.Findings.FromString(raw).findings
    assert (finding.field, finding.source) == ("approvals", "issue 4.1: quorum")


def test_a_standby_says_that_it_is_one(world: World) -> None:
    with world.leader_and_standby() as (_, standby), pytest.raises(grpc.RpcError) as raised:
        standby.call("List", pb.ListRequest())
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "standby" in str(raised.value.details())


def test_when_the_leader_is_killed_a_standby_goes_on_before_the_lease_runs_out(world: World) -> None:
    document = world.document()
    with world.leader_and_standby() as (leader, standby):
        world.begin(leader, document)
        before = until_leases(world, document, beyond=world.leases(document)[-1].sequence)
        leader.process.kill()
        after = until_leases(world, document, beyond=before[-1].sequence + 2)
        assert world.refusal(document) is None
        assert world.order(standby, document, Move.STOP, "sam").state == "ended"
    assert [lease.sequence for lease in after] == list(range(1, len(after) + 1))
    gaps = [later.signed_at - earlier.signed_at for earlier, later in pairwise(after)]
    assert max(gaps) < LEASE_LIFE


def test_when_the_leader_is_told_to_stop_a_standby_goes_on_at_once(world: World) -> None:
    document = world.document()
    with world.leader_and_standby() as (leader, _):
        world.begin(leader, document)
        assert leader.stop() == 0
        last = world.leases(document)[-1].sequence
        after = until_leases(world, document, beyond=last + 1)
    gaps = [later.signed_at - earlier.signed_at for earlier, later in pairwise(after)]
    assert max(gaps) < timedelta(seconds=6)


def test_a_leader_that_was_overtaken_writes_nothing_when_it_wakes(world: World) -> None:
    document = world.document()
    with world.leader_and_standby() as (leader, standby):
        world.begin(leader, document)
        leader.process.send_signal(signal.SIGSTOP)
        eventually(standby.leads, "the standby to lead", within_s=20)
        assert world.order(standby, document, Move.STOP, "sam").state == "ended"
        leader.process.send_signal(signal.SIGCONT)
        eventually(lambda: not leader.leads(), "the elder to stand by", within_s=20)
        leases = world.leases(document)
    assert leases[-1].state is State.ENDED
    assert [lease.sequence for lease in leases] == list(range(1, len(leases) + 1))

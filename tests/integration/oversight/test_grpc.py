"""oversight's door: what came of a command, in a status and in words that name field, rule and source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from services.contracts.audit.lines import encode_line
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.enums import ClockState
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.statements import NotBelieved, Rejection
from services.contracts.errors import Misconfigured
from services.oversight.core.clerk import Clerk, Decision, Now
from services.oversight.core.commands import Command, Export
from services.oversight.core.register import Register
from services.oversight.edges.grpc_oversight import FINDINGS, OversightServer
from services.oversight.ports import Anchored, NotRecorded, Unsettled
from signpost.v1 import oversight_pb2 as pb
from signpost.v1 import oversight_pb2_grpc
from tests.conftest import ExpectedErrors
from tests.unit.contracts.audit.builders import heads
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import Desk as RegisterDesk

FINDING = Finding("window", "is over", "C-29")
Stub = Any


class FakeDesk:
    """Says what a test has it say. gRPC's threads."""

    def __init__(self, register: Register, error: Exception | None = None) -> None:
        self._register = register
        self._error = error
        self.asked: list[Command] = []

    def ask(self, command: Command, *, within_s: float) -> Decision:
        assert 0 < within_s <= 12
        self.asked.append(command)
        if self._error is not None:
            raise self._error
        return Decision(self._register, version=next(self._register.versions()))

    def register(self) -> Register:
        if self._error is not None:
            raise self._error
        return self._register

    def now(self) -> Now:
        return Now(ClockReading(datetime.now(UTC), 1000.0, ClockState.SYNCHRONISED))


@contextmanager
def served(desk: FakeDesk, *anchored: Anchored) -> Iterator[Stub]:
    clerk = Clerk(b.key("oversight"))
    server = OversightServer(desk, clerk, anchored=lambda chain: anchored, host="127.0.0.1", port=0, tls=None)
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield oversight_pb2_grpc.OversightServiceStub(channel)  # type: ignore[no-untyped-call]
    finally:
        server.stop(1.0)


@pytest.fixture
def register() -> Register:
    return RegisterDesk().begun().authorised(b.a_document()).register


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str, list[pb.Finding]]:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    error = raised.value
    found = [
        finding
        for one in error.trailing_metadata() or ()
        if one.key == FINDINGS and isinstance(one.value, bytes)
        for finding in pb.Findings.FromString(one.value).findings
    ]
    return error.code(), str(error.details()), found


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotAuthorised("requirements", [FINDING]), grpc.StatusCode.FAILED_PRECONDITION),
        (NotAuthorised("move", [FINDING]), grpc.StatusCode.FAILED_PRECONDITION),
        (NotAuthorised("malformed", [FINDING]), grpc.StatusCode.INVALID_ARGUMENT),
        (NotAuthorised("unknown", [FINDING]), grpc.StatusCode.NOT_FOUND),
    ],
)
def test_what_is_refused_comes_with_every_finding(
    register: Register, error: Exception, code: grpc.StatusCode
) -> None:
    with served(FakeDesk(register, error)) as stub:
        status, text, found = refusal(lambda: stub.Order(pb.OrderRequest(order="x"), timeout=5))
    assert status is code
    assert text == str(FINDING)
    assert [(one.field, one.rule, one.source) for one in found] == [("window", "is over", "C-29")]


def test_a_token_that_is_not_believed_says_why(register: Register) -> None:
    error = NotBelieved(Rejection.WRONG_ROLE, "an order: a key of role reviewer may not sign it")
    with served(FakeDesk(register, error)) as stub:
        status, _, found = refusal(lambda: stub.Approve(pb.ApproveRequest(approval="x"), timeout=5))
    assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert [one.rule for one in found] == ["an order: a key of role reviewer may not sign it"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotRecorded("this instance is a standby"), grpc.StatusCode.UNAVAILABLE),
        (Unsettled("not answered in time"), grpc.StatusCode.DEADLINE_EXCEEDED),
    ],
)
def test_what_was_not_recorded_and_what_nobody_knows_are_told_apart(
    register: Register, error: Exception, code: grpc.StatusCode
) -> None:
    with served(FakeDesk(register, error)) as stub:
        status, text, found = refusal(lambda: stub.Attest(pb.AttestRequest(attestation="x"), timeout=5))
    assert (status, text, found) == (code, str(error), [])


def test_a_bug_is_logged_and_says_nothing_outside(register: Register, expected_errors: ExpectedErrors) -> None:
    expected_errors.add("call failed of a bug")
    with served(FakeDesk(register, RuntimeError("a secret"))) as stub:
        status, text, _ = refusal(lambda: stub.List(pb.ListRequest(), timeout=5))
    assert (status, text) == (grpc.StatusCode.INTERNAL, "internal error")


def test_a_deployment_that_is_not_known_is_not_found(register: Register) -> None:
    with served(FakeDesk(register)) as stub:
        status, _, found = refusal(lambda: stub.Show(pb.ShowRequest(deployment="elsewhere"), timeout=5))
    assert status is grpc.StatusCode.NOT_FOUND
    assert [one.field for one in found] == ["deployment"]


def test_what_is_shown_is_everything_that_was_signed(register: Register) -> None:
    with served(FakeDesk(register)) as stub:
        shown = stub.Show(pb.ShowRequest(deployment="oxford-street-1"), timeout=5)
    (version,) = shown.versions
    assert version.document == b.a_document().canonical_bytes()
    assert (version.authority.state, version.authority.state_sequence) == ("authorised", 2)
    assert (len(version.approvals), len(version.states)) == (2, 2)
    assert shown.lease_sequence == 1
    assert shown.revocations.revocations == 0
    assert not shown.taken_off


def test_everything_is_listed_with_the_registry_in_force(register: Register) -> None:
    with served(FakeDesk(register)) as stub:
        listed = stub.List(pb.ListRequest(), timeout=5)
    assert [(one.deployment, one.serial) for one in listed.authorities] == [("oxford-street-1", 1)]
    assert listed.registry.sequence == 1


def test_how_the_chain_is_anchored_is_told_with_the_deployment(register: Register) -> None:
    (head,) = heads(1)
    with served(FakeDesk(register), Anchored("url sink.example", head), Anchored("folder", None)) as stub:
        anchors = stub.Show(pb.ShowRequest(deployment="oxford-street-1"), timeout=5).anchors
    assert [(one.sink, one.head) for one in anchors] == [("url sink.example", encode_line(head)), ("folder", b"")]


def test_an_export_is_handed_in_as_it_was_signed(register: Register) -> None:
    desk = FakeDesk(register)
    with served(desk) as stub:
        stub.Export(pb.ExportRequest(export="a token"), timeout=5)
    assert desk.asked == [Export("a token")]


def test_beyond_this_machine_nothing_is_served_without_tls(register: Register) -> None:
    with pytest.raises(Misconfigured, match="give TLS_CERT and TLS_KEY"):
        OversightServer(
            FakeDesk(register),
            Clerk(b.key("oversight")),
            anchored=lambda chain: (),
            host="0.0.0.0",  # noqa: S104
            port=0,
            tls=None,
        )

"""The console's client of oversight against servers that stand by, refuse, or say something odd."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner

from console.commands import authority, keys
from console.edges.grpc_oversight import OversightClient
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.signing import take_apart, unchecked_payload
from services.contracts.authorisation.statements import Order
from services.contracts.errors import Misconfigured, Transient
from signpost.v1 import oversight_pb2 as pb
from signpost.v1 import oversight_pb2_grpc
from tests.unit.contracts.authorisation import builders as b

DOCUMENT = b.a_document()
# A standby is asked again after half a second.
_PATIENCE_S = 3.0


class Register(oversight_pb2_grpc.OversightServiceServicer):
    """Answers every call as it is told to; counts them."""

    def __init__(self, answer: Callable[[grpc.ServicerContext, int], Any]) -> None:
        self._answer = answer
        self.calls = 0

    def List(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - generated
        self.calls += 1
        return self._answer(context, self.calls)


@contextmanager
def serving(register: Register) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2))
    oversight_pb2_grpc.add_OversightServiceServicer_to_server(register, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def leader(context: grpc.ServicerContext, call: int) -> Any:
    view = pb.AuthorityView(deployment="try-1", version=1, serial=1, state="active")
    view.waits_for.add(field="attestation", rule="is missing", source="C-09")
    return pb.ListResponse(authorities=[view])


def standby(context: grpc.ServicerContext, call: int) -> Any:
    context.abort(grpc.StatusCode.UNAVAILABLE, "this instance stands by")


def refusing(context: grpc.ServicerContext, call: int) -> Any:
    told = pb.Findings(findings=[pb.Finding(field="serial", rule="must be 2", source="issue 4.1")])
    context.set_trailing_metadata((("signpost-findings-bin", told.SerializeToString()),))
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "refused")


def unknown(context: grpc.ServicerContext, call: int) -> Any:
    context.abort(grpc.StatusCode.NOT_FOUND, "no such deployment")


def late(context: grpc.ServicerContext, call: int) -> Any:
    return leader(context, call) if call > 1 else standby(context, call)


def test_the_one_that_leads_is_asked() -> None:
    with (
        serving(Register(standby)) as one,
        serving(Register(leader)) as other,
        OversightClient(f"{one}, {other}") as client,
    ):
        (found,) = client.authorities()
    assert (found.deployment, found.state) == ("try-1", "active")
    assert [str(finding) for finding in found.waits_for] == ["attestation: is missing [C-09]"]


def test_a_standby_that_takes_over_is_waited_for() -> None:
    with serving(Register(late)) as address, OversightClient(address, patience_s=_PATIENCE_S) as client:
        assert len(client.authorities()) == 1


def test_nobody_who_leads_is_said_after_a_while() -> None:
    register = Register(standby)
    with (
        serving(register) as address,
        OversightClient(address, patience_s=1.0) as client,
        pytest.raises(Transient, match="this instance stands by"),
    ):
        client.authorities()
    assert register.calls > 1


def test_a_refusal_comes_with_field_rule_and_source_and_is_not_asked_again() -> None:
    register = Register(refusing)
    with (
        serving(register) as address,
        OversightClient(address, patience_s=_PATIENCE_S) as client,
        pytest.raises(NotAuthorised) as refused,
    ):
        client.authorities()
    assert [str(finding) for finding in refused.value.findings] == ["serial: must be 2 [issue 4.1]"]
    assert register.calls == 1


def test_what_oversight_does_not_know_is_said_in_its_words() -> None:
    with (
        serving(Register(unknown)) as address,
        OversightClient(address, patience_s=_PATIENCE_S) as client,
        pytest.raises(Misconfigured, match="no such deployment"),
    ):
        client.authorities()


class Reported(Register):
    """A register with one authority, that has been reported on; keeps what it is ordered."""

    def __init__(self) -> None:
        super().__init__(leader)
        self.ordered: list[pb.OrderRequest] = []
        self._view = pb.AuthorityView(
            deployment=DOCUMENT.id, version=1, serial=1, digest=DOCUMENT.digest, state="reported", state_sequence=6
        )

    def Show(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - generated
        one = pb.VersionView(authority=self._view, document=DOCUMENT.canonical_bytes())
        return pb.ShowResponse(versions=[one])

    def Order(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - generated
        self.ordered.append(request)
        return self._view


def test_a_review_is_ordered_with_the_digest_of_what_was_held(tmp_path: Path) -> None:
    register, mine, held = Reported(), tmp_path / "auditor.pem", tmp_path / "review.md"
    held.write_text("Looked at on 1 July: the report holds.", "utf-8")
    assert CliRunner().invoke(keys.app, ["new", str(mine)]).exit_code == 0
    with serving(register) as address:
        words = ["review", DOCUMENT.id, f"--key={mine}", f"--review={held}", f"--oversight={address}"]
        done = CliRunner().invoke(authority.app, words)
    assert done.exit_code == 0, done.output
    (ordered,) = register.ordered
    said = Order.model_validate_json(unchecked_payload(take_apart(ordered.order)))
    assert (said.move, said.sequence, said.digest) == (Move.REVIEW, 7, DOCUMENT.digest)
    assert said.evidence == hashlib.sha256(held.read_bytes()).hexdigest()

"""Oversight over gRPC. Who commands shows a token that they signed, so nobody signs in here."""
# ruff: noqa: N802 - methods are named in the proto

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeVar

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection  # type: ignore[import-untyped]

from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.statements import NotBelieved
from services.contracts.errors import Transient
from services.oversight.core.clerk import Clerk, Decision, refused
from services.oversight.core.commands import (
    Approve,
    Attest,
    Command,
    EnterSharing,
    Export,
    Give,
    Hold,
    PutRegistry,
    Revoke,
    Submit,
)
from services.oversight.core.register import Version
from services.oversight.edges.grpc_views import Views, anchors, findings, revocations, sharing
from services.oversight.ports import Anchored, Desk, NotRecorded
from services.runtime.grpc_listen import Tls, listen
from signpost.v1 import oversight_pb2 as pb
from signpost.v1 import oversight_pb2_grpc

log = logging.getLogger(__name__)

SERVICE = "signpost.v1.OversightService"
# Where a refusal says what is at fault: a serialised `Findings`.
FINDINGS = "signpost-findings-bin"
# Each waits for one transaction of Kafka's.
_THREADS = 8
_MAX_WAITING = 64
# A document of 1 MiB with its approvals.
_MAX_REQUEST_BYTES = 4 * 1024 * 1024
# Longer than a transaction may take; a call without a deadline gets this one.
_LONGEST_S = 12.0

A = TypeVar("A")
AnchoredOf = Callable[[str], Sequence[Anchored]]
"""How a chain stands with each sink. Any thread; never blocks."""


class OversightServer:
    """A gRPC server from `start` to `stop`."""

    def __init__(
        self, desk: Desk, clerk: Clerk, *, anchored: AnchoredOf, host: str, port: int, tls: Tls | None
    ) -> None:
        """Raises Misconfigured: the address cannot be had, or is served beyond this machine without TLS."""
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="signpost-oversight")
        self._server = grpc.server(
            self._threads,
            options=[("grpc.max_receive_message_length", _MAX_REQUEST_BYTES), ("grpc.so_reuseport", 0)],
            maximum_concurrent_rpcs=_MAX_WAITING,
        )
        oversight_pb2_grpc.add_OversightServiceServicer_to_server(  # type: ignore[no-untyped-call]
            _Servicer(desk, clerk, anchored), self._server
        )
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = listen(self._server, host, port, tls)

    def start(self) -> None:
        self._server.start()
        self._say(health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_s: float) -> bool:
        """Take no more calls, finish those in hand; True if all were."""
        self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
        finished = self._server.stop(grace_s).wait(grace_s)
        self._threads.shutdown(wait=False)
        return finished

    def _say(self, status: Any) -> None:  # noqa: ANN401 - an enum of generated code
        for name in ("", SERVICE):
            self._health.set(name, status)


class _Servicer(oversight_pb2_grpc.OversightServiceServicer):
    """Tokens in, how things stand out."""

    def __init__(self, desk: Desk, clerk: Clerk, anchored: AnchoredOf) -> None:
        self._desk = desk
        self._clerk = clerk
        self._anchored = anchored

    def Submit(self, request: pb.SubmitRequest, context: grpc.ServicerContext) -> pb.AuthorityView:
        return self._told(Submit(request.document, tuple(request.approvals)), context)

    def Approve(self, request: pb.ApproveRequest, context: grpc.ServicerContext) -> pb.AuthorityView:
        return self._told(Approve(request.approval), context)

    def Order(self, request: pb.OrderRequest, context: grpc.ServicerContext) -> pb.AuthorityView:
        return self._told(Give(request.order), context)

    def Attest(self, request: pb.AttestRequest, context: grpc.ServicerContext) -> pb.AuthorityView:
        return self._told(Attest(request.attestation), context)

    def Hold(self, request: pb.HoldRequest, context: grpc.ServicerContext) -> pb.AuthorityView:
        return self._told(Hold(request.hold), context)

    def Revoke(self, request: pb.RevokeRequest, context: grpc.ServicerContext) -> pb.RevocationsView:
        decision = self._ask(Revoke(request.revocation), context)
        about = _version_of(decision).document.id
        return revocations(decision.after.deployment(about).revocations)

    def Export(self, request: pb.ExportRequest, context: grpc.ServicerContext) -> pb.ExportResponse:
        self._ask(Export(request.export), context)
        return pb.ExportResponse()

    def PutRegistry(self, request: pb.PutRegistryRequest, context: grpc.ServicerContext) -> pb.RegistryView:
        decision = self._ask(PutRegistry(request.registry), context)
        return Views(decision.after, self._clerk, self._desk.now()).registry()

    def Show(self, request: pb.ShowRequest, context: grpc.ServicerContext) -> pb.ShowResponse:
        def show() -> pb.ShowResponse:
            register = self._desk.register()
            found = register.deployments.get(request.deployment)
            if found is None or not found.versions:
                raise refused("unknown", "deployment", "is not known here")
            told = Views(register, self._clerk, self._desk.now()).deployment(found)
            told.anchors.extend(anchors(self._anchored(request.deployment)))
            return told

        return _answered(show, context)

    def List(self, request: pb.ListRequest, context: grpc.ServicerContext) -> pb.ListResponse:
        return _answered(lambda: Views(self._desk.register(), self._clerk, self._desk.now()).everything(), context)

    def EnterSharing(self, request: pb.EnterSharingRequest, context: grpc.ServicerContext) -> pb.SharingView:
        return sharing(self._ask(EnterSharing(request.line), context).after)

    def ShowSharing(self, request: pb.ShowSharingRequest, context: grpc.ServicerContext) -> pb.SharingView:
        return _answered(lambda: sharing(self._desk.register(), after=request.after), context)

    def _told(self, command: Command, context: grpc.ServicerContext) -> pb.AuthorityView:
        decision = self._ask(command, context)
        return Views(decision.after, self._clerk, self._desk.now()).authority(_version_of(decision))

    def _ask(self, command: Command, context: grpc.ServicerContext) -> Decision:
        return _answered(lambda: self._desk.ask(command, within_s=_allowed_s(context)), context)


def _allowed_s(context: Any) -> float:  # noqa: ANN401 - its types deny that a call may have no deadline
    remaining_s = context.time_remaining()
    return _LONGEST_S if remaining_s is None else min(_LONGEST_S, float(remaining_s))


def _version_of(decision: Decision) -> Version:
    """The version as it is after the decision, whichever record was the last."""
    assert decision.version is not None, "a command is about a version"  # noqa: S101
    document = decision.version.document
    return decision.after.deployment(document.id).versions[document.version]


def _answered(answer: Callable[[], A], context: grpc.ServicerContext) -> A:
    """The answer, or the end of the call with the status of what stood against it."""
    try:
        return answer()
    except Exception as error:  # noqa: BLE001 - the interceptor: every end of a call has a status
        against = error
    _refuse(against, context)


def _refuse(error: Exception, context: grpc.ServicerContext) -> NoReturn:
    code, text, found = _status(error)
    if code is grpc.StatusCode.INTERNAL:
        log.error("call failed of a bug", extra={"kind": type(error).__name__}, exc_info=error)
    if found:
        told = pb.Findings(findings=findings(found))
        context.set_trailing_metadata(((FINDINGS, told.SerializeToString()),))
    context.abort(code, text)


def _status(error: Exception) -> tuple[grpc.StatusCode, str, tuple[Finding, ...]]:
    match error:
        case NotAuthorised(reason="unknown"):
            code, found = grpc.StatusCode.NOT_FOUND, error.findings
        case NotAuthorised(reason="malformed"):
            code, found = grpc.StatusCode.INVALID_ARGUMENT, error.findings
        case NotAuthorised():
            code, found = grpc.StatusCode.FAILED_PRECONDITION, error.findings
        case NotBelieved():
            code = grpc.StatusCode.INVALID_ARGUMENT
            found = (Finding("token", str(error), "issue 4.1: trust"),)
        case NotRecorded():
            code, found = grpc.StatusCode.UNAVAILABLE, ()
        case Transient():
            code, found = grpc.StatusCode.DEADLINE_EXCEEDED, ()
        case _:
            return grpc.StatusCode.INTERNAL, "internal error", ()
    return code, str(error), found

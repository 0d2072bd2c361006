"""Oversight over gRPC. Who commands shows a token that they signed, so nobody signs in here."""
# ruff: noqa: N802 - methods are named in the proto

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import grpc
import grpc.aio

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
from services.runtime.doors.figures import DoorFigures
from services.runtime.doors.grpc_server import GrpcServer, Manners
from services.runtime.doors.grpc_thread import GrpcThread
from services.runtime.grpc_listen import Tls
from signpost.v1 import oversight_pb2 as pb
from signpost.v1 import oversight_pb2_grpc

log = logging.getLogger(__name__)

SERVICE = "signpost.v1.OversightService"
# Where a refusal says what is at fault: a serialised `Findings`.
FINDINGS = "signpost-findings-bin"
# Each waits for one transaction of Kafka's.
_THREADS = 16
# A document of 1 MiB with its approvals.
_MAX_REQUEST_BYTES = 4 * 1024 * 1024
# Longer than a transaction may take; a call without a deadline gets this one.
_LONGEST_S = 12.0

A = TypeVar("A")
Context = grpc.aio.ServicerContext[Any, Any]
AnchoredOf = Callable[[str], Sequence[Anchored]]
"""How a chain stands with each sink. Any thread; never blocks."""


class OversightServer:
    """A gRPC server from `start` to `stop`."""

    def __init__(
        self,
        desk: Desk,
        clerk: Clerk,
        *,
        anchored: AnchoredOf,
        host: str,
        port: int,
        tls: Tls | None,
        figures: DoorFigures | None = None,
    ) -> None:
        """Raises Misconfigured: the address cannot be had, or is served beyond this machine without TLS."""
        server = GrpcServer(
            SERVICE,
            self._add,
            Manners(max_request_bytes=_MAX_REQUEST_BYTES, calls=_THREADS),
            host=host,
            port=port,
            tls=tls,
            figures=figures,
        )
        self._thread = GrpcThread(server, threads=_THREADS, name="signpost-oversight")
        self._servicer = _Servicer(desk, clerk, anchored, self._thread)
        self.port = server.port

    def start(self) -> None:
        """Returns once calls are answered."""
        self._thread.start()

    def stop(self, grace_s: float) -> bool:
        """Take no more calls, finish those in hand; True if all were."""
        return self._thread.stop(grace_s)

    def _add(self, server: grpc.aio.Server) -> None:
        oversight_pb2_grpc.add_OversightServiceServicer_to_server(  # type: ignore[no-untyped-call]
            self._servicer, server
        )


class _Servicer(oversight_pb2_grpc.OversightServiceServicer):
    """Tokens in, how things stand out."""

    def __init__(self, desk: Desk, clerk: Clerk, anchored: AnchoredOf, threads: GrpcThread) -> None:
        self._desk = desk
        self._clerk = clerk
        self._anchored = anchored
        self._threads = threads

    async def Submit(self, request: pb.SubmitRequest, context: Context) -> pb.AuthorityView:
        return await self._told(Submit(request.document, tuple(request.approvals)), context)

    async def Approve(self, request: pb.ApproveRequest, context: Context) -> pb.AuthorityView:
        return await self._told(Approve(request.approval), context)

    async def Order(self, request: pb.OrderRequest, context: Context) -> pb.AuthorityView:
        return await self._told(Give(request.order), context)

    async def Attest(self, request: pb.AttestRequest, context: Context) -> pb.AuthorityView:
        return await self._told(Attest(request.attestation), context)

    async def Hold(self, request: pb.HoldRequest, context: Context) -> pb.AuthorityView:
        return await self._told(Hold(request.hold), context)

    async def Revoke(self, request: pb.RevokeRequest, context: Context) -> pb.RevocationsView:
        decision = await self._ask(Revoke(request.revocation), context)
        about = _version_of(decision).document.id
        return revocations(decision.after.deployment(about).revocations)

    async def Export(self, request: pb.ExportRequest, context: Context) -> pb.ExportResponse:
        await self._ask(Export(request.export), context)
        return pb.ExportResponse()

    async def PutRegistry(self, request: pb.PutRegistryRequest, context: Context) -> pb.RegistryView:
        decision = await self._ask(PutRegistry(request.registry), context)
        return Views(decision.after, self._clerk, self._desk.now()).registry()

    async def Show(self, request: pb.ShowRequest, context: Context) -> pb.ShowResponse:
        def show() -> pb.ShowResponse:
            register = self._desk.register()
            found = register.deployments.get(request.deployment)
            if found is None or not found.versions:
                raise refused("unknown", "deployment", "is not known here")
            told = Views(register, self._clerk, self._desk.now()).deployment(found)
            told.anchors.extend(anchors(self._anchored(request.deployment)))
            return told

        return await self._answered(show, context)

    async def List(self, request: pb.ListRequest, context: Context) -> pb.ListResponse:
        return await self._answered(
            lambda: Views(self._desk.register(), self._clerk, self._desk.now()).everything(), context
        )

    async def EnterSharing(self, request: pb.EnterSharingRequest, context: Context) -> pb.SharingView:
        return sharing((await self._ask(EnterSharing(request.line), context)).after)

    async def ShowSharing(self, request: pb.ShowSharingRequest, context: Context) -> pb.SharingView:
        return await self._answered(lambda: sharing(self._desk.register(), after=request.after), context)

    async def _told(self, command: Command, context: Context) -> pb.AuthorityView:
        decision = await self._ask(command, context)
        return Views(decision.after, self._clerk, self._desk.now()).authority(_version_of(decision))

    async def _ask(self, command: Command, context: Context) -> Decision:
        within_s = _allowed_s(context)
        return await self._answered(lambda: self._desk.ask(command, within_s=within_s), context)

    async def _answered(self, answer: Callable[[], A], context: Context) -> A:
        """The answer, or the end of the call with the status of what stood against it."""
        try:
            return await self._threads.on_thread(answer)
        except Exception as error:  # noqa: BLE001 - the interceptor: every end of a call has a status
            against = error
        await _refuse(against, context)
        raise AssertionError("a refused call was answered")


def _allowed_s(context: Any) -> float:  # noqa: ANN401 - its types deny that a call may have no deadline
    remaining_s = context.time_remaining()
    return _LONGEST_S if remaining_s is None else min(_LONGEST_S, float(remaining_s))


def _version_of(decision: Decision) -> Version:
    """The version as it is after the decision, whichever record was the last."""
    assert decision.version is not None, "a command is about a version"  # noqa: S101
    document = decision.version.document
    return decision.after.deployment(document.id).versions[document.version]


async def _refuse(error: Exception, context: Context) -> None:
    """Raises always."""
    code, text, found = _status(error)
    if code is grpc.StatusCode.INTERNAL:
        log.error("call failed of a bug", extra={"kind": type(error).__name__}, exc_info=error)
    if found:
        told = pb.Findings(findings=findings(found))
        context.set_trailing_metadata(((FINDINGS, told.SerializeToString()),))
    await context.abort(code, text)


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

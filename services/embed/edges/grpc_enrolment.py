"""Enrolment over gRPC. Nothing of a picture is logged, and no error carries more than its kind."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection  # type: ignore[import-untyped]

from services.contracts.errors import Misconfigured
from services.embed.core.templates import Refused, Template
from services.embed.metrics import EnrolmentMetrics
from services.embed.ports import Enroller
from services.runtime.addresses import is_loopback
from signpost.v1 import enrolment_pb2, enrolment_pb2_grpc, face_pb2

log = logging.getLogger(__name__)

if TYPE_CHECKING:  # generic in its stubs only
    _Handler = grpc.RpcMethodHandler[Any, Any]

_SERVICE = "signpost.v1.Enrolment"
# One picture is worked on at a time; the others of these wait decoded, the rest waits in gRPC.
_THREADS = 2
_MAX_WAITING = 16
# Up to twice the limit a picture gets an answer in words; above it gRPC refuses without reading.
_OVERHEAD_BYTES = 4096


class EnrolmentServer:
    """A gRPC server from `start` to `stop`.

    Reference pictures and templates travel over it in clear, and nobody is asked who they are: so it serves this
    machine alone. Raises Misconfigured for any other address, and for one that cannot be had.
    """

    def __init__(
        self, enroller: Enroller, metrics: EnrolmentMetrics, host: str, port: int, *, max_bytes: int
    ) -> None:
        if not is_loopback(host):
            raise Misconfigured(
                f"GRPC_HOST: {host} is beyond this machine, which enrolment does not serve: 127.0.0.1"
            )
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS, thread_name_prefix="signpost-enrol"),
            interceptors=[_NothingLeaks()],
            options=[
                ("grpc.max_receive_message_length", 2 * max_bytes + _OVERHEAD_BYTES),
                ("grpc.so_reuseport", 0),
            ],
            maximum_concurrent_rpcs=_MAX_WAITING,
        )
        enrolment_pb2_grpc.add_EnrolmentServicer_to_server(  # type: ignore[no-untyped-call]
            _Servicer(enroller, metrics, max_bytes), self._server
        )
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        try:
            self.port = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise Misconfigured(f"GRPC_HOST, GRPC_PORT: cannot listen on {host}:{port}") from error

    def start(self) -> None:
        self._server.start()
        self._say(health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_s: float) -> bool:
        """Take no more calls, finish those in hand; True if all were."""
        self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
        return self._server.stop(grace_s).wait(grace_s)

    def _say(self, status: Any) -> None:  # noqa: ANN401 - an enum of generated code
        for name in ("", _SERVICE):
            self._health.set(name, status)


class _Servicer(enrolment_pb2_grpc.EnrolmentServicer):
    def __init__(self, enroller: Enroller, metrics: EnrolmentMetrics, max_bytes: int) -> None:
        self._enroller = enroller
        self._metrics = metrics
        self._max_bytes = max_bytes

    def Enrol(  # noqa: N802 - the name in the proto
        self, request: enrolment_pb2.EnrolRequest, context: grpc.ServicerContext
    ) -> enrolment_pb2.EnrolResponse:
        began = time.perf_counter()
        result = self._result(request.picture)
        self._metrics.seconds.observe(time.perf_counter() - began)
        self._metrics.results.inc(result=result.reason if isinstance(result, Refused) else "accepted")
        if isinstance(result, Refused):
            refusal = enrolment_pb2.Refusal(reason=result.reason, detail=result.detail)
            return enrolment_pb2.EnrolResponse(refusal=refusal)
        return enrolment_pb2.EnrolResponse(template=_template(result))

    def DescribeModel(  # noqa: N802 - the name in the proto
        self, request: enrolment_pb2.DescribeModelRequest, context: grpc.ServicerContext
    ) -> enrolment_pb2.DescribeModelResponse:
        card = self._enroller.card
        return enrolment_pb2.DescribeModelResponse(
            model_id=self._enroller.model_id,
            name=card.name,
            licence=card.licence,
            training_data=card.training_data,
            vector_length=card.vector_length,
        )

    def _result(self, picture: bytes) -> Template | Refused:
        if len(picture) > self._max_bytes:
            return Refused("too_large", f"{len(picture)} bytes, at most {self._max_bytes} are taken")
        return self._enroller.enrol(picture)


def _template(found: Template) -> enrolment_pb2.Template:
    return enrolment_pb2.Template(
        model_id=found.model_id,
        vector=found.vector.astype("<f4").tobytes(),
        box=face_pb2.Box(
            left_px=found.box.left_px,
            top_px=found.box.top_px,
            width_px=found.box.width_px,
            height_px=found.box.height_px,
        ),
        quality=found.quality,
        reference_jpeg=found.reference_jpeg,
    )


class _NothingLeaks(grpc.ServerInterceptor):
    """A bug becomes INTERNAL without its text: gRPC would send the exception's words to the caller."""

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], _Handler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler | None:
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        inner = handler.unary_unary

        def guarded(request: object, context: grpc.ServicerContext) -> object:
            try:
                return inner(request, context)
            except Exception as bug:
                if context.code() is None:  # type: ignore[attr-defined]  # grpcio's own, missing in its types
                    log.exception("call failed of a bug", extra={"kind": type(bug).__name__})
                    context.abort(grpc.StatusCode.INTERNAL, "internal error")
                raise

        return grpc.unary_unary_rpc_method_handler(
            guarded, handler.request_deserializer, handler.response_serializer
        )

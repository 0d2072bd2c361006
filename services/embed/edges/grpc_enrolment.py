"""Enrolment over gRPC. Nothing of a picture is logged, and no error carries more than its kind."""

from __future__ import annotations

import time
from typing import Any

import grpc.aio

from services.contracts.errors import Misconfigured
from services.embed.core.templates import Refused, Template
from services.embed.metrics import EnrolmentMetrics
from services.embed.ports import Enroller
from services.runtime.addresses import is_loopback
from services.runtime.doors.figures import DoorFigures
from services.runtime.doors.grpc_server import GrpcServer, Manners
from services.runtime.doors.grpc_thread import GrpcThread
from signpost.v1 import enrolment_pb2, enrolment_pb2_grpc, face_pb2

Context = grpc.aio.ServicerContext[Any, Any]

_SERVICE = "signpost.v1.Enrolment"
# One picture is worked on at a time; the others of these wait decoded.
_THREADS = 2
# Each may hold a picture on its way; one tool asks here, one picture after another.
_CONNECTIONS = 16
_STREAMS = 2
# Up to twice the limit a picture gets an answer in words; above it gRPC refuses without reading.
_OVERHEAD_BYTES = 4096


class EnrolmentServer:
    """A gRPC server from `start` to `stop`.

    Reference pictures and templates travel over it in clear, and nobody is asked who they are: so it serves this
    machine alone. Raises Misconfigured for any other address, and for one that cannot be had.
    """

    def __init__(
        self,
        enroller: Enroller,
        metrics: EnrolmentMetrics,
        host: str,
        port: int,
        *,
        max_bytes: int,
        figures: DoorFigures | None = None,
    ) -> None:
        if not is_loopback(host):
            raise Misconfigured(
                f"GRPC_HOST: {host} is beyond this machine, which enrolment does not serve: 127.0.0.1"
            )
        manners = Manners(
            max_request_bytes=2 * max_bytes + _OVERHEAD_BYTES,
            connections=_CONNECTIONS,
            per_peer=_CONNECTIONS,
            streams=_STREAMS,
            calls=_THREADS,
        )
        server = GrpcServer(_SERVICE, self._add, manners, host=host, port=port, tls=None, figures=figures)
        self._thread = GrpcThread(server, threads=_THREADS, name="signpost-enrol")
        self._servicer = _Servicer(enroller, metrics, max_bytes, self._thread)
        self.port = server.port

    def start(self) -> None:
        """Returns once calls are answered."""
        self._thread.start()

    def stop(self, grace_s: float) -> bool:
        """Take no more calls, finish those in hand; True if all were."""
        return self._thread.stop(grace_s)

    def _add(self, server: grpc.aio.Server) -> None:
        enrolment_pb2_grpc.add_EnrolmentServicer_to_server(  # type: ignore[no-untyped-call]
            self._servicer, server
        )


class _Servicer(enrolment_pb2_grpc.EnrolmentServicer):
    def __init__(self, enroller: Enroller, metrics: EnrolmentMetrics, max_bytes: int, threads: GrpcThread) -> None:
        self._threads = threads
        self._enroller = enroller
        self._metrics = metrics
        self._max_bytes = max_bytes

    async def Enrol(  # noqa: N802 - the name in the proto
        self, request: enrolment_pb2.EnrolRequest, context: Context
    ) -> enrolment_pb2.EnrolResponse:
        began = time.perf_counter()
        result = await self._threads.on_thread(lambda: self._result(request.picture))
        self._metrics.seconds.observe(time.perf_counter() - began)
        self._metrics.results.inc(result=result.reason if isinstance(result, Refused) else "accepted")
        if isinstance(result, Refused):
            refusal = enrolment_pb2.Refusal(reason=result.reason, detail=result.detail)
            return enrolment_pb2.EnrolResponse(refusal=refusal)
        return enrolment_pb2.EnrolResponse(template=_template(result))

    async def DescribeModel(  # noqa: N802 - the name in the proto
        self, request: enrolment_pb2.DescribeModelRequest, context: Context
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
            return Refused(
                "too_large",
                f"{len(picture)} bytes, at most {self._max_bytes} are taken: save it smaller, or raise "
                "MAX_PICTURE_BYTES of the enrolment server",
            )
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

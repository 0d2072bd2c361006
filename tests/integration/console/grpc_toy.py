"""The toy recogniser of the builder's unit tests, behind the real gRPC service definition."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

from console.watchlist.enrolment import Refused
from signpost.v1 import enrolment_pb2, enrolment_pb2_grpc
from tests.unit.console.watchlist.toy import ToyEnrolment

MAX_BYTES = 1024 * 1024


class _Servicer(enrolment_pb2_grpc.EnrolmentServicer):
    def __init__(self, toy: ToyEnrolment) -> None:
        self._toy = toy

    def DescribeModel(  # noqa: N802 - the service definition's name
        self, request: enrolment_pb2.DescribeModelRequest, context: grpc.ServicerContext
    ) -> enrolment_pb2.DescribeModelResponse:
        model = self._toy.model()
        return enrolment_pb2.DescribeModelResponse(model_id=model.id, name=model.name, vector_length=128)

    def Enrol(  # noqa: N802
        self, request: enrolment_pb2.EnrolRequest, context: grpc.ServicerContext
    ) -> enrolment_pb2.EnrolResponse:
        if request.picture == b"#no_mood":
            return enrolment_pb2.EnrolResponse(refusal=enrolment_pb2.Refusal(reason="no_mood"))
        answer = self._toy.enrol(request.picture)
        if isinstance(answer, Refused):
            refusal = enrolment_pb2.Refusal(reason=answer.reason, detail=answer.detail)
            return enrolment_pb2.EnrolResponse(refusal=refusal)
        template = enrolment_pb2.Template(
            model_id="another" if request.picture == b"#another-model" else self._toy.model().id,
            vector=answer.vector.astype("<f4").tobytes(),
            quality=answer.quality,
            reference_jpeg=answer.jpeg,
        )
        return enrolment_pb2.EnrolResponse(template=template)


@contextmanager
def toy_server(toy: ToyEnrolment) -> Iterator[str]:
    """Its address, while it runs."""
    server = grpc.server(
        ThreadPoolExecutor(2, thread_name_prefix="toy"),
        options=[("grpc.max_receive_message_length", MAX_BYTES)],
    )
    enrolment_pb2_grpc.add_EnrolmentServicer_to_server(_Servicer(toy), server)  # type: ignore[no-untyped-call]  # generated
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait(5)

"""Enrolment over gRPC: the client of embed's second entry point."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import grpc
import numpy as np

from console.edges.grpc_channel import channel_to
from console.watchlist.enrolment import Model, Refusal, Refused, Template
from services.contracts.errors import Misconfigured
from signpost.v1 import enrolment_pb2, enrolment_pb2_grpc

# The server gives up on a picture after 60 s, and may have another in hand; the first call waits for the model.
_CALL_S = 150.0
_FIRST_CALL_S = 60.0
# MAX_PICTURE_BYTES is 100 MB at the most, beside which a message has little.
_MAX_BYTES = 101_000_000


_WHAT_TO_DO = "save it smaller, or raise MAX_PICTURE_BYTES of the enrolment server"


class GrpcEnrolment:
    """`Enrolment` at an address, host:port. A context manager; one thread."""

    def __init__(self, address: str) -> None:
        """Connects at the first call."""
        self._address = address
        self._channel = channel_to(address, max_bytes=_MAX_BYTES)
        self._stub = enrolment_pb2_grpc.EnrolmentStub(self._channel)  # type: ignore[no-untyped-call]  # generated
        self._model: Model | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def model(self) -> Model:
        try:
            found = self._stub.DescribeModel(
                enrolment_pb2.DescribeModelRequest(), timeout=_FIRST_CALL_S, wait_for_ready=False
            )
        except grpc.RpcError as error:
            raise self._unanswered(error) from error
        self._model = Model(found.model_id, found.name)
        return self._model

    def enrol(self, picture: bytes) -> Template | Refused:
        try:
            answer = self._stub.Enrol(enrolment_pb2.EnrolRequest(picture=picture), timeout=_CALL_S)
        except grpc.RpcError as error:
            # The same code also says "too many calls at once"; only its text tells them apart.
            if _code(error) is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in (error.details() or ""):
                return Refused(Refusal.TOO_LARGE, f"{len(picture)} bytes: {_WHAT_TO_DO}")
            raise self._unanswered(error) from error
        if answer.WhichOneof("result") == "refusal":
            return _refused(answer.refusal)
        return self._template(answer.template)

    def _template(self, found: enrolment_pb2.Template) -> Template:
        if self._model is not None and found.model_id != self._model.id:
            raise Misconfigured("enrolment has changed its model while the list was built: build it again")
        vector = np.frombuffer(found.vector, dtype="<f4").astype(np.float32)
        return Template(vector, found.quality, found.reference_jpeg)

    def _unanswered(self, error: grpc.RpcError) -> Misconfigured:
        return Misconfigured(
            f"enrolment at {self._address} does not answer: {_code(error).name}; is embed running?"
        )


def _refused(refusal: enrolment_pb2.Refusal) -> Refused:
    try:
        return Refused(Refusal(refusal.reason), refusal.detail)
    except ValueError as unknown:
        raise Misconfigured(f"enrolment gives a reason this command does not know: {refusal.reason}") from unknown


def _code(error: grpc.RpcError) -> grpc.StatusCode:
    code: grpc.StatusCode = error.code()
    return code

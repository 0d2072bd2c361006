"""Review over gRPC, as one signed-in person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import grpc

from console.edges.grpc_channel import channel_to
from services.contracts.codec_fields import from_micros
from services.contracts.events import Judgement
from signpost.v1 import review_pb2, review_pb2_grpc

_CALL_S = 10.0


class NotForUsError(Exception):
    """Somebody else was first, or the case is over: a normal answer when people work side by side."""


@dataclass(frozen=True)
class OpenCase:
    """A case as the queue tells it."""

    id: str
    camera: str
    captured_at: datetime
    is_open: bool
    claimable: bool


class ReviewClient:
    """One person's session. A context manager; one thread, but `watch` may run on a second."""

    def __init__(self, address: str, user: str, password: str) -> None:
        """Sign in; blocks for at most 10 s. Raises grpc.RpcError."""
        self._channel = channel_to(address)
        self._stub = review_pb2_grpc.ReviewStub(self._channel)  # type: ignore[no-untyped-call]  # generated
        answer = self._stub.SignIn(
            review_pb2.SignInRequest(user=user, password=password), timeout=_CALL_S, wait_for_ready=True
        )
        self._who = (("authorization", f"Bearer {answer.token}"),)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def watch(self, *, for_s: float) -> Iterator[OpenCase]:
        """Cases as they come and change, for so long."""
        changes = self._stub.WatchCases(review_pb2.WatchCasesRequest(), metadata=self._who, timeout=for_s)
        try:
            for one in changes:
                yield OpenCase(
                    one.case, one.camera, from_micros(one.captured_at_us), one.state == "open", one.claimable
                )
        except grpc.RpcError as error:
            if _code(error) not in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
                raise

    def decide(self, case: str, judgement: Judgement) -> None:
        """Claim, look at every picture, judge. Raises NotForUsError."""
        try:
            claim = self._stub.ClaimCase(
                review_pb2.ClaimCaseRequest(case=case), metadata=self._who, timeout=_CALL_S
            )
            held = review_pb2.ClaimRef(case=case, fence=claim.fence)
            view = self._stub.ViewCase(held, metadata=self._who, timeout=_CALL_S)
            for picture in view.pictures:
                asked = review_pb2.ViewPictureRequest(case=case, fence=claim.fence, name=picture.name)
                self._stub.ViewPicture(asked, metadata=self._who, timeout=_CALL_S)
            self._stub.Judge(
                review_pb2.JudgeRequest(
                    case=case,
                    fence=claim.fence,
                    judgement=judgement.value,
                    features=["face_shape"],
                    displayed_digest=view.displayed_digest,
                ),
                metadata=self._who,
                timeout=_CALL_S,
            )
        except grpc.RpcError as error:
            # A better shot may have changed the view meanwhile: then the case comes again.
            if _code(error) in (
                grpc.StatusCode.ABORTED,
                grpc.StatusCode.FAILED_PRECONDITION,
                grpc.StatusCode.NOT_FOUND,
            ):
                raise NotForUsError(str(_code(error))) from error
            raise


def _code(error: grpc.RpcError) -> grpc.StatusCode:
    code: grpc.StatusCode = error.code()
    return code

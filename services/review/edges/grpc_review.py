"""Review over gRPC."""
# ruff: noqa: N802 - methods are named in the proto

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from services.review.core.people import Credentials
from services.review.core.streams import Streams
from services.review.core.views import (
    Engagement,
    FaceFeature,
    Judgement,
    KnownOutcome,
    ReleaseReason,
    SupersedeTowards,
)
from services.review.edges import grpc_messages as messages
from services.review.edges.grpc_guard import Guard, bearer, caller
from services.review.metrics import ReviewMetrics
from services.review.ports import CaseWork, Sessions
from services.runtime.doors.figures import DoorFigures
from services.runtime.doors.grpc_server import GrpcServer, Manners
from services.runtime.doors.peers import Proxies
from services.runtime.doors.reception import calling_peer
from services.runtime.grpc_listen import Tls
from signpost.v1 import review_pb2, review_pb2_grpc

SERVICE = "signpost.v1.Review"
# Requests hold words, never pictures.
_MAX_REQUEST_BYTES = 64 * 1024
# Streams never end by themselves: at a stop they are cut after this; their clients come back elsewhere.
_GRACE_S = 1.0

Context = grpc.aio.ServicerContext[Any, Any]


class ReviewServer:
    """A grpc.aio server from `start` to `stop`, on the loop it was made in."""

    def __init__(  # noqa: PLR0913 - what it works on, where, and what it shares with the page
        self,
        casework: CaseWork,
        sessions: Sessions,
        metrics: ReviewMetrics,
        *,
        host: str,
        port: int,
        tls: Tls | None,
        proxies: Proxies | None = None,
        streams: Streams | None = None,
        figures: DoorFigures | None = None,
    ) -> None:
        """Raises Misconfigured: the address cannot be had, or is served beyond this machine without TLS."""
        self._servicer = _Servicer(casework, sessions)
        self._server = GrpcServer(
            SERVICE,
            self._add,
            Manners(max_request_bytes=_MAX_REQUEST_BYTES, proxies=proxies or Proxies()),
            host=host,
            port=port,
            tls=tls,
            interceptors=[Guard(SERVICE, sessions, metrics, streams)],
            figures=figures,
        )
        self.port = self._server.port

    async def start(self) -> None:
        """Returns once calls are answered."""
        await self._server.start()

    async def stop(self) -> None:
        """Take no more calls; those in hand have a second."""
        await self._server.stop(_GRACE_S)

    def _add(self, server: grpc.aio.Server) -> None:
        review_pb2_grpc.add_ReviewServicer_to_server(self._servicer, server)  # type: ignore[no-untyped-call]


class _Servicer(review_pb2_grpc.ReviewServicer):
    """Words in, words out; who calls and how errors look is the guard's."""

    def __init__(self, casework: CaseWork, sessions: Sessions) -> None:
        self._work = casework
        self._sessions = sessions

    async def SignIn(self, request: review_pb2.SignInRequest, context: Context) -> review_pb2.SignInResponse:
        given = Credentials(
            user=request.user, password=request.password, peer=calling_peer(), device=request.device
        )
        return messages.session(await self._sessions.sign_in(given))

    async def SignOut(self, request: review_pb2.SignOutRequest, context: Context) -> review_pb2.SignOutResponse:
        await self._sessions.sign_out(bearer(context))
        return review_pb2.SignOutResponse()

    async def WhoAmI(self, request: review_pb2.WhoAmIRequest, context: Context) -> review_pb2.WhoAmIResponse:
        return messages.person(caller())

    async def WatchCases(
        self, request: review_pb2.WatchCasesRequest, context: Context
    ) -> AsyncIterator[review_pb2.CaseSummary]:
        # The client knows that it listens before the first case comes.
        await context.send_initial_metadata(())
        async for line in self._work.watch(caller()):
            yield messages.summary(line)

    async def ClaimCase(self, request: review_pb2.ClaimCaseRequest, context: Context) -> review_pb2.Claim:
        return messages.claim(await self._work.claim(caller(), request.case))

    async def RenewClaim(self, request: review_pb2.ClaimRef, context: Context) -> review_pb2.Claim:
        return messages.claim(await self._work.renew(caller(), request.case, request.fence))

    async def ReleaseClaim(
        self, request: review_pb2.ReleaseClaimRequest, context: Context
    ) -> review_pb2.ReleaseClaimResponse:
        reason = messages.word(ReleaseReason, request.reason, "reason")
        await self._work.release(caller(), request.case, request.fence, reason=reason)
        return review_pb2.ReleaseClaimResponse()

    async def ViewCase(self, request: review_pb2.ClaimRef, context: Context) -> review_pb2.CaseView:
        return messages.view(await self._work.view(caller(), request.case, request.fence))

    async def ViewPicture(self, request: review_pb2.ViewPictureRequest, context: Context) -> review_pb2.Picture:
        jpeg = await self._work.picture(caller(), request.case, request.fence, request.name)
        return review_pb2.Picture(jpeg=jpeg)

    async def Judge(self, request: review_pb2.JudgeRequest, context: Context) -> review_pb2.JudgeResponse:
        found = await self._work.judge(
            caller(),
            request.case,
            request.fence,
            judgement=messages.word(Judgement, request.judgement, "judgement"),
            features=[messages.word(FaceFeature, one, "features") for one in request.features],
            displayed_digest=request.displayed_digest,
        )
        return messages.judged(found)

    async def Supersede(self, request: review_pb2.SupersedeRequest, context: Context) -> review_pb2.CaseState:
        towards = messages.word(SupersedeTowards, request.towards, "towards")
        found = await self._work.supersede(caller(), request.case, towards=towards, reason=request.reason)
        return messages.state(found)

    async def RecordEngagement(
        self, request: review_pb2.RecordEngagementRequest, context: Context
    ) -> review_pb2.CaseState:
        result = messages.word(Engagement, request.result, "result")
        return messages.state(await self._work.record_engagement(caller(), request.case, result=result))

    async def RecordOutcome(
        self, request: review_pb2.RecordOutcomeRequest, context: Context
    ) -> review_pb2.CaseState:
        outcome = messages.word(KnownOutcome, request.outcome, "outcome")
        return messages.state(await self._work.record_outcome(caller(), request.case, outcome=outcome))

    async def GetCase(self, request: review_pb2.GetCaseRequest, context: Context) -> review_pb2.CaseState:
        return messages.state(await self._work.get_case(caller(), request.case))

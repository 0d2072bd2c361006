"""What stands before every call: who is it, may they, in time; and the canonical status of every refusal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import grpc
import grpc.aio

from services.contracts.errors import Transient
from services.review.core import errors, roles
from services.review.core.people import Person
from services.review.core.roles import Call
from services.review.core.streams import Held, Streams, same_person, while_signed_in
from services.review.metrics import CallCode, ReviewMetrics
from services.review.ports import Sessions

log = logging.getLogger(__name__)

# A call without a deadline gets this one; a longer one is cut to it. At 0 nothing would be answered; it is
# above the stores' own deadlines, so that what is slow is named by its own error.
_LONGEST_S = 15.0
_BEARER = "Bearer "

_STATUS: Mapping[type[errors.MoveRefused], grpc.StatusCode] = MappingProxyType(
    {
        errors.TooOften: grpc.StatusCode.RESOURCE_EXHAUSTED,
        errors.TooMany: grpc.StatusCode.RESOURCE_EXHAUSTED,
        errors.NotSignedIn: grpc.StatusCode.UNAUTHENTICATED,
        errors.NotAllowed: grpc.StatusCode.PERMISSION_DENIED,
        errors.NotFound: grpc.StatusCode.NOT_FOUND,
        errors.Taken: grpc.StatusCode.ABORTED,
        errors.Stale: grpc.StatusCode.ABORTED,
        errors.NotYours: grpc.StatusCode.FAILED_PRECONDITION,
        errors.Gone: grpc.StatusCode.FAILED_PRECONDITION,
        errors.BadInput: grpc.StatusCode.INVALID_ARGUMENT,
    }
)

Context = grpc.aio.ServicerContext[Any, Any]

_caller: ContextVar[Person] = ContextVar("signpost_caller")


def caller() -> Person:
    """Who made the call that is being answered."""
    return _caller.get()


class Guard(grpc.aio.ServerInterceptor):
    """Around every method of `service`; other services (health, reflection) pass. Event loop."""

    def __init__(
        self, service: str, sessions: Sessions, metrics: ReviewMetrics, streams: Streams | None = None
    ) -> None:
        self._prefix = f"/{service}/"
        self._sessions = sessions
        self._metrics = metrics
        self._streams = streams or Streams()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or not method.startswith(self._prefix):
            return handler
        call = Call(method.removeprefix(self._prefix))
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._stream(call, handler.unary_stream),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary(call, handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )

    def _unary(self, call: Call, inner: Any) -> Any:  # noqa: ANN401 - grpcio's types are of its blocking server
        async def guarded(request: object, context: Context) -> object:
            try:
                async with asyncio.timeout(_allowed_s(context)):
                    await self._admit(call, context)
                    answer = await inner(request, context)
            except BaseException as error:  # noqa: BLE001 - the interceptor: every end of a call has a status
                await self._refuse(error, context)
            else:
                self._metrics.called(CallCode.OK)
                return answer
            raise AssertionError("a refused call was answered")

        return guarded

    def _stream(self, call: Call, inner: Any) -> Any:  # noqa: ANN401 - as above
        async def guarded(request: object, context: Context) -> AsyncIterator[object]:
            try:
                await self._admit(call, context)
                with self._streams.held(bearer(context), caller()) as held:
                    async with aclosing(self._watched(call, inner(request, context), context, held)) as answers:
                        async for answer in answers:
                            yield answer
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - the interceptor: every end of a call has a status
                await self._refuse(error, context)
            self._metrics.called(CallCode.OK)

        return guarded

    def _watched(
        self, call: Call, answers: AsyncIterator[object], context: Context, held: Held
    ) -> AsyncGenerator[object, None]:
        """The answers, for as long as who asked is signed in as who they were, and has the place."""
        person, token = caller(), bearer(context)
        return while_signed_in(
            answers, still=lambda: held.kept(same_person(person, call, self._sessions.person(token)))
        )

    async def _admit(self, call: Call, context: Context) -> None:
        if call in roles.ANYBODY:
            return
        person = await self._sessions.person(bearer(context))
        roles.check(call, person)
        _caller.set(person)

    async def _refuse(self, error: BaseException, context: Context) -> None:
        """End the call with the error's status; raises always."""
        if isinstance(error, asyncio.CancelledError | SystemExit | KeyboardInterrupt):
            self._metrics.called(CallCode.CANCELLED)
            raise error
        code, text = _status(error)
        self._metrics.called(CallCode(code.name))
        if code is grpc.StatusCode.INTERNAL:
            log.error("call failed of a bug", extra={"kind": type(error).__name__}, exc_info=error)
        await context.abort(code, text)


def _allowed_s(context: Any) -> float:  # noqa: ANN401 - its types deny that a call may have no deadline
    remaining_s = context.time_remaining()
    return _LONGEST_S if remaining_s is None else min(_LONGEST_S, float(remaining_s))


def bearer(context: Context) -> str:
    """The token a call carries, or an empty text."""
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str) and value.startswith(_BEARER):
            return value.removeprefix(_BEARER)
    return ""


def _status(error: BaseException) -> tuple[grpc.StatusCode, str]:
    if isinstance(error, errors.MoveRefused):
        kind = next(kind for kind in type(error).__mro__ if kind in _STATUS)
        return _STATUS[kind], str(error)
    if isinstance(error, Transient):
        return grpc.StatusCode.UNAVAILABLE, "a store cannot be reached: nothing was recorded, try again"
    if isinstance(error, TimeoutError):
        return grpc.StatusCode.DEADLINE_EXCEEDED, "not answered in time"
    return grpc.StatusCode.INTERNAL, "internal error"

"""What stands before every gRPC call: its request has a deadline, its answers have one, and its caller a place.

gRPC waits for a request's message, and for a reader of an answer, as long as the client likes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from typing import Any

import grpc
import grpc.aio

from services.runtime.doors.fair import FairLine, Full
from services.runtime.doors.peers import UNKNOWN, Proxies
from services.runtime.doors.pipe import Pipe

log = logging.getLogger(__name__)

# From a call's headers to its message.
_MESSAGE_S = 10.0
# Calls that wait for others, each connection's in turn; more than all are sent away from whoever has the most.
_WAITING = 1024
# From an answer to its being taken. A stream that nobody reads is closed with its connection.
_TAKEN_S = 10.0
# Health's stream without an end: nobody here has a use for it, and anybody could hold one.
_UNSERVED = frozenset({"/grpc.health.v1.Health/Watch"})
_FORWARDED_FOR = "x-forwarded-for"

Context = grpc.aio.ServicerContext[Any, Any]

_peer: ContextVar[str] = ContextVar("signpost_peer", default=UNKNOWN)


def calling_peer() -> str:
    """Who made the call that is being answered: an address, as peers.py has it."""
    return _peer.get()


class Reception(grpc.aio.ServerInterceptor):
    """The outermost interceptor. Event loop."""

    def __init__(self, pipe_of: Callable[[str], Pipe | None], proxies: Proxies, *, at_once: int) -> None:
        """`pipe_of`: by the name that gRPC has for a connection. `at_once`: calls worked on at a time."""
        self._pipe_of = pipe_of
        self._proxies = proxies
        self._line = FairLine(at_once=at_once, waiting=_WAITING)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming or str(handler_call_details.method) in _UNSERVED:
            return None
        # On the wire a call with one message is a stream of one: as such it is ours to read and to answer.
        return grpc.stream_stream_rpc_method_handler(
            self._received(handler), handler.request_deserializer, handler.response_serializer
        )

    def _received(self, handler: Any) -> Any:  # noqa: ANN401 - grpcio's types are of its blocking server
        async def received(requests: Any, context: Context) -> None:  # noqa: ANN401 - as above
            pipe = self._pipe_of(context.peer())
            if pipe is None:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "this connection has ended")
                return
            request = await _message(requests, context)
            _peer.set(self._proxies.client(pipe.address, _forwarded(context)))
            if handler.response_streaming:
                await _stream(handler, request, context, pipe)
            else:
                # Told when its turn is over: who does not read the answer keeps nobody else from theirs.
                await _tell(await self._in_turn(handler, request, context, pipe), context, pipe)

        return received

    async def _in_turn(self, handler: Any, request: object, context: Context, pipe: Pipe) -> object:  # noqa: ANN401
        try:
            async with self._line.turn(str(pipe.name)), _bugs_told(context):
                with pipe.in_hand():
                    return await handler.unary_unary(request, context)
        except Full:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls at once: wait for answers")
        raise AssertionError("an aborted call went on")


async def _message(requests: Any, context: Context) -> object:  # noqa: ANN401 - as above
    try:
        async with asyncio.timeout(_MESSAGE_S):
            async for request in requests:
                return request
    except TimeoutError:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the request's message did not come")
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call has no message")
    raise AssertionError("an aborted call went on")


@asynccontextmanager
async def _bugs_told(context: Context) -> AsyncIterator[None]:
    """gRPC would send the words of a bug to the caller."""
    try:
        yield
    except grpc.aio.AbortError:
        raise
    except Exception as bug:  # the interceptor: every end of a call has a status
        if context.done():
            # It has one: who called left while it was told, by their own deadline say.
            log.info("call ended before it was answered", extra={"kind": type(bug).__name__})
            raise asyncio.CancelledError from None
        log.exception("call failed of a bug", extra={"kind": type(bug).__name__})
        await context.abort(grpc.StatusCode.INTERNAL, "internal error")


async def _stream(handler: Any, request: object, context: Context, pipe: Pipe) -> None:  # noqa: ANN401
    """A stream waits for no turn: who may open one says how many there are."""
    with pipe.in_hand():
        async with _bugs_told(context), aclosing(handler.unary_stream(request, context)) as answers:
            async for answer in answers:
                await _tell(answer, context, pipe)


async def _tell(answer: object, context: Context, pipe: Pipe) -> None:
    try:
        async with asyncio.timeout(_TAKEN_S):
            await context.write(answer)
    except TimeoutError:
        pipe.leave()
        raise asyncio.CancelledError from None


def _forwarded(context: Context) -> Sequence[str]:
    given = context.invocation_metadata() or ()
    return [value for name, value in given if name == _FORWARDED_FOR and isinstance(value, str)]
